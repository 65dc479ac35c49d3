/** OpenID Connect: the provider, its clients, keys and state, and what pages and operators do to them. */
export { guardedFetch } from './net/guarded-fetch.ts'
export { createSqlArtifactStore } from './adapter/artifact.store.ts'
export type { ArtifactStore } from './adapter/artifact.ts'
export { createRedisArtifactStore } from './adapter/redis-artifacts.ts'
export {
  type ClientMetadata,
  type ClientPolicy,
  type ClientRecord,
  clientMetadataSchema,
  clientPolicySchema,
  SCOPES,
} from './clients/client.ts'
export type { RegistrationPreset } from './clients/provider-clients.ts'
export type { ClientRegistration, ClientRegistry, RegisteredClient } from './clients/registry.ts'
export type { Resource } from './clients/resource.store.ts'
export type { Resources } from './clients/resources.ts'
export type { Consent } from './consents/consent.store.ts'
export type { Consents, GivenConsent, Wanted } from './consents/consents.ts'
export { oidcEvents } from './events.ts'
export { interactionEvents } from './interactions/events.ts'
export { createInteractionRoutes, type InteractionDependencies } from './interactions/interactions.routes.ts'
export { recoveryCaller } from './interactions/recovery/recovery-face.routes.ts'
export { createFaceCheckRoutes } from './interactions/step-up/face-check.routes.ts'
export type { DemoCitizen } from './interactions/sign-in/sign-in.routes.ts'
export type { Keys } from './keys/keys.ts'
export { createVisitLimit, type VisitLimitDependencies } from './net/visit-limit.routes.ts'
export { createOidc, type Oidc, type OidcDependencies, type OidcSettings } from './oidc.ts'
export type { Actor, EvidenceFact, OidcPorts, Person, Representation, RepresentationPort, RepresentationUse, RepresentedParty, Standing, Subject } from './ports.ts'
export { endRepresentations } from './representation/ending.ts'
export { OIDC_PROBLEMS } from './problems.ts'
export type { EndedSessions, Sessions } from './sessions.ts'
