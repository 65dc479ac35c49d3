import { randomUUID } from 'node:crypto'
import type { Cpf } from '../../accounts/index.ts'
import { isLevelAtLeast, lockCandidate } from '../../assurance/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { claimTry } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { endMembership, insertMembership, listLiveOf, listOfNamespace } from './team.store.ts'

/**
 * What somebody does for an agency: `manager` = who may do what, `editor` = writes drafts of powers, `publisher` = publishes and retires
 * them, `registrar` = enters what a court or the law says, and approves what another has entered. Stored, so names only ever grow.
 */
export const AGENCY_ROLES = ['manager', 'editor', 'publisher', 'registrar'] as const
export type AgencyRole = (typeof AGENCY_ROLES)[number]

/** A year; who is still there is asked anew. */
const LONGEST_MS = 365 * 86_400_000

/** One person's place in one agency. */
export interface Membership {
  readonly id: string
  readonly namespace: string
  readonly accountId: string
  readonly role: AgencyRole
  readonly endsAt: Date
}

/** The agencies' own people; what somebody may do is worked out anew for each request. */
export interface Team {
  /** Of an active account at prata. */
  liveOf(accountId: string): Promise<Membership[]>
  listOf(namespace: string): Promise<Membership[]>
  /**
   * Gives a place for a year, by a manager of the namespace, or (`by` undefined) by the operator's command line.
   * @throws {Problem} proxies/namespace-not-yours, proxies/staff-unfit, proxies/not-for-oneself, proxies/too-many-requests
   */
  add(place: { namespace: string; cpf: Cpf; role: AgencyRole }, giver: TeamGiver): Promise<Membership>
  /** False when it was over. @throws {Problem} proxies/namespace-not-yours, proxies/not-for-oneself */
  end(namespace: string, id: string, by: string): Promise<boolean>
}

/** Who gives a place: an account of a manager, or somebody at the command line. */
export type TeamGiver = { readonly accountId: string } | { readonly actorId: string; readonly isDemo?: boolean }

export interface TeamDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  /** What ends with a place, in its transaction; needed only where places are ended. */
  readonly placeEnded?: (tx: Sql, place: Membership, by: string) => Promise<void>
}

/** @throws {Problem} proxies/namespace-not-yours */
export async function checkManager(tx: Sql, { namespace, accountId, now }: { namespace: string; accountId: string; now: Date }): Promise<void> {
  const live = await listLiveOf(tx, accountId, now)
  if (!live.some((one) => one.namespace === namespace && one.role === 'manager')) throw new Problem(PROXIES_PROBLEMS.namespaceForeign)
}

export function createTeam({ db, clock, audit, placeEnded }: TeamDependencies): Team {
  return {
    liveOf: (accountId) => listLiveOf(db, accountId, clock.now()),
    listOf: (namespace) => listOfNamespace(db, namespace, clock.now()),
    async add({ namespace, cpf, role }, giver) {
      // Who gets a place is shown by name: numbers are tried no more often than a citizen may, and a refused try counts.
      if ('accountId' in giver) await claimTry({ platform: { db, clock } }, giver.accountId)
      return db.transaction(async (tx) => {
        const now = clock.now()
        const by = 'accountId' in giver ? giver.accountId : giver.actorId
        if ('accountId' in giver) await checkManager(tx, { namespace, accountId: giver.accountId, now })
        const candidate = await lockCandidate(tx, cpf, now)
        const isDemo = 'actorId' in giver && giver.isDemo === true
        if (!candidate || (!isDemo && (!candidate.hasSecondFactor || !isLevelAtLeast(candidate.level, 'prata')))) throw new Problem(PROXIES_PROBLEMS.staffUnfit)
        if ('accountId' in giver && candidate.accountId === giver.accountId) throw new Problem(PROXIES_PROBLEMS.notForOneself)
        const place: Membership = { id: randomUUID(), namespace, accountId: candidate.accountId, role, endsAt: new Date(now.getTime() + LONGEST_MS) }
        await insertMembership(tx, place, { by, at: now })
        await record(tx, 'proxies/staff-added', place, by)
        return place
      })
    },
    end: (namespace, id, by) =>
      db.transaction(async (tx) => {
        await checkManager(tx, { namespace, accountId: by, now: clock.now() })
        const ended = await endMembership(tx, namespace, id, clock.now())
        if (ended?.accountId === by) throw new Problem(PROXIES_PROBLEMS.notForOneself)
        if (ended) await record(tx, 'proxies/staff-ended', ended, by)
        if (ended) await placeEnded?.(tx, ended, by)
        return ended !== undefined
      }),
  }

  async function record(tx: Sql, type: string, { namespace, role, accountId }: Membership, by: string): Promise<void> {
    const actor: AuditActor = { kind: 'operator', id: by }
    await audit.record(tx, { type, actor, subject: accountId, data: { namespace, role } })
  }
}
