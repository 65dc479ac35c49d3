import { Problem } from '../../platform/problem.ts'
import type { FindKeptKey } from '../activation/activations.ts'
import type { SigningCore } from '../activation/core.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Credential, MOST_TRIES } from './credential.ts'
import { claimTry, findKept, resetTries, returnTry } from './credential.store.ts'
import { type Credentials, getCredential, sealContext } from './credentials.ts'

/** Keys that citizens keep, for a signature; what rests, is revoked or is over is none. */
export function createKeptKeys(core: SigningCore, { suspend }: Pick<Credentials, 'suspend'>): FindKeptKey {
  const { db, keyring } = core
  return async (accountId, id) => {
    const credential = await getCredential(core, id, accountId)
    const kept = credential.state === 'active' ? await findKept(db, id) : undefined
    if (!kept?.sealed) throw unusable(credential)
    const context = sealContext(id, accountId)
    let tries = 0
    return {
      serial: credential.serial, spki: kept.spki, certificates: credential.certificates, context,
      // Without its outer wrapping it is still closed by the citizen's password.
      wrapped: keyring.open(kept.sealed, context),
      async claimTry() {
        const claimed = await claimTry(db, id)
        if (claimed === undefined) throw unusable(credential)
        tries = claimed
      },
      async settleTry(outcome) {
        if (outcome === 'right') await resetTries(db, id)
        else if (outcome === 'not-made') await returnTry(db, id)
        else if (tries >= MOST_TRIES) await suspend({ id, accountId, cause: 'wrong-password', actor: { kind: 'system' } })
      },
    }
  }
}

function unusable({ state }: Pick<Credential, 'state'>): Problem {
  return new Problem(SIGNATURE_PROBLEMS.credentialUnusable, { detail: state })
}
