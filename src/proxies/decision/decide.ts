import type { Level } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Core } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import type { Day } from '../mandate/day.ts'
import type { MandateId } from '../mandate/mandate.ts'
import { documentOf, documentsOf, type PartyRef, rootOf } from '../party/party.ts'
import { documentsOfCompany, findPlace } from '../party/company-register.ts'
import { findCompany, type KnownCompany } from '../party/company.store.ts'
import { isRegularPerson } from '../party/registers.ts'
import type { MandateKind, Power } from '../role/role.ts'
import { powerName, type Role } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import { isOpenAct } from './act.ts'
import { countApprovals, findAct } from './act.store.ts'
import { findCandidates, type Found, holdTrees, type Sought } from './decision.store.ts'
import { type DecisionReason, findFault } from './judge.ts'

/** The question: may this person do this for that party, now? */
export interface DecisionAsk {
  /** The human, or the organisation whose official acts. */
  readonly actor: PartyRef
  readonly represented: PartyRef
  readonly role: Pick<Power, 'namespace' | 'code'>
  readonly service?: string | undefined
  readonly instance?: string | undefined
  /** The act that others approved, where a power is joint. */
  readonly actId?: string | undefined
  /** Now without; a moment of the past is judged by what stands now, for the term only. */
  readonly at?: Date | undefined
}

/** One link of the chain that permits, the represented's first. */
export interface ChainLink {
  readonly mandateId: MandateId
  readonly depth: number
}

export interface Decision {
  readonly permit: boolean
  readonly reason: DecisionReason
  /** The mandate of the actor; absent for oneself and for what the company register says. */
  readonly mandateId: MandateId | undefined
  readonly kind: MandateKind | undefined
  readonly chain: readonly ChainLink[]
  /** The last day of the whole chain. */
  readonly until: Day | undefined
  readonly obligations: {
    /** The actor's session must bear it. */
    readonly level: Level | undefined
    /** Only an act that so many have approved. */
    readonly joint: { readonly quorum: number; readonly approvals: number } | undefined
    /** The company register's answer that this rests on. */
    readonly register: { readonly source: string; readonly checkedAt: Date } | undefined
    /** The use must be told (`uses.record`), so that the represented sees it. */
    readonly recordUse: boolean
  }
}

/** With `tx` the trees that it rests on stay as they are until that transaction ends: for issuing something by it. */
export type Decide = (ask: DecisionAsk, tx?: Sql) => Promise<Decision>

const NOTHING = { level: undefined, joint: undefined, register: undefined, recordUse: false } as const
const deny = (reason: DecisionReason): Decision => ({
  permit: false, reason, mandateId: undefined, kind: undefined, chain: [], until: undefined, obligations: NOTHING,
})

/** Answers of registers are asked again after a day. */
const STALE_MS = 86_400_000

export interface DecideDependencies {
  readonly core: Core
  readonly roles: Roles
  /** Asks the registers about the parties of these mandates again; what ended is ended. */
  readonly refresh: (mandates: readonly MandateId[]) => Promise<void>
}

