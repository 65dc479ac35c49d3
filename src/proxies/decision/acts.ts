import { Problem } from '../../platform/problem.ts'
import type { Core } from '../core.ts'
import { type Acting, type Actor, actorDocuments, checkGiver, checkUnchanged, getActor, isActor } from '../party/actor.ts'
import { lookUpSigner } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Roles } from '../role/roles.ts'
import { type Act, isOpenAct, type Vote } from './act.ts'
import { createActGroups, type Member } from './act-group.ts'
import { type ActAsked, type ActClient, createOpen } from './act-open.ts'
import { type ActProgress, createProgress } from './act-progress.ts'
import { end, expire, settle, write } from './act-steps.ts'
import { findAct, listActs, listDueActs, lockAct, purgeActs } from './act.store.ts'
import type { Decide } from './decide.ts'

const MOST_SHOWN = 100
/** How long it can be seen what became of an act. */
const KEPT_MS = 365 * 86_400_000
const BATCH = 200

/** An act as somebody sees it who is of its group, or in whose name it is done. */
export interface OwnAct extends ActProgress {
  readonly isMember: boolean
  /** What they have said. */
  readonly mine: Vote['word'] | undefined
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
  list(by: Acting, filter?: { open: boolean }): Promise<OwnAct[]>
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
    async list(by, { open: onlyOpen } = { open: false }) {
      const actor = await getActor(core, by)
      const acts = await listActs(db, { groupKeys: await groups.keysOf(actor), documents: actorDocuments(actor) }, MOST_SHOWN)
      const now = clock.now()
      return Promise.all(acts.filter((act) => !onlyOpen || isOpenAct(act, now)).map(async (act) => (await see(by, act)).own))
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
