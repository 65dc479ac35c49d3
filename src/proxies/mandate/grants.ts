import { randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor, tellParty } from '../core.ts'
import { type Acting, type Actor, checkGiver, checkUnchanged, getActor, isActor } from '../party/actor.ts'
import { documentOf, type Party, rootOf } from '../party/party.ts'
import { claimTry, confirmParty, keepParty, lookUpParty, lookUpSigner, type RegisteredParty } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { type Power, powerName, type Role, wantsAdvanced } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import { dayOf } from './day.ts'
import { handsOf } from './hands.ts'
import type { Described, Mandate, MandateId } from './mandate.ts'
import { addHand, countOpen, findMandate, insertMandate, insertMandateEvent, listPath, lockTree, type NewMandate } from './mandate.store.ts'
import { beyond, checkSubTerms, checkTerms, type GrantTerms, levelFor } from './terms.ts'

/** A mandate that nobody accepts in this time lapses. */
const DECIDE_MS = 30 * 86_400_000
/** Broad powers: a day to think again. */
export const COOL_OFF_MS = 86_400_000

/** Of one party to another: more are no gift, and bury what others gave. */
const MOST_OPEN = 20

/** What a summary shows before anybody signs. */
export interface GrantPreview {
  readonly represented: { readonly name: string; readonly kind: Party['kind'] }
  readonly delegates: readonly { readonly name: string; readonly kind: Party['kind'] }[]
  readonly roles: readonly Role[]
  readonly validFrom: string
  readonly validThrough: string
  /** Takes effect a day later. */
  readonly isBroad: boolean
  readonly needsAcceptance: boolean
  /** Administrators who must sign. */
  readonly signatures: number
  /** Given only by the grantor's advanced signature under the instrument (`SignedGrants`). */
  readonly isAdvanced: boolean
}

export interface Grants {
  /** Judges the terms as `grant` does, without asking for a fresh proof. @throws {Problem} as `grant` does */
  preview(by: Acting, terms: GrantTerms): Promise<GrantPreview>
  /**
   * Gives powers of one's own, or of a company that one binds: one mandate for each delegate.
   *
   * @throws {Problem} proxies/terms-refused, proxies/role-changed, proxies/delegate-not-confirmed, proxies/level-needed,
   * proxies/freshness-needed, proxies/held, proxies/company-not-bound, proxies/signature-needed
   */
  grant(by: Acting, terms: GrantTerms, options?: GrantOptions): Promise<Mandate[]>
  /** Judges what would be passed on as `subdelegate` does, without asking for a fresh proof. @throws {Problem} as `subdelegate` does */
  previewSub(by: Acting, parentId: MandateId, terms: GrantTerms): Promise<GrantPreview>
  /** Passes on a part of what one holds. @throws {Problem} as `grant` does, and proxies/mandate-not-found */
  subdelegate(by: Acting, parentId: MandateId, terms: GrantTerms, options?: Pick<GrantOptions, 'signed'>): Promise<Mandate>
  /** What would be given, in the words of the instruments: one for each delegate, in their order. @throws {Problem} as `grant` does */
  describe(by: Acting, terms: GrantTerms, parentId?: MandateId): Promise<{ mandates: readonly Described[]; roles: readonly Role[] }>
}

export interface GrantOptions {
  /** The delegate asked for exactly this, so that nothing is left to accept. `also` runs in the same transaction. */
  readonly isAccepted?: boolean
  readonly also?: (tx: Sql, mandates: readonly Mandate[]) => Promise<void>
  /** Keeps the instruments that the grantor signed, in the same transaction; nothing else gives powers that want an advanced signature. */
  readonly signed?: (tx: Sql, mandates: readonly Mandate[]) => Promise<void>
}

