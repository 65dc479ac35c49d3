import { isLevelAtLeast } from '../../assurance/index.ts'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import { type Acting, type Actor, checkGiver, checkUnchanged, getActor, isActor } from '../party/actor.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { ProxyNotice } from '../ports.ts'
import type { Roles } from '../role/roles.ts'
import { keepParty, lookUpSigner } from '../party/registers.ts'
import { LEGAL_KINDS, type Role } from '../role/role.ts'
import { COOL_OFF_MS, isBroad } from './grants.ts'
import type { Mandate, MandateId } from './mandate.ts'
import { addSignature, changeState, countSignatures, findMandate, insertMandateEvent, listBelow, lockTree, type StateChange } from './mandate.store.ts'
import { levelFor } from './terms.ts'
import { type Capacity, type Change, getTransition, TRANSITIONS } from './transition.ts'

/** Why a mandate was stopped or ended; stored, so names only ever grow. */
export const CHANGE_REASONS = ['citizen', 'not-me', 'court', 'parent', 'term', 'unanswered', 'deceased', 'dissolved', 'cancelled', 'age', 'agency'] as const
export type ChangeReason = (typeof CHANGE_REASONS)[number]

export interface Changes {
  /** Another administrator of a company that is bound by several signs too. */
  sign(by: Acting, id: MandateId): Promise<Mandate>
  /**
   * Takes a mandate on. A link to it is no key: only the CPF that it names, signed in, at the level that its powers ask of a delegate.
   * @throws {Problem} proxies/mandate-not-found, proxies/level-needed, proxies/step-out-of-order
   */
  accept(by: Acting, id: MandateId): Promise<Mandate>
  refuse(by: Acting, id: MandateId): Promise<Mandate>
  /** Ends it and everything that was passed on of it, in one transaction. */
  revoke(by: Acting, id: MandateId): Promise<Mandate>
  renounce(by: Acting, id: MandateId): Promise<Mandate>
  /** Stops it at once, e.g. by "não fui eu". */
  suspend(by: Acting, id: MandateId, reason: 'citizen' | 'not-me'): Promise<Mandate>
  /** Lets it count again, as freshly proved as when it was given. Who did not stop it cannot; what an authority stopped, only an authority. */
  resume(by: Acting, id: MandateId): Promise<Mandate>
}

/** One change by a register, the calendar or an agency; in the caller's transaction. False when it came too late. */
export type ChangeBySystem = (
  tx: Sql,
  id: MandateId,
  change: { change: Change; capacity: 'system' | 'authority'; reason: ChangeReason; actor: AuditActor },
) => Promise<boolean>

/** What both sides hear of a change, on every channel where something was taken away. */
const NOTICES: Partial<Record<Change, ProxyNotice>> = {
  accepted: 'accepted', refused: 'refused', revoked: 'revoked', renounced: 'renounced', suspended: 'suspended', resumed: 'resumed',
  expired: 'ended', terminated: 'ended', approved: 'granted',
}
const LOUD: readonly Change[] = ['revoked', 'suspended', 'resumed', 'terminated', 'approved']

