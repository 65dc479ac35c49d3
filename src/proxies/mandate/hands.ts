import type { Sql } from '../../platform/db.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import type { Actor } from '../party/actor.ts'
import type { Party } from '../party/party.ts'
import { keepParty, type RegisteredParty } from '../party/registers.ts'
import type { Mandate } from './mandate.ts'
import { addHand, countHands, type HandStep, insertMandateEvent } from './mandate.store.ts'

/** A hand that agreed counts for so long, if it still binds the company: the others have a month, as for every answer. */
const COUNTS_MS = 30 * 86_400_000

/** How many administrators must sign for whoever acts: those who bind a company only together all of them, everybody else one. */
export function handsOf({ company }: Actor): number {
  return company?.quorum ?? 1
}

export interface Hand {
  readonly actor: Actor
  /** The human, as the register knows them at this moment. */
  readonly signer: RegisteredParty
  readonly step: HandStep
  /** The company for which they sign. */
  readonly of: Pick<Party, 'id'>
  readonly needed: number
}

/**
 * Adds one administrator's hand to a step that binds their company; true once enough of them, who bind it now, have signed.
 *
 * Each hand is a line in the ledger at once, and the others hear of it.
 */
export async function gatherHand(core: Core, tx: Sql, mandate: Mandate, { actor, signer, step, of, needed }: Hand): Promise<boolean> {
  const at = core.platform.clock.now()
  await addHand(tx, mandate.id, step, { partyId: (await keepParty(core, tx, signer)).id, at })
  const hands = await countHands(tx, mandate.id, step, { companyId: of.id, since: new Date(at.getTime() - COUNTS_MS) })
  const by = { kind: 'citizen', id: actor.facts.accountId } as const
  await insertMandateEvent(tx, { mandateId: mandate.id, type: 'hand-added', actor: by, reason: step, at })
  await recordFor(core, tx, { type: 'proxies/hand-added', actor: by, parties: [of], data: { mandateId: mandate.id, kind: mandate.kind, depth: mandate.path.length - 1, step, hands, needed } })
  if (hands >= needed) return true
  const params = { delegate: mandate.delegate.name, represented: mandate.represented.name, until: mandate.validThrough ?? '' }
  await tellParty(core, tx, of, { notice: 'to-join', everywhere: false, params })
  return false
}
