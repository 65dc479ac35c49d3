/** The citizen's area, and the relying party's side of OpenID Connect that it (and the demonstration portal) signs in by. */
export { createAreaSessions } from './area.ts'
export { portalEvents } from './events.ts'
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
