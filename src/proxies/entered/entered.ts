import { createHash, randomUUID } from 'node:crypto'
import { withDeadline } from '../../accounts/index.ts'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import type { ChangeBySystem } from '../mandate/changes.ts'
import { type Day, dayOf, lastDayBefore } from '../mandate/day.ts'
import type { Mandate, MandateId } from '../mandate/mandate.ts'
import { findMandate, findOrigin, insertAuthorityStep, insertMandate, insertMandateEvent, listBelow, listEntered, lockTree } from '../mandate/mandate.store.ts'
import { beyond, checkPowers } from '../mandate/terms.ts'
import type { ChangeReason } from '../mandate/steps.ts'
import type { Change } from '../mandate/transition.ts'
import { documentOf, type PartyRef, refOf } from '../party/party.ts'
import { saveOrganisation } from '../party/party.store.ts'
import { claimTry, confirmParty, keepParty } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { ENTERED_KINDS, LEGAL_KINDS, type MandateKind, type Power, powerName, type Role, wantsAdvanced } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'

const ADULT = 18
const LONGEST_REFERENCE = 200
const DEADLINE_MS = 5000

/** An agency that may enter things in its namespaces, and the official of it who does. */
export interface Authority {
  readonly clientId: string
  readonly namespaces: readonly string[]
  /** How the agency names the official; kept sealed, so that two can be told apart. */
  readonly official: string
  /** The official's own account, when they are at the agency's pages. */
  readonly at?: { readonly accountId: string; readonly cpf: string } | undefined
}

/** What a court's decision or the law gives, as its document says. */
export interface LegalTerms {
  readonly kind: MandateKind
  readonly represented: { readonly ref: PartyRef; readonly name: string }
  readonly delegate: { readonly ref: PartyRef; readonly name: string }
  /** The limits of a curatela are its powers: nothing else counts. */
  readonly powers: readonly Power[]
  readonly validFrom?: Day | undefined
  readonly validThrough?: Day | undefined
  /** The decision, certificate or record that it rests on. */
  readonly document: string
}

/** A citizen at a counter lets an organisation help, today, with one service. */
export interface HelpTerms {
  readonly organisation: { readonly code: string; readonly name: string }
  readonly citizen: { readonly ref: PartyRef; readonly name: string }
  readonly powers: readonly Power[]
  /** Where the consent is kept: a signature on paper or on a pad, an answered message. */
  readonly consent: string
}

/** Mandates that nobody gives by pressing a button: entered by an authorised agency with a document, and approved by a second person. */
export interface Entered {
  /** @throws {Problem} proxies/terms-refused, proxies/delegate-not-confirmed, proxies/role-not-found, proxies/namespace-not-yours */
  enter(authority: Authority, terms: LegalTerms): Promise<Mandate>
  /** By another official than the one who entered it. @throws {Problem} proxies/mandate-not-found, proxies/step-out-of-order */
  approve(authority: Authority, id: MandateId): Promise<ChangedMandate>
  /** `also` runs in the same transaction, for what the consent rests on. @throws {Problem} proxies/organisation-not-yours, as `enter` does */
  help(authority: Authority, terms: HelpTerms, also?: (tx: Sql, mandate: Mandate) => Promise<void>): Promise<Mandate>
  /** What the agency entered in its namespaces: what waits for a second person first. */
  list(authority: Authority): Promise<Mandate[]>
  /** One of the agency's namespaces, with what it rests on. @throws {Problem} proxies/mandate-not-found */
  get(authority: Authority, id: MandateId): Promise<EnteredMandate>
  /** What a court orders: of any mandate of the agency's namespaces `suspended` and `resumed`; `terminated` and `rejected` of what it entered. */
  change(authority: Authority, id: MandateId, change: 'suspended' | 'resumed' | 'terminated' | 'rejected'): Promise<ChangedMandate>
  /**
   * Ends a mandate of the agency's namespaces because whoever gave it asked the agency to; `basis` = where that request is kept.
   * @throws {Problem} proxies/mandate-not-found, proxies/step-out-of-order, also for what the law or a court gives
   */
  withdraw(authority: Authority, id: MandateId, basis: string): Promise<ChangedMandate>
  /** The same for whoever holds it and wants it no more. */
  waive(authority: Authority, id: MandateId, basis: string): Promise<ChangedMandate>
}

