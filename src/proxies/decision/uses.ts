import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import { dayOf, endOfDay, addDays } from '../mandate/day.ts'
import type { MandateId } from '../mandate/mandate.ts'
import { findMandate } from '../mandate/mandate.store.ts'
import type { Mandates } from '../mandate/mandates.ts'
import { type Acting, actorDocuments, getActor } from '../party/actor.ts'
import { documentOf, type Party, type PartyRef, refOf } from '../party/party.ts'
import { findParty } from '../party/party.store.ts'
import { keepParty, lookUpParty } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { powerName } from '../role/role.ts'
import { useAct } from './act.store.ts'
import type { Decide, Decision, DecisionAsk } from './decide.ts'
import { insertUse, listUsesFor, listUsesOf, type Use, wasUsedSince } from './use.store.ts'

export interface RecordedUse {
  readonly decision: Decision
  /** Absent when the decision denies: nothing was used. */
  readonly useId: number | undefined
}

export interface UseOptions {
  /** Who acted for an organisation, as the agency names them; kept sealed. */
  readonly official?: string | undefined
  readonly also?: (tx: Sql, decision: Decision) => Promise<void>
}

/** Uses of powers: each is decided and written in one transaction, and the represented sees it at once. */
export interface Uses {
  /** Decides once more and writes the use; a revocation comes wholly before it or wholly after. `also` runs in the same transaction. */
  record(ask: DecisionAsk, clientId: string, options?: UseOptions): Promise<RecordedUse>
  /** Of one mandate and what was passed on of it. @throws {Problem} proxies/mandate-not-found */
  listOf(by: Acting, id: MandateId): Promise<Use[]>
  /** The same for machines of ours, without asking who wants to know. */
  listOfMandate(id: MandateId): Promise<Use[]>
  /** In the caller's name, by whomever. */
  listFor(by: Acting): Promise<Use[]>
}

const MOST = 200

export function createUses({ core, decide, mandates }: { core: Core; decide: Decide; mandates: Pick<Mandates, 'get'> }): Uses {
  const { db, clock } = core.platform

  return {
    async record(ask, clientId, { official, also } = {}) {
      const seen = await decide(ask)
      if (!seen.permit || seen.reason === 'self') return { decision: seen, useId: undefined }
      const parties = { actor: await partyOf(core, ask.actor), represented: await partyOf(core, ask.represented) }
      return db.transaction(async (tx) => {
        // What the register says was judged a moment ago and cannot be held; a mandate is, with its whole tree.
        const decision = seen.mandateId === undefined ? seen : await holdAndDecide(decide, ask, seen, tx)
        if (!decision.permit) return { decision, useId: undefined }
        const { joint } = decision.obligations
        const done = { quorum: joint?.quorum ?? 0, clientId, at: clock.now() }
        if (ask.actId !== undefined && joint && !(await useAct(tx, ask.actId, done))) throw new Problem(PROXIES_PROBLEMS.actPending)
        const useId = await write(core, tx, { ask, clientId, decision, parties, official })
        await also?.(tx, decision)
        return { decision, useId }
      })
    },
    listOf: async (by, id) => listUsesOf(db, (await mandates.get(by, id)).id, MOST),
    listOfMandate: (id) => listUsesOf(db, id, MOST),
    listFor: async (by) => listUsesFor(db, actorDocuments(await getActor(core, by)), MOST),
  }
}

/** Of a mandate that a company holds, the company is the delegate whose mandates are held; the person's place in it was judged before. */
async function holdAndDecide(decide: Decide, ask: DecisionAsk, seen: Decision, tx: Sql): Promise<Decision> {
  const mandate = seen.mandateId && (await findMandate(tx, seen.mandateId))
  if (!mandate) return seen
  const actor: PartyRef = mandate.delegate.kind === 'company' ? refOf(mandate.delegate) : ask.actor
  return decide({ ...ask, actor }, tx)
}

async function partyOf(core: Core, ref: PartyRef): Promise<Party> {
  const { db } = core.platform
  const known = await findParty(db, documentOf(ref))
  if (known) return known
  const found = await lookUpParty(core, ref)
  if (!found) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
  return keepParty(core, db, found)
}

interface Written {
  readonly ask: DecisionAsk
  readonly clientId: string
  readonly decision: Decision
  readonly parties: { readonly actor: Party; readonly represented: Party }
  readonly official: string | undefined
}

async function write(core: Core, tx: Sql, { ask, clientId, decision, parties, official }: Written): Promise<number> {
  const now = core.platform.clock.now()
  const { actor, represented } = parties
  const use = {
    mandateId: decision.mandateId, representedId: represented.id, actorId: actor.id, clientId, namespace: ask.role.namespace, code: ask.role.code,
    service: ask.service, at: now,
    officialSealed: official === undefined ? undefined : core.platform.keyring.seal(official, `mandate-use:${represented.id}`),
  }
  const midnight = endOfDay(addDays(dayOf(now), -1))
  const isFirst = !(await wasUsedSince(tx, use, midnight))
  const useId = await insertUse(tx, use)
  await recordFor(core, tx, {
    type: 'proxies/used', actor: { kind: 'client', id: clientId }, clientId, parties: [represented, actor],
    data: { useId, ...(decision.mandateId && { mandateId: decision.mandateId }), power: powerName(ask.role), ...(ask.service && { service: ask.service }) },
  })
  // Help at a counter is told each time, whatever else was told today.
  if (isFirst || decision.kind === 'assistencia') {
    await tellParty(core, tx, represented, { notice: 'used', everywhere: false, params: { delegate: actor.name, represented: represented.name, until: '' } })
  }
  return useId
}
