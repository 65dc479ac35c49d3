import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor } from '../core.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { ProxyNotice } from '../ports.ts'
import type { Mandate } from './mandate.ts'
import { changeState, deleteHands, insertMandateEvent, listBelow, type StateChange } from './mandate.store.ts'
import { type Capacity, type Change, getTransition } from './transition.ts'

/** Why a mandate was stopped or ended; stored, so names only ever grow. */
export const CHANGE_REASONS = ['citizen', 'not-me', 'court', 'parent', 'term', 'unanswered', 'deceased', 'dissolved', 'cancelled', 'age', 'agency', 'asked'] as const
export type ChangeReason = (typeof CHANGE_REASONS)[number]

/** What both sides hear of a change, on every channel where something was taken away. */
const NOTICES: Partial<Record<Change, ProxyNotice>> = {
  accepted: 'accepted', refused: 'refused', revoked: 'revoked', renounced: 'renounced', suspended: 'suspended', resumed: 'resumed', lifted: 'lifted',
  expired: 'ended', terminated: 'ended', approved: 'granted',
}
const LOUD: readonly Change[] = ['revoked', 'suspended', 'resumed', 'lifted', 'terminated', 'approved']

export interface Applied {
  readonly change: Change
  readonly capacities: readonly Capacity[]
  readonly reason: ChangeReason
  readonly actor: AuditActor
  /** From when on it counts, where the change says so. */
  readonly effectiveAt?: Date
}

/**
 * One step of one mandate, and what follows of it below; under the tree's lock.
 * @throws {Problem} proxies/step-out-of-order
 */
export async function apply(core: Core, tx: Sql, mandate: Mandate, wanted: Applied): Promise<void> {
  const applied = wanted.change === 'resumed' && stopsLeft(mandate, wanted.capacities).length > 0 ? { ...wanted, change: 'lifted' as const } : wanted
  const transition = getTransition(applied.change, mandate.state, applied.capacities)
  await step(core, tx, mandate, applied)
  if (transition.endsBelow !== true) return
  await core.ports.endRepresentationTokens(tx, mandate.id)
  for (const below of await listBelow(tx, mandate)) {
    if (applied.change !== 'suspended') await step(core, tx, below, { ...applied, change: 'terminated', capacities: ['system'], reason: 'parent' })
    await core.ports.endRepresentationTokens(tx, below.id)
  }
}

async function step(core: Core, tx: Sql, mandate: Mandate, { change, capacities, reason, actor, effectiveAt }: Applied): Promise<void> {
  const now = core.platform.clock.now()
  const transition = getTransition(change, mandate.state, capacities)
  const isOver = !['pending_acceptance', 'active', 'suspended'].includes(transition.to)
  const moved: StateChange = {
    from: mandate.state, to: transition.to, endedAt: isOver ? now : undefined, stoppedBy: stopsAfter(mandate, change, capacities),
    effectiveAt: effectiveAt ?? (transition.to === 'active' && now > mandate.effectiveAt ? now : undefined),
  }
  if (!(await changeState(tx, mandate.id, moved))) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
  // Whoever agreed to let it go has agreed to letting this stop go, and to no later one.
  if (change === 'suspended' || change === 'resumed' || change === 'lifted') await deleteHands(tx, mandate.id, 'resumed')
  await insertMandateEvent(tx, { mandateId: mandate.id, type: change, actor, reason, at: now })
  const parties = [mandate.represented, mandate.grantor, mandate.delegate]
  const accounts = await recordFor(core, tx, {
    type: `proxies/${change}`, actor, parties, clientId: actor.kind === 'client' ? actor.id : undefined,
    data: { mandateId: mandate.id, kind: mandate.kind, depth: mandate.path.length - 1, reason },
  })
  const notice = NOTICES[change]
  if (notice === undefined) return
  const params = { delegate: mandate.delegate.name, represented: mandate.represented.name, until: mandate.validThrough ?? '' }
  for (const accountId of accounts) await core.ports.notify(tx, { accountId, notice, everywhere: LOUD.includes(change), params })
}

/** Who may stop a mandate, the highest first: none of them lets go what another one stopped, but the represented what came from below them. */
const STOPPERS = ['authority', 'represented', 'grantor', 'system'] as const satisfies readonly Capacity[]

/** Stops that stay when somebody lets go of theirs. @throws {Problem} proxies/step-out-of-order when none of them is theirs */
export function stopsLeft({ stoppedBy }: Pick<Mandate, 'stoppedBy'>, capacities: readonly Capacity[]): Capacity[] {
  const isOwn = (one: Capacity) => capacities.includes(one) || (one === 'grantor' && capacities.includes('represented'))
  const left = stoppedBy.filter((one) => !isOwn(one))
  if (left.length === stoppedBy.length) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
  return left
}

function stopsAfter(mandate: Mandate, change: Change, capacities: readonly Capacity[]): Capacity[] {
  if (change === 'resumed' || change === 'lifted') return stopsLeft(mandate, capacities)
  if (change !== 'suspended') return []
  const by = STOPPERS.find((one) => capacities.includes(one))
  if (by === undefined || mandate.stoppedBy.includes(by)) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
  return STOPPERS.filter((one) => one === by || mandate.stoppedBy.includes(one))
}
