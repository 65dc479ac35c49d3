import { randomUUID } from 'node:crypto'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import { findMandate } from '../mandate/mandate.store.ts'
import { type Acting, type Actor, actorDocuments, checkGiver, checkUnchanged, getActor, isActor } from '../party/actor.ts'
import { findPartyById } from '../party/party.store.ts'
import { type Party, type PartyRef, rootOf } from '../party/party.ts'
import { keepParty, lookUpParty, lookUpSigner, type RegisteredParty } from '../party/registers.ts'
import type { ProxyNotice } from '../ports.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { type Power, powerName } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import {
  addApproval,
  addRefusal,
  closeAct,
  countGroupApprovals,
  countRegisterApprovals,
  findAct,
  insertAct,
  listActs,
  listDueActs,
  listOpenActs,
  listVotes,
  lockAct,
  purgeActs,
} from './act.store.ts'
import { type Act, type ActOutcome, type ActState, actStateOf, isOpenAct, type Vote } from './act.ts'
import { type ActGroups, createActGroups, type Member } from './act-group.ts'
import type { Decide } from './decide.ts'

/** An act waits a week for those who must approve it. */
const OPEN_MS = 7 * 86_400_000
/** Of one group at once: more are a flood. */
const MOST_OPEN = 20
const MOST_SHOWN = 100
/** How long it can be seen what became of an act. */
const KEPT_MS = 365 * 86_400_000
const BATCH = 200

/** How far an act has come. */
export interface ActProgress {
  readonly act: Act
  readonly state: ActState
  readonly represented: Party
  /** Of people who may still give them. */
  readonly approvals: number
  /** How many there are who may approve. */
  readonly members: number
  readonly votes: readonly Vote[]
}

/** An act as somebody sees it who is of its group, or in whose name it is done. */
export interface OwnAct extends ActProgress {
  readonly isMember: boolean
  /** What they have said. */
  readonly mine: Vote['word'] | undefined
}

export interface ActAsked {
  /** Who begins it, at the relying party. */
  readonly actor: PartyRef
  readonly represented: PartyRef
  readonly role: Pick<Power, 'namespace' | 'code'>
  readonly service?: string | undefined
  readonly instance?: string | undefined
  /** What exactly is to be done: this is what the others approve. */
  readonly about: string
}

/** A relying party with the namespaces that are its. */
export interface ActClient {
  readonly id: string
  readonly namespaces: readonly string[]
}

/** Acts that several people must approve, one by one: signing in alone gives nobody a joint power. */
export interface Acts {
  /**
   * Opens an act for somebody of the group; nothing is approved by it. The same act asked again is the one that is open.
   * @throws {Problem} proxies/act-not-open when the power is not joint, or not held; proxies/too-many-requests
   */
  open(client: ActClient, asked: ActAsked): Promise<ActProgress>
  /** Of the client's own namespaces and opened by it. @throws {Problem} proxies/mandate-not-found */
  find(client: ActClient, actId: string): Promise<ActProgress>
  /** @throws {Problem} proxies/mandate-not-found, proxies/act-not-open */
  withdraw(client: ActClient, actId: string): Promise<ActProgress>
  /**
   * Says yes, as freshly proved as a signature.
   * @throws {Problem} proxies/mandate-not-found for whoever is not of the group, proxies/act-not-open, and as a grant does
   */
  approve(by: Acting, actId: string): Promise<OwnAct>
  /** Says no, or takes a yes back; ends the act when the others can no longer be enough. */
  refuse(by: Acting, actId: string): Promise<OwnAct>
  get(by: Acting, actId: string): Promise<OwnAct>
  /** Acts that wait for the caller or are done in the caller's name, open ones first. */
  list(by: Acting): Promise<OwnAct[]>
  /** Ends what nobody decided in time and forgets what ended a year ago; for a job. */
  sweep(): Promise<number>
}

export interface ActsDependencies {
  readonly core: Core
  readonly roles: Roles
  readonly decide: Decide
}

