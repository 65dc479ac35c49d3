import { Problem } from '../../platform/problem.ts'
import type { FindKeptKey } from '../activation/activations.ts'
import type { SigningCore } from '../activation/core.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Credential, MOST_TRIES } from './credential.ts'
import { claimTry, findKept, lockCredential, resetTries, returnTry } from './credential.store.ts'
import { type Credentials, getCredential, sealContext } from './credentials.ts'
import { clearWrong, countWrong, noteWrong } from './tries.ts'

/** Keys that citizens keep, for a signature; what rests, is revoked or is over is none. */
export function createKeptKeys(core: SigningCore, { suspend }: Pick<Credentials, 'suspend'>): FindKeptKey {
  const { db, keyring } = core
  return async (accountId, id) => {
    const credential = await getCredential(core, id, accountId)
    const kept = credential.state === 'active' ? await findKept(db, id) : undefined
    if (!kept?.sealed) throw unusable(credential)
    const context = sealContext(id, accountId)
    const rest = () => suspend({ id, accountId, cause: 'wrong-password', actor: { kind: 'system' } })
    let [tries, wrong] = [0, 0]
    return {
      serial: credential.serial, spki: kept.spki, certificates: credential.certificates, context, represents: credential.represents,
      // Without its outer wrapping it is still closed by the citizen's password.
      wrapped: keyring.open(kept.sealed, context),
      async claimTry() {
        wrong = await countWrong(core, id)
        if (wrong >= MOST_TRIES) {
          // Its row says that there are tries left, or that it rests no more: somebody wrote that.
          await rest()
          throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable, { detail: 'suspended' })
        }
        const claimed = await claimTry(db, id)
        if (claimed === undefined) throw unusable(credential)
        tries = claimed
      },
      async settleTry(outcome) {
        if (outcome === 'not-made') return returnTry(db, id)
        if (outcome === 'right') {
          await resetTries(db, id)
          if (wrong > 0) await clearWrong(core, db, id)
          return
        }
        // The next number is found under a lock: two at once are two.
        await db.transaction(async (tx) => {
          await lockCredential(tx, id, accountId)
          await noteWrong(core, tx, id)
        })
        if (Math.max(tries, wrong + 1) >= MOST_TRIES) await rest()
      },
    }
  }
}

function unusable({ state }: Pick<Credential, 'state'>): Problem {
  return new Problem(SIGNATURE_PROBLEMS.credentialUnusable, { detail: state })
}
