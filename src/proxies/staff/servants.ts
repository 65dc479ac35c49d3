import { randomUUID } from 'node:crypto'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Core } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import { parseMandateId } from '../mandate/mandate.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { endServant, hasOtherPlace, insertServant, listNamed, listServing, lockPlace, prolongServant } from './servant.store.ts'
import { checkManager } from './team.ts'

/** Somebody whom their agency lets sign as its servant. */
export interface Servant {
  readonly id: string
  readonly namespace: string
  /** Title of the agency. */
  readonly agency: string
  readonly accountId: string
  /** Cargo, as certificates and signatures tell it. */
  readonly post: string
  /** Matrícula: its number in the agency's staff register, digits. */
  readonly register: string
  readonly endsAt: Date
}

/** Who signs as a servant of which agency; worked out anew for each signature. */
export interface Servants {
  /** Named, with a place in the agency, of an active account at prata. */
  servingOf(accountId: string): Promise<Servant[]>
  listOf(namespace: string): Promise<Servant[]>
  /**
   * Lets whoever has this place sign, until their last place ends; another post or number than before ends what there was.
   * @throws {Problem} proxies/namespace-not-yours, proxies/staff-unfit, proxies/not-for-oneself
   */
  name(naming: { namespace: string; placeId: string; post: string; register: string }, by: string): Promise<Servant>
  /** False when it was over. @throws {Problem} proxies/namespace-not-yours */
  end(namespace: string, id: string, by: string): Promise<boolean>
  /** In the transaction that ends a place: nobody without one signs for the agency. */
  placeEnded(tx: Sql, place: { namespace: string; accountId: string }, by: string): Promise<void>
}

export function createServants(core: Core): Servants {
  const { db, clock } = core.platform

  return {
    servingOf: (accountId) => listServing(db, accountId, clock.now()),
    listOf: (namespace) => listNamed(db, namespace, clock.now()),
    name: ({ namespace, placeId, post, register }, by) =>
      db.transaction(async (tx) => {
        const now = clock.now()
        await checkManager(tx, { namespace, accountId: by, now })
        const place = await lockPlace(tx, namespace, placeId, now)
        if (!place) throw new Problem(PROXIES_PROBLEMS.staffUnfit)
        if (place.accountId === by) throw new Problem(PROXIES_PROBLEMS.notForOneself)
        const made = { id: randomUUID(), namespace, post, register, ...place }
        if (!(await prolongServant(tx, made, { by, at: now }))) {
          await endNamed(core, tx, { namespace, whose: { accountId: place.accountId }, by })
          await insertServant(tx, made, { by, at: now })
        }
        const servant = (await listNamed(tx, namespace, now)).find(({ accountId }) => accountId === place.accountId)
        if (!servant) throw new Problem(PROXIES_PROBLEMS.staffUnfit)
        await tell(core, tx, servant, { notice: 'servant-named', by })
        return servant
      }),
    end: (namespace, id, by) =>
      db.transaction(async (tx) => {
        await checkManager(tx, { namespace, accountId: by, now: clock.now() })
        return endNamed(core, tx, { namespace, whose: { id }, by })
      }),
    async placeEnded(tx, { namespace, accountId }, by) {
      if (!(await hasOtherPlace(tx, namespace, accountId, clock.now()))) await endNamed(core, tx, { namespace, whose: { accountId }, by })
    },
  }
}

/** With the certificates that rest on it: the job that looks at them is of the same transaction. */
async function endNamed(core: Core, tx: Sql, { namespace, whose, by }: { namespace: string; whose: { id: string } | { accountId: string }; by: string }): Promise<boolean> {
  const ended = await endServant(tx, namespace, whose, core.platform.clock.now())
  if (!ended) return false
  const id = parseMandateId(ended.id)
  if (id) await core.ports.endRepresentationTokens(tx, id)
  await tell(core, tx, ended, { notice: 'servant-ended', by })
  return true
}

async function tell({ audit, ports }: Core, tx: Sql, { id, namespace, agency, accountId, endsAt }: Servant, { notice, by }: { notice: 'servant-named' | 'servant-ended'; by: string }): Promise<void> {
  const actor: AuditActor = { kind: 'operator', id: by }
  await audit.record(tx, { type: `proxies/${notice}`, actor, subject: accountId, data: { namespace, servantId: id } })
  await ports.notify(tx, { accountId, notice, everywhere: false, params: { represented: agency, until: dayOf(endsAt) } })
}
