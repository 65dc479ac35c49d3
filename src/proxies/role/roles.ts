import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { isUniqueViolation } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { LEGAL_KINDS, NAMESPACE, type Power, ROLE_CODE, type Role, roleDefinition, type RoleDefinition, type RoleState } from './role.ts'
import { findRole, listNamespaces, listRoles, type Namespace, publishDraft, retirePublished, saveDraft, saveNamespace } from './role.store.ts'

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
  /** @throws {Problem} proxies/role-not-found when there is no draft. */
  publish(role: RoleName, actor: AuditActor): Promise<number>
  /** Nothing new is granted by it; what was granted runs on. @throws {Problem} proxies/role-not-found */
  retire(role: RoleName, actor: AuditActor): Promise<number>
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

  async function change(name: RoleName, type: 'published' | 'retired', actor: AuditActor): Promise<number> {
    return db.transaction(async (tx) => {
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
      if (!read.success || !ROLE_CODE.test(code) || !holdsTogether(read.data)) throw new Problem(PROXIES_PROBLEMS.roleInvalid)
      return db.transaction(async (tx) => {
        const version = await saveDraft(tx, { namespace, code }, read.data, clock.now()).catch((cause: unknown) => {
          // Two drafts begun at once: the other one stands.
          throw isUniqueViolation(cause) ? new Problem(PROXIES_PROBLEMS.roleInvalid, { cause }) : cause
        })
        await audit.record(tx, { type: 'proxies/role-drafted', actor, data: { namespace, role: code, version } })
        return version
      })
    },
    publish: (name, actor) => change(name, 'published', actor),
    retire: (name, actor) => change(name, 'retired', actor),
  }
}

/**
 * Grants are signed by a fresh proof of who somebody is, which is a simple signature: a power that asks for more is not published before
 * this can be given. Help at a counter lasts a day at most and goes to organisations; what a court or the law gives is passed on to
 * nobody.
 */
function holdsTogether({ kinds, delegateKinds, longestDays, subDepth, signature }: RoleDefinition): boolean {
  if (signature !== 'simples') return false
  if (kinds.includes('assistencia') && (kinds.length > 1 || longestDays > 1 || delegateKinds.some((kind) => kind !== 'organisation'))) return false
  if (delegateKinds.includes('organisation') && !kinds.includes('assistencia')) return false
  return subDepth === 0 || !kinds.some((kind) => LEGAL_KINDS.includes(kind))
}
