import { randomUUID } from 'node:crypto'
import { isLevelAtLeast } from '../../assurance/index.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import { type Day, dayOf } from '../mandate/day.ts'
import type { Mandate } from '../mandate/mandate.ts'
import type { Mandates } from '../mandate/mandates.ts'
import { beyond, checkTerms, levelFor } from '../mandate/terms.ts'
import { type Acting, type Actor, actorDocuments, getActor, isActor } from '../party/actor.ts'
import { type PartyRef, refOf, rootOf } from '../party/party.ts'
import { listAccountsOf } from '../party/party.store.ts'
import { claimTry, confirmParty, keepParty, lookUpParty, type RegisteredParty } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { type Power, wantsAdvanced } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import type { RepresentationRequest } from './request.ts'
import { decideRequest, deleteBlocks, findRequest, insertBlock, insertRequest, listBlocks, listRequests } from './request.store.ts'

const DECIDE_MS = 30 * 86_400_000
const DAY_MS = 86_400_000
const MOST_PER_DAY = 10
/** Whoever is flooded sees no more than these, and hears of no more. */
const MOST_OPEN = 20
/** Of whomever, so that refusing makes no room for the next thousand. */
const MOST_TO_ONE_PER_DAY = 40

export interface RequestTerms {
  readonly represented: { readonly ref: PartyRef; readonly name: string }
  readonly powers: readonly Power[]
  readonly validThrough: Day
}

/** "Quero representar …": asked by a would-be delegate, decided by the represented alone. */
export interface Requests {
  /** @throws {Problem} proxies/request-refused, the same for an unknown, a blocked and a flooded person; proxies/too-many-requests, proxies/terms-refused */
  ask(by: Acting, terms: RequestTerms): Promise<RepresentationRequest>
  /** An agency asks for somebody who stands before it; who then still has to accept. */
  askFor(clientId: string, delegate: { ref: PartyRef; name: string }, terms: RequestTerms): Promise<RepresentationRequest>
  /** Open ones to the caller, or by the caller. */
  listReceived(by: Acting): Promise<RepresentationRequest[]>
  listAsked(by: Acting): Promise<RepresentationRequest[]>
  /** One to the caller or by the caller. @throws {Problem} proxies/request-not-found */
  get(by: Acting, id: string): Promise<RepresentationRequest>
  /** Gives exactly what was asked, proved as freshly as every grant. @throws {Problem} as `mandates.grant` does */
  grant(by: Acting, id: string): Promise<Mandate>
  /** One press; `block` = no more from this one, or from anybody. */
  refuse(by: Acting, id: string, options?: { block?: 'delegate' | 'everybody' | undefined }): Promise<void>
  withdraw(by: Acting, id: string): Promise<void>
  listBlocks(by: Acting): Promise<{ name: string; isEverybody: boolean }[]>
  /** Lets everybody ask again. */
  unblock(by: Acting): Promise<void>
}

interface RequestDependencies {
  readonly core: Core
  readonly roles: Roles
  readonly mandates: Pick<Mandates, 'grant'>
}