/** A mandate after a change, with what ended with it of what was passed on. */
export interface ChangedMandate extends Mandate {
  readonly endedBelow: readonly MandateId[]
}

/** A mandate as its agency sees it. */
export interface EnteredMandate {
  readonly mandate: Mandate
  /** The decision, certificate or record; of what citizens gave there is none. */
  readonly document: string | undefined
  /** Entered by this official: another approves it. */
  readonly isOwn: boolean
  /** Entered by the agency's system, which asks for the second person itself. */
  readonly bySystem: boolean
}

export function createEntered(core: Core, roles: Roles, changeBySystem: ChangeBySystem): Entered {
  const { db, clock } = core.platform

  async function getOf({ namespaces }: Authority, id: MandateId, sql: Sql = db): Promise<Mandate> {
    const mandate = await findMandate(sql, id)
    if (!mandate?.powers.every(({ namespace }) => namespaces.includes(namespace))) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    return mandate
  }

  async function changed(authority: Authority, id: MandateId, change: Change, { reason, basis }: { reason: ChangeReason; basis?: string | undefined }): Promise<ChangedMandate> {
    return db.transaction(async (tx) => {
      const mandate = await getOf(authority, id, tx)
      // What the law or a court gives, nobody takes away by asking for it.
      if (reason === 'asked' && change === 'revoked' && LEGAL_KINDS.includes(mandate.kind)) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
      const below = await listBelow(tx, mandate)
      const isForeign = (change === 'terminated' || change === 'rejected') && mandate.origin !== authority.clientId
      if (isForeign) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
      const actor = actorOf(authority)
      if (!(await changeBySystem(tx, id, { change, capacity: 'authority', reason, actor }))) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
      const officialSealed = core.platform.keyring.seal(JSON.stringify({ official: authority.official, basis }), originContext(id))
      await insertAuthorityStep(tx, { mandateId: id, change, clientId: authority.clientId, officialSealed, at: clock.now() })
      const after = await getOf(authority, id, tx)
      return { ...after, endedBelow: after.endedAt === undefined ? [] : below.map((one) => one.id) }
    })
  }

  return {
    list: ({ clientId, namespaces }) => listEntered(db, { clientId, namespaces }),
    async get(authority, id) {
      const mandate = await getOf(authority, id)
      const origin = await openOrigin(core, id)
      const isOwn = origin?.official === officialMark(authority.official)
      return { mandate, document: origin?.reference, isOwn, bySystem: mandate.origin !== 'local' && origin?.via !== 'pages' }
    },
    async enter(authority, terms) {
      checkNotOwnCase(authority, [terms.represented.ref, terms.delegate.ref])
      const granted = await checkLegal(core, roles, authority, terms)
      // Numbers with names are tried no more often at an agency's desk than at home; its system has its quota.
      if (authority.at) await claimTry(core, authority.at.accountId)
      const represented = await confirmParty(core, terms.represented)
      const delegate = await confirmParty(core, terms.delegate)
      const validThrough = await lastDayOf(core, terms)
      return db.transaction(async (tx) => {
        const parties = { represented: await keepParty(core, tx, represented), delegate: await keepParty(core, tx, delegate) }
        const made = { kind: terms.kind, state: 'draft', granted, validFrom: terms.validFrom, validThrough, reference: terms.document } as const
        return write(core, tx, authority, parties, made)
      })
    },
    async approve(authority, id) {
      const mandate = await getOf(authority, id)
      if (mandate.state !== 'draft' || mandate.origin !== authority.clientId) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
      const origin = await openOrigin(core, id)
      // One who has a number in the agency's system and an account here would be two: both steps are taken in the same place.
      const isSamePlace = origin?.via === viaOf(authority)
      if (origin === undefined || !isSamePlace || origin.official === officialMark(authority.official)) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder, { detail: 'second-person' })
      checkNotOwnCase(authority, [refOf(mandate.represented), refOf(mandate.delegate)])
      return changed(authority, id, 'approved', { reason: 'agency' })
    },
    async help(authority, terms, also) {
      const granted = await ownRoles(roles, db, authority, terms.powers)
      if (granted.length !== 1 || granted.some(({ definition }) => !definition.kinds.includes('assistencia'))) throw beyond('powers')
      checkReference(terms.consent)
      const represented = await confirmParty(core, terms.citizen)
      const { code, name } = terms.organisation
      if (!/^[a-z0-9][a-z0-9-]{1,40}$/.test(code) || name.trim() === '' || represented.ref.kind !== 'person') throw beyond('delegates')
      const today = dayOf(clock.now())
      return db.transaction(async (tx) => {
        const delegate = await saveOrganisation(tx, { code, name, clientId: authority.clientId, now: clock.now() })
        if (delegate === undefined) throw new Problem(PROXIES_PROBLEMS.organisationForeign)
        const parties = { represented: await keepParty(core, tx, represented), delegate }
        const made = { kind: 'assistencia', state: 'active', granted, validFrom: today, validThrough: today, reference: terms.consent } as const
        const mandate = await write(core, tx, authority, parties, made)
        await also?.(tx, mandate)
        return mandate
      })
    },
    withdraw: (authority, id, basis) => changed(authority, id, 'revoked', { reason: 'asked', basis: checkedReference(basis) }),
    waive: (authority, id, basis) => changed(authority, id, 'renounced', { reason: 'asked', basis: checkedReference(basis) }),
    async change(authority, id, change) {
      return changed(authority, id, change, { reason: change === 'suspended' || change === 'resumed' ? 'court' : 'agency' })
    },
  }
}

