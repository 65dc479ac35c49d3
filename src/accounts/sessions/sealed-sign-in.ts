import type { Keyring } from '../../platform/keyring.ts'
import { aalSeal, isSeal } from './proof-seal.ts'
import type { SealedProofs } from './session.store.ts'

/** True when this server itself saw the sign-in as the session's row tells it, by ways in that were the owner's. */
export function isSignInSealed(keyring: Pick<Keyring, 'hash'>, { session: { id, accountId, authenticatedAt: at, aal, amr }, aalSeal: seal }: SealedProofs): boolean {
  return isSeal(seal, aalSeal(keyring, { id, accountId, at, aal, amr }))
}