export function createActs({ core, roles, decide }: ActsDependencies): Acts {
  const { db, clock } = core.platform
  const groups = createActGroups(core, roles)
  const progressOf = createProgress(core, groups)
  const open = createOpen({ core, groups, decide, roles })

  async function see(by: Acting, act: Act | undefined): Promise<{ act: Act; actor: Actor; member: Member | undefined; own: OwnAct }> {
    const actor = await getActor(core, by)
    const member = act && (await groups.find(actor, act))
    const progress = act && (await progressOf(act))
    if (!act || !progress || (!member && !isActor(actor, progress.represented))) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    const own = member?.company?.document ?? actor.facts.cpf
    return {
      act,
      actor,
      member,
      own: { ...progress, isMember: member !== undefined, mine: progress.votes.find(({ party }) => party.document === own)?.word },
    }
  }

  async function say(by: Acting, actId: string, word: Vote['word']): Promise<OwnAct> {
    const { act, actor, member } = await see(by, await findAct(db, actId))
    if (!member) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    // Whoever binds a company only together with others says nothing in its name alone.
    if (member.company && (actor.company?.quorum ?? 1) > 1) throw new Problem(PROXIES_PROBLEMS.companyUnknown)
    if (word === 'approved') await checkGiver(core, by, actor, await groups.levelFor(act))
    const hand = await lookUpSigner(core, actor.facts.cpf)
    await db.transaction(async (tx) => {
      await checkUnchanged(tx, actor)
      const locked = await lockAct(tx, act.id)
      if (!locked || !isOpenAct(locked, clock.now())) throw new Problem(PROXIES_PROBLEMS.actPending)
      await write(core, tx, { act: locked, word, member, hand, accountId: actor.facts.accountId })
    })
    await settle(core, groups, progressOf, act)
    return (await see(by, await findAct(db, actId))).own
  }

  async function ofClient({ id, namespaces }: ActClient, actId: string): Promise<Act> {
    const act = await findAct(db, actId)
    if (!act || act.clientId !== id || !namespaces.includes(act.namespace)) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    return act
  }

  return {
    open: async (client, asked) => progressOf(await open(client, asked)),
    find: async (client, actId) => progressOf(await ofClient(client, actId)),
    async withdraw(client, actId) {
      const parties = [{ id: (await ofClient(client, actId)).representedId }]
      const actor = { kind: 'client', id: client.id } as const
      const ended = await db.transaction((tx) => end(core, tx, { actId, outcome: 'withdrawn', actor, parties, clientId: client.id }))
      if (!ended) throw new Problem(PROXIES_PROBLEMS.actPending)
      return progressOf(await ofClient(client, actId))
    },
    approve: (by, actId) => say(by, actId, 'approved'),
    refuse: (by, actId) => say(by, actId, 'refused'),
    get: async (by, actId) => (await see(by, await findAct(db, actId))).own,
    async list(by) {
      const actor = await getActor(core, by)
      const acts = await listActs(db, { groupKeys: await groups.keysOf(actor), documents: actorDocuments(actor) }, MOST_SHOWN)
      return Promise.all(acts.map(async (act) => (await see(by, act)).own))
    },
    async sweep() {
      let ended = 0
      for (const act of await listDueActs(db, clock.now(), BATCH)) {
        if (await db.transaction((tx) => expire(core, tx, act))) ended += 1
      }
      await db.transaction((tx) => purgeActs(tx, new Date(clock.now().getTime() - KEPT_MS)))
      return ended
    },
  }
}

type Progress = (act: Act) => Promise<ActProgress>

function createProgress(core: Core, groups: ActGroups): Progress {
  const { db, clock } = core.platform
  return async (act) => {
    const now = clock.now()
    const [kind = '', id = ''] = act.groupKey.split(':')
    const represented = await findPartyById(db, act.representedId)
    if (!represented) throw new Error('a party went away')
    const approvals = kind === 'group' ? await countGroupApprovals(db, act.id, id, now, dayOf(now)) : await countRegisterApprovals(db, act.id, id)
    return {
      act,
      represented,
      approvals,
      state: actStateOf(act, approvals, now),
      members: await groups.count(act),
      votes: await listVotes(db, act.id),
    }
  }
}

function createOpen({ core, groups, decide, roles }: ActsDependencies & { groups: ActGroups }): (client: ActClient, asked: ActAsked) => Promise<Act> {
  const { db, clock } = core.platform
  return async ({ id: clientId, namespaces }, { actor, represented, role, service, instance, about }) => {
    if (!namespaces.includes(role.namespace)) throw new Problem(PROXIES_PROBLEMS.namespaceForeign)
    const hand = actor.kind === 'person' ? await lookUpSigner(core, actor.cpf) : await lookUpParty(core, actor)
    const { reason, mandateId, obligations } = await decide({ actor, represented, role, service, instance })
    if (!hand || reason !== 'quorum' || obligations.joint === undefined) throw new Problem(PROXIES_PROBLEMS.actPending)
    const mandate = mandateId && (await findMandate(db, mandateId))
    const groupKey = mandate?.joint ? `group:${mandate.joint.groupId}` : represented.kind === 'company' ? `register:${rootOf(represented.cnpj)}` : undefined
    const registered = await lookUpParty(core, represented)
    if (groupKey === undefined || registered === undefined) throw new Problem(PROXIES_PROBLEMS.actPending)
    const named = mandate ? mandate.powers : await roles.list({ namespace: role.namespace, hidden: true })
    const { quorum } = obligations.joint
    return db.transaction(async (tx) => {
      const party = mandate?.represented ?? (await keepParty(core, tx, registered))
      const opener = await keepParty(core, tx, hand)
      const openedAt = clock.now()
      const act: Act = {
        id: randomUUID(),
        representedId: party.id,
        groupKey,
        quorum,
        ...role,
        version: named.find(({ code }) => code === role.code)?.version,
        service,
        instance,
        about,
        clientId,
        openedBy: opener.id,
        openedAt,
        expiresAt: new Date(openedAt.getTime() + OPEN_MS),
        usedAt: undefined,
        closed: undefined,
      }
      const waiting = await listOpenActs(tx, act, openedAt)
      const same = waiting.find((one) => isSameAct(one, act))
      if (same) return same
      if (waiting.length >= MOST_OPEN) throw new Problem(PROXIES_PROBLEMS.tooManyRequests, { detail: 'acts' })
      await insertAct(tx, act)
      await recordFor(core, tx, {
        type: 'proxies/act-opened',
        actor: { kind: 'client', id: clientId },
        clientId,
        parties: [party, opener],
        data: { actId: act.id, power: powerName(role) },
      })
      for (const member of await groups.toTell(tx, act, party)) await tell(core, tx, member, 'to-approve', opener, party)
      return act
    })
  }
}

