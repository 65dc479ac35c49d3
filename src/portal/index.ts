/** The citizen's area, and the relying party's side of OpenID Connect that it (and the demonstration portal) signs in by. */
export { createRelyingParty, type PendingSignIn, type RelyingParty, type RelyingPartyOptions, type SignedIn, type SignInDemand } from './relying-party.ts'
