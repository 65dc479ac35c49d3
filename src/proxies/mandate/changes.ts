import { isLevelAtLeast } from '../../assurance/index.ts'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, tellParty } from '../core.ts'
import { type Acting, type Actor, checkGiver, checkUnchanged, getActor, isActor } from '../party/actor.ts'
import { lookUpSigner } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { LEGAL_KINDS, type Role } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import { COOL_OFF_MS, isBroad } from './grants.ts'
import { gatherHand, handsOf } from './hands.ts'
import type { Mandate, MandateId } from './mandate.ts'
import { findMandate, type HandStep, listPath, lockTree } from './mandate.store.ts'
import { apply, type ChangeReason, stopsLeft } from './steps.ts'
import { levelFor } from './terms.ts'
import { type Capacity, type Change, getTransition, TRANSITIONS } from './transition.ts'

export interface Changes {
  /** Another administrator of a company that is bound by several signs too. */
  sign(by: Acting, id: MandateId): Promise<Mandate>
  /**
   * Takes a mandate on. A link to it is no key: only the CPF that it names, signed in, at the level that its powers ask of a delegate; of a
   * company that several bind together, as many of them.
   * @throws {Problem} proxies/mandate-not-found, proxies/level-needed, proxies/step-out-of-order
   */
  accept(by: Acting, id: MandateId): Promise<Mandate>
  refuse(by: Acting, id: MandateId): Promise<Mandate>
  /** Ends it and everything that was passed on of it, in one transaction. */
  revoke(by: Acting, id: MandateId): Promise<Mandate>
  renounce(by: Acting, id: MandateId): Promise<Mandate>
  /** Stops it at once, e.g. by "não fui eu". */
  suspend(by: Acting, id: MandateId, reason: 'citizen' | 'not-me'): Promise<Mandate>
  /**
   * Lets go of one's own stop, as freshly proved as when it was given: it counts again once nobody else stops it. Of a company that several
   * bind together, as many must agree. @throws {Problem} proxies/step-out-of-order for whoever does not stop it
   */
  resume(by: Acting, id: MandateId): Promise<Mandate>
}

/** Steps that bind a company: who binds it only together with others takes them together. To stop, refuse or end one hand is enough. */
const BINDING: Partial<Record<Change, HandStep>> = { accepted: 'accepted', resumed: 'resumed' }

/** One change by a register, the calendar or an agency; in the caller's transaction. False when it came too late. */
export type ChangeBySystem = (
  tx: Sql,
  id: MandateId,
  change: { change: Change; capacity: 'system' | 'authority'; reason: ChangeReason; actor: AuditActor },
) => Promise<boolean>

export function createChanges(core: Core, roles: Roles): { changes: Changes; changeBySystem: ChangeBySystem } {
  const { db } = core.platform

  async function change(by: Acting, id: MandateId, wanted: Change, reason: ChangeReason = 'citizen'): Promise<Mandate> {
    const actor = await getActor(core, by)
    const seen = await findMandate(db, id)
    if (!seen) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    const capacities = capacitiesOf(actor, seen)
    if (capacities.length === 0) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    getTransition(wanted, seen.state, capacities)
    await checkSide(by, actor, seen, wanted)
    const step = BINDING[wanted]
    const signer = step !== undefined && handsOf(actor) > 1 ? await lookUpSigner(core, actor.facts.cpf) : undefined
    return db.transaction(async (tx) => {
      await checkUnchanged(tx, actor)
      const mandate = await lockTree(tx, id)
      if (!mandate) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
      getTransition(wanted, mandate.state, capacities)
      if (wanted === 'resumed') stopsLeft(mandate, capacities)
      const of = [mandate.delegate, mandate.grantor, mandate.represented].find((party) => isActor(actor, party)) ?? mandate.delegate
      const isEnough = !step || !signer || (await gatherHand(core, tx, mandate, { actor, signer, step, of, needed: handsOf(actor) }))
      if (isEnough) await apply(core, tx, mandate, { change: wanted, capacities, reason, actor: { kind: 'citizen', id: actor.facts.accountId } })
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
        const signer = await lookUpSigner(core, actor.facts.cpf)
        return db.transaction(async (tx) => {
          await checkUnchanged(tx, actor)
          const mandate = await lockTree(tx, id)
          if (mandate?.state !== 'pending_signature') throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
          // What is passed on counts as long as the links above do.
          if ((await listPath(tx, mandate.path.slice(0, -1))).some(({ state }) => state !== 'active')) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
          const needed = Math.max(mandate.signatures, handsOf(actor))
          if (await gatherHand(core, tx, mandate, { actor, signer, step: 'granted', of: mandate.grantor, needed })) await completeSignatures(core, tx, mandate, given, actor)
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
