import type { AuditActor } from '../../audit/index.ts'
import { isLevelAtLeast } from '../../assurance/index.ts'
import { type SigningCore, SIGNING_LEVEL } from '../activation/core.ts'
import type { SignerFacts } from '../activation/ports.ts'
import type { EndCause } from './credential.ts'
import { eachInTurn } from '../each-in-turn.ts'
import { listHolders, listRepresenting } from './credential.store.ts'
import type { Credentials } from './credentials.ts'

/** Ends the certificates of people who may not have them any more. */
export interface CertificateReview {
  /** One account, death included; how many kept ones ended. @throws what the base register throws when it does not answer */
  one(accountId: string): Promise<number>
  /** Every account that keeps one; the base register is asked only with `deaths`. Returns how many certificates ended. */
  /** Representatives' certificates: those under a mandate that ended or rests, or all; how many ended. @throws what the registers throw */
  representations(of?: { readonly accountId?: string; readonly mandateId?: string }): Promise<number>
  all(options?: { readonly deaths?: boolean }): Promise<number>
}

const SYSTEM: AuditActor = { kind: 'system' }
const PAGE = 500

/** What ends by somebody's act ends in that act's transaction; this sees to evidence that ran out, deaths, and what an act could not reach. */
export function createReview(core: SigningCore, { revokeAll, revoke }: Pick<Credentials, 'revokeAll' | 'revoke'>): CertificateReview {
  const { db, clock, people } = core

  async function causeOf(signer: SignerFacts, deaths: boolean): Promise<EndCause | undefined> {
    if (signer.status === 'closed') return 'account-closed'
    if (deaths && (await people.isDeceased(signer))) return 'death'
    return isLevelAtLeast(signer.level, SIGNING_LEVEL) ? undefined : 'level'
  }

  async function review(accountId: string, deaths: boolean): Promise<number> {
    const signer = await people.findSigner(accountId)
    const cause = signer && (await causeOf(signer, deaths))
    if (!signer || !cause) return 0
    return (await db.transaction((tx) => revokeAll(tx, { accountId, personId: signer.personId, cause, actor: SYSTEM }))).kept
  }

  async function representations(of?: { readonly accountId?: string; readonly mandateId?: string }): Promise<number> {
    let ended = 0
    await eachInTurn(await listRepresenting(db, clock.now(), of), async ({ id, accountId, represents }) => {
      if (await people.stillRepresents(accountId, represents)) return
      await revoke({ id, accountId, cause: 'representation', actor: SYSTEM })
      ended += 1
    })
    return ended
  }

  return {
    one: (accountId) => review(accountId, true),
    representations,
    async all({ deaths = false } = {}) {
      const holders: string[] = []
      for (let page = await listHolders(db, clock.now(), PAGE); page.length > 0; page = await listHolders(db, clock.now(), PAGE, page.at(-1))) holders.push(...page)
      let ended = 0
      // One whom the register has no answer for does not keep the others' certificates alive.
      await eachInTurn(holders, async (accountId) => {
        ended += await review(accountId, deaths)
      })
      return ended
    },
  }
}
