import type { JsonObject, Provider } from 'oidc-provider'

/** What the interaction pages use of the protocol server. */
export type InteractionServer = Pick<Provider, 'interactionDetails' | 'interactionResult' | 'Client'>

/** How an interaction ends: with what was proven or granted, or with an OAuth error for the relying party. */
export interface InteractionResult extends JsonObject {
  /** A sign-in that accounts has written down under `sessionId`; the protocol's session takes that id over. */
  readonly login?: {
    readonly accountId: string
    readonly amr: readonly string[]
    readonly ts: number
    readonly remember: true
    readonly sessionId: string
  }
  /** What was added to the session is in its record already; this only says that the question was answered. */
  readonly step_up?: { readonly done: 'aal' | 'level' | 'face' }
  /** For whom the person acts: `self`, or a way of representing. */
  readonly select_account?: { readonly id: string }
  readonly consent?: { readonly grantId: string }
  readonly error?: 'access_denied' | 'unmet_authentication_requirements'
  readonly error_description?: string
}

/** The citizen preferred not to; the relying party gets the error that says so. */
export const DENIED: InteractionResult = { error: 'access_denied', error_description: 'the end-user chose not to continue' }
export const UNMET: InteractionResult = {
  error: 'unmet_authentication_requirements',
  error_description: 'the end-user could not or would not meet the requested authentication requirements',
}