async function ownRoles(roles: Roles, sql: Sql, { namespaces }: Authority, powers: readonly Power[]): Promise<Role[]> {
  checkPowers(powers)
  if (powers.some(({ namespace }) => !namespaces.includes(namespace))) throw new Problem(PROXIES_PROBLEMS.namespaceForeign)
  return roles.getPublished(sql, powers)
}

function checkedReference(text: string): string {
  checkReference(text)
  return text
}

function checkReference(text: string): void {
  if (text.trim() === '' || text.length > LONGEST_REFERENCE) throw beyond('document')
}

async function checkLegal(core: Core, roles: Roles, authority: Authority, terms: LegalTerms): Promise<Role[]> {
  const { kind, represented, delegate, powers, document, validFrom, validThrough } = terms
  const granted = await ownRoles(roles, core.platform.db, authority, powers)
  if (!ENTERED_KINDS.includes(kind) || granted.some(({ definition }) => !definition.kinds.includes(kind))) throw beyond('kind')
  // An official who has seen a paper does not sign for whoever gives.
  if (wantsAdvanced(granted)) throw beyond('powers')
  checkReference(document)
  // A lawyer's client may be a company; what the law or a court gives is about people.
  if (represented.ref.kind === 'organisation' || (represented.ref.kind === 'company' && kind !== 'advocaticia')) throw beyond('represented')
  if (delegate.ref.kind !== 'person' || documentOf(represented.ref) === delegate.ref.cpf) throw beyond('delegates')
  if (kind === 'advocaticia' && validThrough === undefined) throw beyond('term')
  if (validThrough !== undefined && validThrough < (validFrom ?? dayOf(core.platform.clock.now()))) throw beyond('term')
  return granted
}