function isSameAct(one: Act, other: Act): boolean {
  return (['clientId', 'openedBy', 'namespace', 'code', 'version', 'service', 'instance', 'about'] as const).every((name) => one[name] === other[name])
}

function tell(core: Core, tx: Sql, to: Pick<Party, 'id'>, notice: ProxyNotice, opener: Pick<Party, 'name'>, represented: Pick<Party, 'name'>): Promise<void> {
  return tellParty(core, tx, to, { notice, everywhere: false, params: { delegate: opener.name, represented: represented.name, until: '' } })
}

interface Said {
  readonly act: Act
  readonly word: Vote['word']
  readonly member: Member
  readonly hand: RegisteredParty
  readonly accountId: string
}

async function write(core: Core, tx: Sql, { act, word, member, hand, accountId }: Said): Promise<void> {
  const now = core.platform.clock.now()
  const person = await keepParty(core, tx, hand)
  const party = member.company ?? person
  const common = { actor: { kind: 'citizen', id: accountId } as const, parties: [{ id: act.representedId }, person] }
  if (word === 'refused') {
    await addRefusal(tx, act.id, party.id, now)
    return void (await recordFor(core, tx, { type: 'proxies/act-refused', ...common, data: { actId: act.id } }))
  }
  const approvals = await addApproval(tx, act.id, party.id, now)
  await recordFor(core, tx, { type: 'proxies/act-approved', ...common, data: { actId: act.id, approvals } })
}

/** What a word leads to: enough have said yes, or no longer can. */
async function settle(core: Core, groups: ActGroups, progressOf: Progress, { id }: Act): Promise<void> {
  const { db } = core.platform
  const act = await findAct(db, id)
  if (!act) return
  const { state, members, votes, represented } = await progressOf(act)
  const refusals = votes.filter(({ word }) => word === 'refused').length
  const opener = (act.openedBy && (await findPartyById(db, act.openedBy))) || represented
  await db.transaction(async (tx) => {
    if (state === 'open' && members - refusals < act.quorum) {
      const ended = await end(core, tx, { actId: id, outcome: 'refused', actor: { kind: 'system' }, parties: [represented, opener] })
      if (ended) for (const member of await groups.toTell(tx, act, represented)) await tell(core, tx, member, 'act-refused', opener, represented)
    }
    if (state === 'approved' && votes.at(-1)?.word === 'approved') await tell(core, tx, opener, 'act-ready', opener, represented)
  })
}

async function expire(core: Core, tx: Sql, { id: actId, representedId, openedBy = representedId }: Act): Promise<boolean> {
  const [represented, opener] = [await findPartyById(tx, representedId), await findPartyById(tx, openedBy)]
  if (!represented || !opener) throw new Error('a party went away')
  if (!(await end(core, tx, { actId, outcome: 'expired', actor: { kind: 'system' }, parties: [represented, opener] }))) return false
  await tell(core, tx, opener, 'act-refused', opener, represented)
  return true
}

interface Ended {
  readonly actId: string
  readonly outcome: ActOutcome
  readonly actor: AuditActor
  readonly parties: readonly Pick<Party, 'id'>[]
  readonly clientId?: string
}

async function end(core: Core, tx: Sql, { actId, outcome, actor, parties, clientId }: Ended): Promise<boolean> {
  if (!(await closeAct(tx, actId, outcome, core.platform.clock.now()))) return false
  await recordFor(core, tx, { type: 'proxies/act-ended', actor, parties, clientId, data: { actId, outcome } })
  return true
}