export function createChanges(core: Core, roles: Roles): { changes: Changes; changeBySystem: ChangeBySystem } {
  const { db, clock } = core.platform

  async function change(by: Acting, id: MandateId, wanted: Change, reason: ChangeReason = 'citizen'): Promise<Mandate> {
    const actor = await getActor(core, by)
    const seen = await findMandate(db, id)
    if (!seen) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    const capacities = capacitiesOf(actor, seen)
    if (capacities.length === 0) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    getTransition(wanted, seen.state, capacities)
    await checkSide(by, actor, seen, wanted)
    return db.transaction(async (tx) => {
      await checkUnchanged(tx, actor)
      const mandate = await lockTree(tx, id)
      if (!mandate) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
      if (wanted === 'resumed') checkMayResume(mandate, capacities)
      await apply(core, tx, mandate, { change: wanted, capacities, reason, actor: { kind: 'citizen', id: actor.facts.accountId } })
      const changed = await findMandate(tx, id)
      if (!changed) throw new Error('a mandate went away')
      return changed
    })
  }

  async function checkSide(by: Acting, actor: Actor, mandate: Mandate, wanted: Change): Promise<void> {
    if (wanted === 'accepted') {
      const level = levelFor(await rolesOf(roles, mandate), 'delegateLevel')
      if (!isLevelAtLeast(await core.assurance.levelOf(actor.facts.accountId), level)) throw new Problem(PROXIES_PROBLEMS.levelNeeded, { detail: level })
    }
    // What the law or a court gives, nobody whom it protects takes away: they stop it, and the agency that entered it judges.
    if (wanted === 'revoked' && LEGAL_KINDS.includes(mandate.kind)) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
    if (wanted === 'resumed') await checkGiver(core, by, actor, levelFor(await rolesOf(roles, mandate), 'grantorLevel'))
  }

  return {
    changes: {
      async sign(by, id) {
        const actor = await getActor(core, by)
        const seen = await findMandate(db, id)
        if (!seen || !capacitiesOf(actor, seen).includes('grantor')) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
        const given = await rolesOf(roles, seen)
        await checkGiver(core, by, actor, levelFor(given, 'grantorLevel'))
        const hand = await lookUpSigner(core, actor.facts.cpf)
        return db.transaction(async (tx) => {
          await checkUnchanged(tx, actor)
          const mandate = await lockTree(tx, id)
          if (mandate?.state !== 'pending_signature') throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
          await addSignature(tx, id, (await keepParty(core, tx, hand)).id, clock.now())
          if ((await countSignatures(tx, id)) >= mandate.signatures) await completeSignatures(core, tx, mandate, given, actor)
          return (await findMandate(tx, id)) ?? mandate
        })
      },
      accept: (by, id) => change(by, id, 'accepted'),
      refuse: (by, id) => change(by, id, 'refused'),
      revoke: (by, id) => change(by, id, 'revoked'),
      renounce: (by, id) => change(by, id, 'renounced'),
      suspend: (by, id, reason) => change(by, id, 'suspended', reason),
      resume: (by, id) => change(by, id, 'resumed'),
    },
    async changeBySystem(tx, id, { change: wanted, capacity, reason, actor }) {
      const mandate = await lockTree(tx, id)
      const transition = TRANSITIONS[wanted]
      if (!mandate || !transition.from.some((state) => state === mandate.state)) return false
      await apply(core, tx, mandate, { change: wanted, capacities: [capacity], reason, actor })
      return true
    },
  }
}

async function rolesOf(roles: Roles, mandate: Mandate): Promise<Role[]> {
  const found = await Promise.all(mandate.powers.map((power) => roles.find(power)))
  return found.filter((role) => role !== undefined)
}

/** All have signed: without anybody to accept it counts from now on, and with broad powers a day after the last signature. */
async function completeSignatures(core: Core, tx: Sql, mandate: Mandate, given: readonly Role[], actor: Actor): Promise<void> {
  const by = { kind: 'citizen', id: actor.facts.accountId } as const
  const now = core.platform.clock.now()
  const effectiveAt = isBroad(given) ? new Date(now.getTime() + COOL_OFF_MS) : now
  await apply(core, tx, mandate, { change: 'signed', capacities: ['grantor'], reason: 'citizen', actor: by, effectiveAt })
  const params = { delegate: mandate.delegate.name, represented: mandate.represented.name, until: mandate.validThrough ?? '' }
  if (isBroad(given)) await tellParty(core, tx, mandate.represented, { notice: 'broad', everywhere: true, params })
  if (given.some(({ definition }) => definition.acceptance)) return tellParty(core, tx, mandate.delegate, { notice: 'to-accept', everywhere: false, params })
  await apply(core, tx, { ...mandate, state: 'pending_acceptance', effectiveAt }, { change: 'accepted', capacities: ['delegate'], reason: 'citizen', actor: by })
}

export function capacitiesOf(actor: Actor, mandate: Mandate): Capacity[] {
  const capacities: Capacity[] = []
  if (isActor(actor, mandate.represented)) capacities.push('represented')
  if (isActor(actor, mandate.grantor)) capacities.push('grantor')
  if (isActor(actor, mandate.delegate)) capacities.push('delegate')
  return capacities
}

/** @throws {Problem} proxies/step-out-of-order */
function checkMayResume({ suspendedBy }: Mandate, capacities: readonly Capacity[]): void {
  const isOwn = capacities.some((one) => one === suspendedBy) || (suspendedBy === 'grantor' && capacities.includes('represented'))
  if (!isOwn) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
}

interface Applied {
  readonly change: Change
  readonly capacities: readonly Capacity[]
  readonly reason: ChangeReason
  readonly actor: AuditActor
  /** From when on it counts, where the change says so. */
  readonly effectiveAt?: Date
}

/** One step of one mandate, and what follows of it below; under the tree's lock. */
async function apply(core: Core, tx: Sql, mandate: Mandate, applied: Applied): Promise<void> {
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
    from: mandate.state, to: transition.to, endedAt: isOver ? now : undefined,
    suspendedBy: change === 'suspended' ? (['authority', 'represented', 'grantor', 'system'] as const).find((one) => capacities.includes(one)) : undefined,
    effectiveAt: effectiveAt ?? (transition.to === 'active' && now > mandate.effectiveAt ? now : undefined),
  }
  if (!(await changeState(tx, mandate.id, moved))) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
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