export function createGrants(core: Core, roles: Roles): Grants {
  const { db, clock } = core.platform

  async function plan(by: Acting, terms: GrantTerms) {
    const actor = await getActor(core, by)
    const now = clock.now()
    const granted = await roles.getPublished(db, terms.powers)
    const kind = terms.kind ?? 'procuracao'
    checkTerms(terms, granted, { today: dayOf(now), represented: actor.ref.kind, kind })
    const represented = await lookUpParty(core, actor.ref)
    if (represented?.standing !== 'regular') throw new Problem(PROXIES_PROBLEMS.delegateUnconfirmed)
    const signer = actor.company === undefined ? represented : await lookUpSigner(core, actor.facts.cpf)
    const delegates: RegisteredParty[] = []
    for (const delegate of terms.delegates) {
      await claimTry(core, actor.facts.accountId)
      delegates.push(await confirmParty(core, delegate))
    }
    checkDelegates([documentOf(actor.ref)], delegates)
    checkHands(actor, granted)
    return { actor, granted, represented, signer, delegates, kind, now }
  }

  async function planSub(by: Acting, parentId: MandateId, terms: GrantTerms) {
    const actor = await getActor(core, by)
    const seen = await findMandate(db, parentId)
    if (!seen || !isActor(actor, seen.delegate)) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    const [first] = terms.delegates
    if (first === undefined || terms.delegates.length > 1) throw beyond('delegates')
    await claimTry(core, actor.facts.accountId)
    const signer = await lookUpSigner(core, actor.facts.cpf)
    const confirmed = await confirmParty(core, first)
    const granted = await versionsOf(roles, terms.powers)
    if (granted.some(({ definition }) => !definition.delegateKinds.includes(confirmed.ref.kind))) throw beyond('delegates')
    checkHands(actor, granted)
    return { actor, seen, signer, confirmed, granted }
  }

  async function checkSub(sql: Sql, parent: Mandate, terms: GrantTerms, confirmed: RegisteredParty): Promise<void> {
    const path = await listPath(sql, parent.path)
    if (path.some(({ state }) => state !== 'active')) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
    checkSubTerms(terms, parent, path, dayOf(clock.now()))
    checkDelegates(path.flatMap(({ represented, delegate }) => [represented.document, delegate.document]), [confirmed])
  }

  return {
    async preview(by, terms) {
      const { actor, granted, represented, delegates, now } = await plan(by, terms)
      return {
        represented: { name: represented.name, kind: represented.ref.kind },
        delegates: delegates.map(({ name, ref }) => ({ name, kind: ref.kind })),
        roles: granted, validFrom: terms.validFrom ?? dayOf(now), validThrough: terms.validThrough,
        isBroad: isBroad(granted), needsAcceptance: granted.some(({ definition }) => definition.acceptance), signatures: handsOf(actor),
        isAdvanced: wantsAdvanced(granted),
      }
    },
    async grant(by, terms, { isAccepted = false, also, signed } = {}) {
      const planned = await plan(by, terms)
      const { actor, granted, now } = planned
      checkSigned(granted, signed)
      await checkGiver(core, by, actor, levelFor(granted, 'grantorLevel'))
      return db.transaction(async (tx) => {
        await checkUnchanged(tx, actor)
        // Between the summary and this moment a version may have gone.
        await roles.getPublished(tx, terms.powers)
        const represented = await keepParty(core, tx, planned.represented)
        const joint = terms.quorum === undefined ? undefined : { groupId: randomUUID(), quorum: terms.quorum }
        const made: Mandate[] = []
        for (const confirmed of planned.delegates) {
          const delegate = await keepParty(core, tx, confirmed)
          const parties = { represented, grantor: represented, delegate }
          const link = { kind: planned.kind, parent: undefined, joint, subDepth: terms.subDepth ?? 0, signatures: handsOf(actor), isAccepted }
          made.push(await write(core, tx, { actor, signer: planned.signer, roles: granted, terms, parties, link, now }))
        }
        await also?.(tx, made)
        await signed?.(tx, made)
        return made
      })
    },
    async previewSub(by, parentId, terms) {
      const { actor, seen, granted, confirmed } = await planSub(by, parentId, terms)
      await checkSub(db, seen, terms, confirmed)
      const { represented } = seen
      return {
        represented: { name: represented.name, kind: represented.kind }, delegates: [{ name: confirmed.name, kind: confirmed.ref.kind }], roles: granted,
        validFrom: terms.validFrom ?? dayOf(clock.now()), validThrough: terms.validThrough, isBroad: isBroad(granted),
        needsAcceptance: granted.some(({ definition }) => definition.acceptance), signatures: handsOf(actor),
        isAdvanced: wantsAdvanced(granted),
      }
    },
    async subdelegate(by, parentId, terms, { signed } = {}) {
      const { actor, signer, granted, confirmed } = await planSub(by, parentId, terms)
      checkSigned(granted, signed)
      await checkGiver(core, by, actor, levelFor(granted, 'grantorLevel'))
      return db.transaction(async (tx) => {
        await checkUnchanged(tx, actor)
        // Under the tree's lock: a revocation comes wholly before or wholly after.
        const parent = await lockTree(tx, parentId)
        if (parent === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
        await checkSub(tx, parent, terms, confirmed)
        const now = clock.now()
        const delegate = await keepParty(core, tx, confirmed)
        const parties = { represented: parent.represented, grantor: parent.delegate, delegate }
        const link = { kind: parent.kind, parent, joint: undefined, subDepth: terms.subDepth ?? 0, signatures: handsOf(actor), isAccepted: false }
        const made = await write(core, tx, { actor, signer, roles: granted, terms, parties, link, now })
        await signed?.(tx, [made])
        return made
      })
    },
    async describe(by, terms, parentId) {
      const common = { validFrom: terms.validFrom ?? dayOf(clock.now()), validThrough: terms.validThrough, subDepth: terms.subDepth ?? 0, instance: terms.instance?.trim() }
      if (parentId === undefined) {
        const { represented, delegates, granted, kind } = await plan(by, terms)
        const joint = terms.quorum === undefined ? undefined : { quorum: terms.quorum }
        const giver = named(represented)
        return { roles: granted, mandates: delegates.map((one) => ({ ...common, kind, parentId, joint, represented: giver, grantor: giver, delegate: named(one) })) }
      }
      const { seen, granted, confirmed } = await planSub(by, parentId, terms)
      await checkSub(db, seen, terms, confirmed)
      const { kind, represented, delegate: grantor } = seen
      return { roles: granted, mandates: [{ ...common, kind, parentId, joint: undefined, represented, grantor, delegate: named(confirmed) }] }
    },
  }
}

const named = ({ ref, name }: RegisteredParty): Described['delegate'] => ({ kind: ref.kind, name, document: documentOf(ref) })

/** One hand signs an instrument: a company that several bind together cannot give what wants more than their yes. */
function checkHands(actor: Actor, granted: readonly Role[]): void {
  if (wantsAdvanced(granted) && handsOf(actor) > 1) throw beyond('hands')
}

function checkSigned(granted: readonly Role[], signed: GrantOptions['signed']): void {
  if (wantsAdvanced(granted) && signed === undefined) throw new Problem(PROXIES_PROBLEMS.signatureNeeded)
}

/** The versions that the link above was given in, retired ones too. */
async function versionsOf(roles: Roles, powers: readonly Power[]): Promise<Role[]> {
  const found = await Promise.all(powers.map((power) => roles.find(power)))
  return found.map((role) => {
    if (role === undefined) throw beyond('powers')
    return role
  })
}

/** Nobody stands twice in a chain, or in a group. */
function checkDelegates(above: readonly string[], delegates: readonly RegisteredParty[]): void {
  const roots = (document: string) => (document.length === 14 ? rootOf(document) : document)
  const all = [...new Set(above.map(roots)), ...delegates.map(({ ref }) => roots(documentOf(ref)))]
  if (new Set(all).size !== all.length) throw beyond('delegates')
}

export function isBroad(roles: readonly Role[]): boolean {
  return roles.some(({ definition }) => definition.broad)
}

interface Written {
  readonly actor: Actor
  readonly signer: RegisteredParty
  readonly roles: readonly Role[]
  readonly terms: GrantTerms
  readonly parties: { readonly represented: Party; readonly grantor: Party; readonly delegate: Party }
  readonly link: Pick<NewMandate, 'kind' | 'joint' | 'subDepth' | 'signatures'> & { readonly parent: Mandate | undefined; readonly isAccepted: boolean }
  readonly now: Date
}

async function write(core: Core, tx: Sql, { actor, signer, roles, terms, parties, link, now }: Written): Promise<Mandate> {
  // Both parties' rows are held by this transaction, so that of many at once no more get through.
  if ((await countOpen(tx, { grantor: parties.grantor.id, delegate: parties.delegate.id })) >= MOST_OPEN) throw beyond('delegates')
  const id = randomUUID() as MandateId
  const needsAcceptance = !link.isAccepted && roles.some(({ definition }) => definition.acceptance)
  const state = link.signatures > 1 ? 'pending_signature' : needsAcceptance ? 'pending_acceptance' : 'active'
  const validFrom = terms.validFrom ?? dayOf(now)
  await insertMandate(tx, {
    id, kind: link.kind, state, parent: link.parent, subDepth: link.subDepth, joint: link.joint, signatures: link.signatures,
    parties: { represented: parties.represented.id, grantor: parties.grantor.id, delegate: parties.delegate.id },
    instance: terms.instance?.trim(), powers: terms.powers, validFrom, validThrough: terms.validThrough,
    effectiveAt: new Date(now.getTime() + (isBroad(roles) ? COOL_OFF_MS : 0)),
    decideBy: state === 'active' ? undefined : new Date(now.getTime() + DECIDE_MS),
    origin: 'local', originSealed: undefined, createdBy: actor.facts.accountId, now,
  })
  await addHand(tx, id, 'granted', { partyId: (await keepParty(core, tx, signer)).id, at: now })
  await insertMandateEvent(tx, { mandateId: id, type: 'granted', actor: { kind: 'citizen', id: actor.facts.accountId }, at: now })
  const { represented, grantor, delegate } = parties
  await recordFor(core, tx, {
    type: 'proxies/granted', actor: { kind: 'citizen', id: actor.facts.accountId }, parties: [represented, grantor, delegate],
    data: { mandateId: id, kind: link.kind, depth: link.parent?.path.length ?? 0, powers: terms.powers.map(powerName), validThrough: terms.validThrough },
  })
  const params = { delegate: delegate.name, represented: represented.name, until: terms.validThrough }
  // Whoever was pressed or robbed hears of it on every channel.
  const isOwn = grantor.id === represented.id
  const notice = isBroad(roles) ? 'broad' : state === 'pending_signature' && isOwn ? 'to-sign' : isOwn ? 'granted' : 'passed-on'
  await tellParty(core, tx, represented, { notice, everywhere: true, params })
  if (state === 'pending_signature' && !isOwn) await tellParty(core, tx, grantor, { notice: 'to-sign', everywhere: true, params })
  if (state === 'pending_acceptance') await tellParty(core, tx, delegate, { notice: 'to-accept', everywhere: false, params })
  const mandate = await findMandate(tx, id)
  if (mandate === undefined) throw new Error('a mandate was not saved')
  return mandate
}
