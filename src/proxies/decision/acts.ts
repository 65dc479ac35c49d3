import { randomUUID } from 'node:crypto'
import { isLevelAtLeast } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import { findMandate, listGroup } from '../mandate/mandate.store.ts'
import { type Acting, getActor, personRef } from '../party/actor.ts'
import { type Party, type PartyRef, rootOf } from '../party/party.ts'
import { keepParty, lookUpParty, lookUpSigner, type RegisteredParty } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Power } from '../role/role.ts'
import { type Act, addApproval, countGroupApprovals, countRegisterApprovals, findAct, insertAct, lockAct } from './act.store.ts'
import type { Decide } from './decide.ts'

/** An act waits a week for those who must approve it. */
const OPEN_MS = 7 * 86_400_000

/** How far an act has come. */
export interface ActProgress {
  readonly act: Act
  readonly approvals: number
}

/** Acts that several people must approve, one by one: signing in alone gives nobody a joint power. */
export interface Acts {
  /** Opens an act and approves it as the first. @throws {Problem} proxies/act-not-open when the power is not joint, or not held. */
  open(by: Acting, asked: { represented: PartyRef; role: Pick<Power, 'namespace' | 'code'>; service?: string | undefined; instance?: string | undefined }): Promise<ActProgress>
  /** @throws {Problem} proxies/mandate-not-found for whoever is not of the group, proxies/act-not-open, proxies/level-needed */
  approve(by: Acting, actId: string): Promise<ActProgress>
  /** For whoever may approve it. @throws {Problem} as `approve` does */
  get(by: Acting, actId: string): Promise<ActProgress>
}

export function createActs({ core, decide }: { core: Core; decide: Decide }): Acts {
  const { db, clock } = core.platform

  /** An act of a group that somebody is of now, at the level that a delegate needs. */
  async function getOwn(by: Acting, actId: string): Promise<{ act: Act; hand: RegisteredParty; accountId: string }> {
    const { facts } = await getActor(core, { accountId: by.accountId, sessionId: by.sessionId })
    const act = await findAct(db, actId)
    if (!act || !(await isOfGroup(act, facts.cpf))) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    if (!isLevelAtLeast(await core.assurance.levelOf(facts.accountId), 'prata')) throw new Problem(PROXIES_PROBLEMS.levelNeeded, { detail: 'prata' })
    return { act, hand: await lookUpSigner(core, facts.cpf), accountId: facts.accountId }
  }

  async function isOfGroup({ groupKey }: Act, cpf: string): Promise<boolean> {
    const [kind = '', id = ''] = groupKey.split(':')
    if (kind === 'group') return (await listGroup(db, id)).some(({ state, delegate }) => state === 'active' && delegate.document === cpf)
    const company = await core.companies.find(rootOf(id))
    return company?.standing === 'regular' && company.administrators.some((one) => one === cpf)
  }

  async function progressOf(act: Act): Promise<ActProgress> {
    const now = clock.now()
    const [kind = '', id = ''] = act.groupKey.split(':')
    const approvals = kind === 'group' ? await countGroupApprovals(db, act.id, id, now, dayOf(now)) : await countRegisterApprovals(db, act.id, id)
    return { act, approvals }
  }

  async function approve(by: Acting, actId: string): Promise<ActProgress> {
    const { act, hand, accountId } = await getOwn(by, actId)
    await db.transaction(async (tx) => {
      const now = clock.now()
      const open = await lockAct(tx, act.id)
      if (!open || open.usedAt !== undefined || open.expiresAt <= now) throw new Problem(PROXIES_PROBLEMS.actPending)
      const party = await keepParty(core, tx, hand)
      const approvals = await addApproval(tx, act.id, party.id, now)
      await recordFor(core, tx, {
        type: 'proxies/act-approved', actor: { kind: 'citizen', id: accountId }, parties: [{ id: act.representedId }, party],
        data: { actId: act.id, approvals },
      })
    })
    return progressOf(act)
  }

  return {
    approve,
    async open(by, asked) {
      const { facts } = await getActor(core, { accountId: by.accountId, sessionId: by.sessionId })
      await lookUpSigner(core, facts.cpf)
      const { represented, role, service, instance } = asked
      const { reason, mandateId, obligations } = await decide({ actor: personRef(facts.cpf), represented, role, service, instance })
      if (reason !== 'quorum' || obligations.joint === undefined) throw new Problem(PROXIES_PROBLEMS.actPending)
      const mandate = mandateId && (await findMandate(db, mandateId))
      const groupKey = mandate?.joint ? `group:${mandate.joint.groupId}` : represented.kind === 'company' ? `register:${rootOf(represented.cnpj)}` : undefined
      const registered = await lookUpParty(core, represented)
      if (groupKey === undefined || registered === undefined) throw new Problem(PROXIES_PROBLEMS.actPending)
      const openedAt = clock.now()
      const { quorum } = obligations.joint
      const id = randomUUID()
      await db.transaction(async (tx) => {
        const party = mandate?.represented ?? (await keepParty(core, tx, registered))
        const act = { id, representedId: party.id, groupKey, quorum, namespace: role.namespace, code: role.code, service, instance, openedAt, usedAt: undefined }
        await insertAct(tx, { ...act, expiresAt: new Date(openedAt.getTime() + OPEN_MS) })
        await tellGroup(core, tx, { mandateGroup: mandate?.joint?.groupId, represented: party })
      })
      return approve(by, id)
    },
    get: async (by, actId) => progressOf((await getOwn(by, actId)).act),
  }
}

/** Whoever else must approve hears that something waits. */
async function tellGroup(core: Core, tx: Sql, { mandateGroup, represented }: { mandateGroup: string | undefined; represented: Pick<Party, 'id' | 'name'> }): Promise<void> {
  const params = { delegate: '', represented: represented.name, until: '' }
  const members = mandateGroup === undefined ? [represented] : (await listGroup(tx, mandateGroup)).map(({ delegate }) => delegate)
  for (const member of members) await tellParty(core, tx, member, { notice: 'to-approve', everywhere: false, params })
}
