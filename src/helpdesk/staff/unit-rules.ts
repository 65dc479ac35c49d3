import type { AccountId } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { lockUnit } from './role.store.ts'
import type { Staff } from './staff.ts'
import { findUnit, listLayers, listUnitsBelow, type RuleLayer, setLayer, type Unit, type UnitRules } from './unit.store.ts'

/** A unit's rules as one of its managers may change them. */
export interface RulesView {
  readonly unit: Unit
  /** What this manager asks now; what counts is the strictest of all layers. */
  readonly asked: UnitRules
  /** What the other layers ask: nothing looser can be asked. */
  readonly floor: UnitRules
}

/** Rules of a unit that its manager, or the manager of the unit above, makes stricter than the operator's. */
export interface UnitRulesDesk {
  /** Of the manager's unit, or of one right below it. @throws {Problem} helpdesk/not-above */
  view(unitId: string, managerOf: string): Promise<RulesView>
  listBelow(managerOf: string): Promise<Unit[]>
  /**
   * Asks for rules; each at least as strict as what the others ask.
   *
   * Whoever approves in the unit draws no fewer of its approvals.
   * @throws {Problem} helpdesk/not-above, helpdesk/role-needed, helpdesk/rules-looser, helpdesk/own-share
   */
  ask(unitId: string, rules: UnitRules, by: { id: AccountId; managerOf: string }): Promise<void>
}

export interface UnitRulesDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  readonly staff: Pick<Staff, 'checkHolds' | 'liveRoles'>
}

export function createUnitRules(deps: UnitRulesDependencies): UnitRulesDesk {
  const { db } = deps
  return {
    async view(unitId, managerOf) {
      const { unit, asked, floor } = await load(db, unitId, managerOf)
      return { unit, asked, floor }
    },
    listBelow: (managerOf) => listUnitsBelow(db, managerOf),
    async ask(unitId, rules, { id, managerOf }) {
      const isSupervisor = (await deps.staff.liveRoles(id)).some((role) => role.unitId === unitId && role.role === 'supervisor')
      await db.transaction((tx) => ask(deps, tx, { unitId, rules, id, managerOf, isSupervisor }))
    },
  }
}

async function load(sql: Sql, unitId: string, managerOf: string): Promise<RulesView & { layer: 'own' | 'above' }> {
  const unit = await findUnit(sql, unitId)
  if (unit === undefined || unit.closedAt !== undefined || (unit.id !== managerOf && unit.parentId !== managerOf)) throw new Problem(HELPDESK_PROBLEMS.notAbove)
  const layer = unit.id === managerOf ? 'own' : 'above'
  const layers = await listLayers(sql, unitId)
  const others = (['operator', 'above', 'own'] satisfies RuleLayer[]).filter((name) => name !== layer && (layer === 'own' || name !== 'own'))
  const floor = strictestOf(others.map((name) => layers[name]).filter((rules) => rules !== undefined))
  return { unit, layer, floor, asked: strictestOf([floor, ...(layers[layer] ? [layers[layer]] : [])]) }
}

/** Each rule at its strictest. */
export function strictestOf(all: readonly UnitRules[]): UnitRules {
  return {
    faceProfile: all.some(({ faceProfile }) => faceProfile === 'capture-point') ? 'capture-point' : 'reference',
    matchPoint: all.some(({ matchPoint }) => matchPoint === 'fmr1e-5') ? 'fmr1e-5' : 'fmr1e-4',
    sampleShare: Math.max(0, ...all.map(({ sampleShare }) => sampleShare)),
  }
}

interface Asking {
  readonly unitId: string
  readonly rules: UnitRules
  readonly id: AccountId
  readonly managerOf: string
  readonly isSupervisor: boolean
}

async function ask({ staff, clock, audit }: UnitRulesDependencies, tx: Sql, { unitId, rules, id, managerOf, isSupervisor }: Asking): Promise<void> {
  await staff.checkHolds(tx, id, { unitId: managerOf, role: 'unit-manager' })
  await lockUnit(tx, unitId)
  const { layer, floor, asked } = await load(tx, unitId, managerOf)
  const { faceProfile, matchPoint, sampleShare } = strictestOf([floor, rules])
  if (faceProfile !== rules.faceProfile || matchPoint !== rules.matchPoint || sampleShare !== rules.sampleShare) throw new Problem(HELPDESK_PROBLEMS.rulesLooser)
  if (isSupervisor && sampleShare < asked.sampleShare) throw new Problem(HELPDESK_PROBLEMS.ownShare)
  await setLayer(tx, unitId, layer, rules, { by: id, at: clock.now() })
  const data = { unitId, layer, faceProfile, matchPoint, sampleShare }
  await audit.record(tx, { type: 'helpdesk/unit-rules-set', actor: { kind: 'operator', id }, data })
}
