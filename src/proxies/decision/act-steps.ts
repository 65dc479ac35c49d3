import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import type { Party } from '../party/party.ts'
import { findPartyById } from '../party/party.store.ts'
import { keepParty, type RegisteredParty } from '../party/registers.ts'
import type { ProxyNotice } from '../ports.ts'
import type { Act, ActOutcome, Vote } from './act.ts'
import type { ActGroups, Member } from './act-group.ts'
import type { Progress } from './act-progress.ts'
import { addApproval, addRefusal, closeAct, findAct } from './act.store.ts'

export function tell(core: Core, tx: Sql, to: Pick<Party, 'id'>, notice: ProxyNotice, opener: Pick<Party, 'name'>, represented: Pick<Party, 'name'>): Promise<void> {
  return tellParty(core, tx, to, { notice, everywhere: false, params: { delegate: opener.name, represented: represented.name, until: '' } })
}

export interface Said {
  readonly act: Act
  readonly word: Vote['word']
  readonly member: Member
  readonly hand: RegisteredParty
  readonly accountId: string
}

/** Writes down what a member said. */
export async function write(core: Core, tx: Sql, { act, word, member, hand, accountId }: Said): Promise<void> {
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
export async function settle(core: Core, groups: ActGroups, progressOf: Progress, { id }: Act): Promise<void> {
  const { db } = core.platform
  const act = await findAct(db, id)
  if (!act) return
  const { state, members, refusals, votes, represented } = await progressOf(act)
  const opener = (act.openedBy && (await findPartyById(db, act.openedBy))) || represented
  await db.transaction(async (tx) => {
    if (state === 'open' && members - refusals < act.quorum) {
      const ended = await end(core, tx, { actId: id, outcome: 'refused', actor: { kind: 'system' }, parties: [represented, opener] })
      if (ended) for (const member of await groups.toTell(tx, act, represented)) await tell(core, tx, member, 'act-refused', opener, represented)
    }
    if (state === 'approved' && votes.at(-1)?.word === 'approved') await tell(core, tx, opener, 'act-ready', opener, represented)
  })
}

/** Ends what nobody decided in time, and tells who began it. */
export async function expire(core: Core, tx: Sql, { id: actId, representedId, openedBy = representedId }: Act): Promise<boolean> {
  const [represented, opener] = [await findPartyById(tx, representedId), await findPartyById(tx, openedBy)]
  if (!represented || !opener) throw new Error('a party went away')
  if (!(await end(core, tx, { actId, outcome: 'expired', actor: { kind: 'system' }, parties: [represented, opener] }))) return false
  await tell(core, tx, opener, 'act-refused', opener, represented)
  return true
}

export interface Ended {
  readonly actId: string
  readonly outcome: ActOutcome
  readonly actor: AuditActor
  readonly parties: readonly Pick<Party, 'id'>[]
  readonly clientId?: string
}

/** Ends an act that was not done; false when it was, or has ended. */
export async function end(core: Core, tx: Sql, { actId, outcome, actor, parties, clientId }: Ended): Promise<boolean> {
  if (!(await closeAct(tx, actId, outcome, core.platform.clock.now()))) return false
  await recordFor(core, tx, { type: 'proxies/act-ended', actor, parties, clientId, data: { actId, outcome } })
  return true
}