/** Parents represent a child to the day before the eighteenth birthday, whatever a document says; what has an end in the law has one here. */
async function lastDayOf(core: Core, { kind, represented, validThrough }: LegalTerms): Promise<Day | undefined> {
  if (kind !== 'poder-familiar' && kind !== 'tutela') return validThrough
  if (represented.ref.kind !== 'person') throw beyond('represented')
  const record = await withDeadline(core.ports.register, DEADLINE_MS).find(represented.ref.cpf)
  if (record === undefined) throw beyond('represented')
  const last = lastDayBefore(record.birthDate, ADULT)
  if (last < dayOf(core.platform.clock.now())) throw beyond('age')
  return validThrough !== undefined && validThrough < last ? validThrough : last
}

interface Made {
  readonly kind: MandateKind
  readonly state: 'draft' | 'active'
  readonly granted: readonly Role[]
  readonly validFrom: Day | undefined
  readonly validThrough: Day | undefined
  readonly reference: string
}

type EnteredParties = Record<'represented' | 'delegate', Awaited<ReturnType<typeof keepParty>>>

async function write(core: Core, tx: Sql, authority: Authority, { represented, delegate }: EnteredParties, made: Made): Promise<Mandate> {
  const now = core.platform.clock.now()
  const id = randomUUID() as MandateId
  const powers = made.granted.map(({ namespace, code, version }) => ({ namespace, code, version }))
  await insertMandate(tx, {
    id, kind: made.kind, state: made.state, parent: undefined, subDepth: 0, joint: undefined, signatures: 1, instance: undefined, powers,
    parties: { represented: represented.id, grantor: represented.id, delegate: delegate.id },
    validFrom: made.validFrom ?? dayOf(now), validThrough: made.validThrough, effectiveAt: now, decideBy: undefined,
    origin: authority.clientId, originSealed: sealOrigin(core, id, authority, made.reference), createdBy: authority.at?.accountId, now,
  })
  const actor = actorOf(authority)
  await insertMandateEvent(tx, { mandateId: id, type: 'entered', actor, at: now })
  await recordFor(core, tx, {
    type: 'proxies/entered', actor, clientId: authority.clientId, parties: [represented, delegate],
    data: { mandateId: id, kind: made.kind, depth: 0, powers: powers.map(powerName), ...(made.validThrough && { validThrough: made.validThrough }) },
  })
  if (made.state === 'active') {
    const params = { delegate: delegate.name, represented: represented.name, until: made.validThrough ?? '' }
    await tellParty(core, tx, represented, { notice: 'granted', everywhere: true, params })
  }
  const mandate = await lockTree(tx, id)
  if (!mandate) throw new Error('a mandate was not saved')
  return mandate
}

interface Origin {
  readonly official: string
  readonly reference: string
  /** Where it was entered: the agency's system (also what has no word of it), or our pages. */
  readonly via?: 'pages' | undefined
}

const viaOf = ({ at }: Authority) => (at === undefined ? undefined : 'pages')

function actorOf({ clientId, at }: Authority): AuditActor {
  return at === undefined ? { kind: 'client', id: clientId } : { kind: 'operator', id: at.accountId }
}

/** Nobody enters or approves what is about themselves. @throws {Problem} proxies/not-for-oneself */
function checkNotOwnCase({ at }: Authority, parties: readonly PartyRef[]): void {
  if (at && parties.some((ref) => documentOf(ref) === at.cpf)) throw new Problem(PROXIES_PROBLEMS.notForOneself)
}

const originContext = (id: MandateId) => `mandate-origin:${id}`

function sealOrigin(core: Core, id: MandateId, authority: Authority, reference: string): Buffer {
  const origin: Origin = { official: officialMark(authority.official), reference, via: viaOf(authority) }
  return core.platform.keyring.seal(JSON.stringify(origin), originContext(id))
}

async function openOrigin(core: Core, id: MandateId): Promise<Origin | undefined> {
  const sealed = await findOrigin(core.platform.db, id)
  if (!sealed) return undefined
  const origin: Origin = JSON.parse(core.platform.keyring.open(sealed, originContext(id)).toString())
  return origin
}

/** The same official typed with other spaces or case is the same. */
function officialMark(official: string): string {
  return createHash('sha256').update(official.replace(/[\s.\-/]/g, '').toUpperCase()).digest('hex')
}
