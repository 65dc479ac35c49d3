/** The citizen's area, and the relying party's side of OpenID Connect that it (and the demonstration portal) signs in by. */
export { type AreaData, type AreaPlace, CITIZEN_PLACE, createAreaSessions, entranceTo } from './area.ts'
export { createEntranceRoutes, type EntranceDependencies, PROOF_KINDS, type ProofKind, type Prove } from './entrance.routes.ts'
export { portalEvents } from './events.ts'
export { type AreaVisit, findSignedIn, type VisitAccounts } from './visit.ts'
export { type AreaPages, seeOther, type Visit } from './pages.ts'
export { createSigningRoutes } from './signing/signing.routes.ts'
export { createLendingRoutes } from './lending/authorise.routes.ts'
export { createProxyRoutes } from './proxies/proxies.routes.ts'
export { createCertificateRoutes } from './certificates/certificates.routes.ts'
export { CERTIFICATE_PAGE, createCertificateSealRoutes } from './certificates/seal.routes.ts'
export { createPortalRoutes, type Portal, type PortalDependencies } from './portal.routes.ts'
export { createLoopbackFetch } from './relying-party/loopback-fetch.ts'
export {
  createRelyingParty,
  type PendingSignIn,
  type RelyingParty,
  type RelyingPartyOptions,
  type SignedIn,
  type SignInDemand,
} from './relying-party/relying-party.ts'
