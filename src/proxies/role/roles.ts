import { isDeepStrictEqual } from 'node:util'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { isUniqueViolation } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { LEGAL_KINDS, type MandateKind, NAMESPACE, type Power, ROLE_CODE, type Role, roleDefinition, type RoleDefinition, type RoleState } from './role.ts'
import { deleteDraft, findRole, listNamespaces, listRoles, listVersions, lockDraft, type Namespace, publishDraft, retirePublished, saveDraft, saveNamespace } from './role.store.ts'

/** What citizens give by themselves. */
const SIGNED_KINDS: readonly MandateKind[] = ['procuracao', 'advocaticia']

type RoleName = Pick<Power, 'namespace' | 'code'>

/** The catalogue of powers. Who may manage which namespace is judged where the caller is known. */
export interface Roles {
  namespaces(): Promise<Namespace[]>
  addNamespace(namespace: Namespace, actor: AuditActor): Promise<void>
  /** Published roles, those that are hidden from the picker left out unless asked for. */
  list(filter?: { namespace?: string | undefined; states?: readonly RoleState[] | undefined; hidden?: boolean }): Promise<Role[]>
  find(power: Power): Promise<Role | undefined>
  /** Published versions of these powers, exactly as they were shown. @throws {Problem} proxies/role-not-found, proxies/role-changed */
  getPublished(sql: Sql, powers: readonly Power[]): Promise<Role[]>
  /** Writes the draft; returns its version. @throws {Problem} proxies/role-invalid */
  draft(role: RoleName & { definition: unknown }, actor: AuditActor): Promise<number>
  /**
   * By an operator, only of a draft that somebody else wrote; with `seen` only if it still says exactly that.
   * @throws {Problem} proxies/role-not-found when there is no draft, proxies/second-person-needed, proxies/role-changed
   */
  publish(role: RoleName, actor: AuditActor, seen?: unknown): Promise<number>
  /** Nothing new is granted by it; what was granted runs on. @throws {Problem} proxies/role-not-found */
  retire(role: RoleName, actor: AuditActor): Promise<number>
  /** Throws a draft away. @throws {Problem} proxies/role-not-found when there is none. */
  discard(role: RoleName, actor: AuditActor): Promise<void>
  /** Every version, the newest first, with how many open mandates rest on it. */
  history(role: RoleName): Promise<{ role: Role; mandates: number }[]>
}

export function createRoles({ db, clock, audit }: { db: Database; clock: Clock; audit: Pick<Audit, 'record'> }): Roles {
  /** A version that is published never changes, so what it says is kept for good. */
  const kept = new Map<string, Role>()

  async function find(power: Power, sql: Sql = db): Promise<Role | undefined> {
    const key = `${power.namespace}:${power.code}:${power.version}`
    const known = kept.get(key)
    if (known) return known
    const role = await findRole(sql, power)
    if (role && role.state !== 'draft' && kept.size < 10_000) kept.set(key, role)
    return role
  }

  async function change(name: RoleName, type: 'published' | 'retired', actor: AuditActor, seen?: unknown): Promise<number> {
    return db.transaction(async (tx) => {
      if (type === 'published') checkDraft(await lockDraft(tx, name), actor, seen)
      const version = await (type === 'published' ? publishDraft : retirePublished)(tx, name, clock.now())
      if (version === undefined) throw new Problem(PROXIES_PROBLEMS.roleNotFound)
      await audit.record(tx, { type: `proxies/role-${type}`, actor, data: { namespace: name.namespace, role: name.code, version } })
      return version
    })
  }

  return {
    namespaces: () => listNamespaces(db),
    async addNamespace(namespace, actor) {
      if (!NAMESPACE.test(namespace.code)) throw new Problem(PROXIES_PROBLEMS.roleInvalid)
      await db.transaction(async (tx) => {
        await saveNamespace(tx, namespace, clock.now())
        await audit.record(tx, { type: 'proxies/namespace-assigned', actor, clientId: namespace.clientId, data: { namespace: namespace.code } })
      })
    },
    async list({ namespace, states = ['published' as const], hidden = false } = {}) {
      return (await listRoles(db, { namespace, states })).filter(({ definition }) => hidden || !definition.hidden)
    },
    find: (power) => find(power),
    async getPublished(sql, powers) {
      const roles: Role[] = []
      for (const power of powers) {
        // Not from what is kept: it may have been retired since.
        const role = await findRole(sql, power)
        if (role === undefined || role.state === 'draft') throw new Problem(PROXIES_PROBLEMS.roleNotFound)
        if (role.state !== 'published') throw new Problem(PROXIES_PROBLEMS.roleChanged)
        roles.push(role)
      }
      return roles
    },
    async draft({ namespace, code, definition }, actor) {
      const read = roleDefinition.safeParse(definition)
      if (!read.success || !ROLE_CODE.test(code) || code.length > 64) throw new Problem(PROXIES_PROBLEMS.roleInvalid)
      const fault = findRoleFault(read.data)
      if (fault !== undefined) throw new Problem(PROXIES_PROBLEMS.roleInvalid, { detail: fault })
      return db.transaction(async (tx) => {
        const version = await saveDraft(tx, { namespace, code }, read.data, { by: actor.id ?? actor.kind, at: clock.now() }).catch((cause: unknown) => {
          // Two drafts begun at once: the other one stands.
          throw isUniqueViolation(cause) ? new Problem(PROXIES_PROBLEMS.roleInvalid, { cause }) : cause
        })
        await audit.record(tx, { type: 'proxies/role-drafted', actor, data: { namespace, role: code, version } })
        return version
      })
    },
    publish: (name, actor, seen) => change(name, 'published', actor, seen),
    retire: (name, actor) => change(name, 'retired', actor),
    discard: (name, actor) =>
      db.transaction(async (tx) => {
        const version = await deleteDraft(tx, name)
        if (version === undefined) throw new Problem(PROXIES_PROBLEMS.roleNotFound)
        await audit.record(tx, { type: 'proxies/role-discarded', actor, data: { namespace: name.namespace, role: name.code, version } })
      }),
    history: (name) => listVersions(db, name),
  }
}

/** Who publishes has read what another wrote. @throws {Problem} proxies/second-person-needed, proxies/role-changed */
function checkDraft(draft: Role | undefined, actor: AuditActor, seen: unknown): void {
  if (draft && actor.kind === 'operator' && draft.draftedBy === actor.id) throw new Problem(PROXIES_PROBLEMS.secondPerson)
  if (draft && seen !== undefined && !isDeepStrictEqual(draft.definition, seen)) throw new Problem(PROXIES_PROBLEMS.roleChanged)
}

/**
 * Only who gives a power themselves signs for it: what an agency enters, or what is given at a counter, cannot ask for an advanced
 * signature. Help at a counter lasts a day at most and goes to organisations; what a court or the law gives is passed on to nobody.
 */
export function findRoleFault({ kinds, delegateKinds, longestDays, subDepth, signature }: RoleDefinition): 'signature' | 'help' | 'organisation' | 'subDepth' | undefined {
  if (signature === 'avancada' && !kinds.every((kind) => SIGNED_KINDS.includes(kind))) return 'signature'
  if (kinds.includes('assistencia') && (kinds.length > 1 || longestDays > 1 || delegateKinds.some((kind) => kind !== 'organisation'))) return 'help'
  if (delegateKinds.includes('organisation') && !kinds.includes('assistencia')) return 'organisation'
  return subDepth > 0 && kinds.some((kind) => LEGAL_KINDS.includes(kind)) ? 'subDepth' : undefined
}
