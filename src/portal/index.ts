/** The citizen's area, and the relying party's side of OpenID Connect that it (and the demonstration portal) signs in by. */
export { type AreaData, createAreaSessions, findCitizen } from './area.ts'
export { createLoopbackFetch } from './loopback-fetch.ts'
export { createPortalRoutes, type PortalDependencies } from './portal.routes.ts'
export { createRelyingParty, type PendingSignIn, type RelyingParty, type RelyingPartyOptions, type SignedIn, type SignInDemand } from './relying-party.ts'