/** The decision point. Deny by default: a missing answer of a register denies, or throws its Problem. */
export function createDecide({ core, roles, refresh }: DecideDependencies): Decide {
  const { db, clock } = core.platform

  return async (ask, tx) => {
    if (documentOf(ask.actor) === documentOf(ask.represented)) return { ...deny('self'), permit: true }
    const now = ask.at ?? clock.now()
    const sought: Sought = { represented: documentsOf(ask.represented), delegates: documentsOf(ask.actor), power: ask.role, now }
    if (tx) await holdTrees(tx, sought)
    const direct = await judgePlace(tx ?? db, sought)
    if (direct.permit || ask.actor.kind !== 'person') return direct
    // Registers are not asked while a transaction is open; the caller has decided without one before.
    const companies = tx ? [] : await core.companies.listOf(ask.actor.cpf)
    // The company register may name for a while whom the base register knows to be dead.
    if (companies.length > 0 && !(await isRegularPerson(core, ask.actor.cpf))) return direct.reason === 'no-mandate' ? deny('standing') : direct
    const own = await decideByRegister(companies)
    if (own) return own
    const through = companies.filter(({ quorum, standing }) => quorum === 1 && standing === 'regular').flatMap(documentsOfCompany)
    if (through.length === 0) return direct
    const byCompany = await judgePlace(db, { ...sought, delegates: through })
    return byCompany.permit || direct.reason === 'no-mandate' ? byCompany : direct

    /** What the whole company gave counts in the places that its register knows as open: that answer is as fresh as the company's own. */
    async function judgePlace(sql: Sql, wanted: Sought): Promise<Decision> {
      const decision = await judgeAll(sql, wanted)
      if (!decision.permit || ask.represented.kind !== 'company') return decision
      const company = await findCompany(sql, rootOf(ask.represented.cnpj))
      return company && findPlace(company, ask.represented.cnpj)?.standing === 'regular' ? decision : deny('standing')
    }

    async function judgeAll(sql: Sql, wanted: Sought): Promise<Decision> {
      let found = await findCandidates(sql, wanted)
      const stale = found.filter(({ oldestStanding }) => clock.now().getTime() - oldestStanding.getTime() >= STALE_MS)
      if (stale.length > 0 && sql === db) {
        await refresh(stale.flatMap(({ links }) => links.map(({ id }) => id as MandateId)))
        found = await findCandidates(sql, wanted)
      }
      let first: Decision | undefined
      for (const candidate of found) {
        const decision = await judge(sql, candidate)
        if (decision.permit) return decision
        first ??= decision
      }
      return first ?? deny('no-mandate')
    }

    async function judge(sql: Sql, found: Found): Promise<Decision> {
      const role = await roles.find({ ...ask.role, version: found.version })
      if (role === undefined || role.state === 'draft') return deny('role-unknown')
      if (!isForService(role, ask.service)) return deny('service')
      const { definition } = role
      const fault = findFault(found, { today: dayOf(now), now, instance: ask.instance, grantorLevel: definition.grantorLevel })
      if (fault !== undefined) return deny(fault)
      const joint = found.joint && { quorum: found.joint.quorum, approvals: await approvalsFor(sql, `group:${found.joint.groupId}`, found.representedId) }
      const isEnough = joint === undefined || joint.approvals >= joint.quorum
      const ends = found.links.flatMap(({ validThrough }) => validThrough ?? [])
      return {
        permit: isEnough, reason: isEnough ? 'mandate' : 'quorum', mandateId: found.mandateId, kind: found.kind,
        chain: found.links.map(({ id }, depth) => ({ mandateId: id as MandateId, depth })),
        until: ends.length === 0 ? undefined : ends.reduce((one, other) => (one < other ? one : other)),
        obligations: { level: definition.delegateLevel, joint, register: undefined, recordUse: true },
      }
    }

    /** Whoever binds a company needs no mandate of it, for every power that a company may give. */
    async function decideByRegister(companies: readonly KnownCompany[]): Promise<Decision | undefined> {
      if (ask.represented.kind !== 'company') return undefined
      const root = rootOf(ask.represented.cnpj)
      const company = companies.find((one) => one.root === root && one.standing === 'regular')
      if (!company) return undefined
      // A place that the register does not know, or that is closed, is nobody's to act for.
      if (findPlace(company, ask.represented.cnpj)?.standing !== 'regular') return deny('standing')
      const [role] = (await roles.list({ namespace: ask.role.namespace, hidden: true })).filter(({ code }) => code === ask.role.code)
      if (!role?.definition.representedKinds.includes('company')) return deny('role-unknown')
      if (!isForService(role, ask.service)) return deny('service')
      const joint = company.quorum === 1 ? undefined : { quorum: company.quorum, approvals: await approvalsFor(db, `register:${root}`, undefined) }
      const isEnough = joint === undefined || joint.approvals >= joint.quorum
      const { source, checkedAt } = company
      return {
        ...deny(isEnough ? 'register' : 'quorum'), permit: isEnough,
        obligations: { level: role.definition.grantorLevel, joint, register: { source, checkedAt }, recordUse: true },
      }
    }

    /** Approvals of exactly this act, by those who may still give them. */
    async function approvalsFor(sql: Sql, groupKey: string, representedId: string | undefined): Promise<number> {
      const act = ask.actId === undefined ? undefined : await findAct(sql, ask.actId)
      const isThis =
        act !== undefined && act.groupKey === groupKey && (representedId === undefined || act.representedId === representedId) && isOpenAct(act, now) &&
        powerName(act) === powerName(ask.role) && act.service === ask.service && act.instance === ask.instance
      return isThis ? countApprovals(sql, act, now) : 0
    }
  }
}

function isForService({ definition }: Role, service: string | undefined): boolean {
  return definition.services.length === 0 || (service !== undefined && definition.services.includes(service))
}