export function createRequests({ core, roles, mandates }: RequestDependencies): Requests {
  const { db, clock } = core.platform
  const add = createAdd(core, roles)

  async function find(by: Acting, id: string, side?: 'represented' | 'delegate'): Promise<{ actor: Actor; request: RepresentationRequest }> {
    const actor = await getActor(core, by)
    const request = await findRequest(db, id)
    const isOwn = request !== undefined && (['represented', 'delegate'] as const).some((one) => (side ?? one) === one && isActor(actor, request[one]))
    if (!request || !isOwn) throw new Problem(PROXIES_PROBLEMS.requestNotFound)
    return { actor, request }
  }

  async function decide(by: Acting, id: string, outcome: 'refused' | 'withdrawn', block?: 'delegate' | 'everybody'): Promise<void> {
    const { actor, request } = await find(by, id, outcome === 'refused' ? 'represented' : 'delegate')
    await db.transaction(async (tx) => {
      const now = clock.now()
      if (!(await decideRequest(tx, id, outcome, now))) throw new Problem(PROXIES_PROBLEMS.requestNotFound)
      if (block) await insertBlock(tx, request.represented.id, block === 'everybody' ? request.represented.id : request.delegate.id, now)
      await recordFor(core, tx, decided(actor, request, outcome, block !== undefined))
    })
  }

  const levelOf = async (powers: readonly Power[]) => levelFor(await roles.getPublished(db, powers), 'delegateLevel')

  /** Whoever asks has agreed already, so they are asked now what whoever accepts is asked. */
  async function checkLevel(accountId: string, powers: readonly Power[]): Promise<void> {
    const level = await levelOf(powers)
    if (!isLevelAtLeast(await core.assurance.levelOf(accountId), level)) throw new Problem(PROXIES_PROBLEMS.levelNeeded, { detail: level })
  }

  /** Not when it took one of several hands to ask, or when their level has fallen since: then they accept like everybody. */
  async function hasAccepted({ delegate, powers }: RepresentationRequest): Promise<boolean> {
    if (delegate.kind === 'company' && ((await core.companies.find(rootOf(delegate.document)))?.quorum ?? 1) > 1) return false
    const level = await levelOf(powers)
    for (const accountId of await listAccountsOf(db, delegate.id)) if (isLevelAtLeast(await core.assurance.levelOf(accountId), level)) return true
    return false
  }

  return {
    async ask(by, terms) {
      const actor = await getActor(core, by)
      await claimTry(core, actor.facts.accountId)
      const delegate = await lookUpParty(core, actor.ref)
      if (delegate?.standing !== 'regular') throw new Problem(PROXIES_PROBLEMS.requestBlocked)
      await checkLevel(actor.facts.accountId, terms.powers)
      return add(delegate, terms, { accountId: actor.facts.accountId })
    },
    askFor: async (clientId, delegate, terms) => add(await confirmParty(core, delegate), terms, { clientId }),
    listReceived: async (by) => listRequests(db, 'represented', actorDocuments(await getActor(core, by))),
    listAsked: async (by) => listRequests(db, 'delegate', actorDocuments(await getActor(core, by))),
    get: async (by, id) => (await find(by, id)).request,
    async grant(by, id) {
      const { actor, request } = await find(by, id, 'represented')
      const isAccepted = request.clientId === undefined && (await hasAccepted(request))
      const delegates = [{ ref: refOf(request.delegate), name: request.delegate.name }]
      const terms = { delegates, powers: request.powers, validThrough: request.validThrough }
      const [mandate] = await mandates.grant(by, terms, {
        isAccepted,
        async also(tx) {
          // Of two presses one gives; after a withdrawal none does.
          if (!(await decideRequest(tx, id, 'granted', clock.now()))) throw new Problem(PROXIES_PROBLEMS.requestNotFound)
          await recordFor(core, tx, decided(actor, request, 'granted', false))
        },
      })
      if (!mandate) throw new Error('a request gave no mandate')
      return mandate
    },
    refuse: (by, id, { block } = {}) => decide(by, id, 'refused', block),
    withdraw: (by, id) => decide(by, id, 'withdrawn'),
    listBlocks: async (by) => listBlocks(db, actorDocuments(await getActor(core, by))),
    unblock: async (by) => void (await deleteBlocks(db, actorDocuments(await getActor(core, by)))),
  }
}

function decided({ facts }: Actor, { id, represented, delegate }: RepresentationRequest, outcome: 'granted' | 'refused' | 'withdrawn', isBlocked: boolean) {
  return {
    type: 'proxies/request-decided', actor: { kind: 'citizen', id: facts.accountId } as const, parties: [represented, delegate],
    data: { requestId: id, outcome, isBlocked },
  }
}

type Add = (delegate: RegisteredParty, terms: RequestTerms, asked: { clientId?: string; accountId?: string }) => Promise<RepresentationRequest>

function createAdd(core: Core, roles: Roles): Add {
  const { db, clock } = core.platform

  return async (delegate, { represented: named, powers, validThrough }, asked) => {
    const now = clock.now()
    const granted = await roles.getPublished(db, powers)
    // Who gives such a power begins it themselves: it takes their signature under the instrument.
    if (wantsAdvanced(granted)) throw beyond('powers')
    checkTerms({ delegates: [delegate], powers, validThrough }, granted, { today: dayOf(now), represented: named.ref.kind, kind: 'procuracao' })
    const represented = await confirmParty(core, named).catch((error: unknown) => {
      throw isProblem(error, PROXIES_PROBLEMS.delegateUnconfirmed) ? new Problem(PROXIES_PROBLEMS.requestBlocked) : error
    })
    return db.transaction(async (tx) => {
      const parties = [await keepParty(core, tx, represented), await keepParty(core, tx, delegate)] as const
      const id = randomUUID()
      const made = {
        id, representedId: parties[0].id, delegateId: parties[1].id, powers, validThrough, clientId: asked.clientId, now,
        decideBy: new Date(now.getTime() + DECIDE_MS),
      }
      const limits = { mostPerDay: MOST_PER_DAY, mostOpen: MOST_OPEN, mostToOnePerDay: MOST_TO_ONE_PER_DAY, since: new Date(now.getTime() - DAY_MS) }
      const added = parties[0].id === parties[1].id ? 'blocked' : await insertRequest(tx, made, limits)
      if (added === 'too-many') throw new Problem(PROXIES_PROBLEMS.tooManyRequests, { retryAfterSeconds: DAY_MS / 1000 })
      if (added === 'blocked') throw new Problem(PROXIES_PROBLEMS.requestBlocked)
      const { clientId, accountId } = asked
      const actor = clientId === undefined ? ({ kind: 'citizen', id: accountId } as const) : ({ kind: 'client', id: clientId } as const)
      await recordFor(core, tx, { type: 'proxies/requested', actor, clientId, parties, data: { requestId: id } })
      const params = { delegate: delegate.name, represented: represented.name, until: validThrough }
      await tellParty(core, tx, parties[0], { notice: 'requested', everywhere: false, params })
      const request = await findRequest(tx, id)
      if (!request) throw new Error('a request was not saved')
      return request
    })
  }
}
