import type { HttpContext } from '../../platform/http/request-facts.ts'
import { localeOf } from '../../platform/http/locale.ts'
import { type Mandate, maskedDocument, type Party, type Power, powerName, type Use } from '../../proxies/index.ts'
import { inName, PAGE, type ProxyDesk } from './desk.ts'

/** A mandate as the pages show it. */
export interface MandateCard {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly represented: PartyCard
  readonly grantor: PartyCard
  readonly delegate: PartyCard
  /** What the delegate may do, in words that follow "poderá". */
  readonly powers: readonly string[]
  readonly instance: string | undefined
  readonly from: string
  readonly until: string | undefined
  /** Counts only from then on, when that is still to come. */
  readonly effectiveAt: Date | undefined
  readonly quorum: number | undefined
  readonly isPassedOn: boolean
  /** Who stops it, the highest first. */
  readonly stoppedBy: readonly string[]
}

export interface PartyCard {
  readonly name: string
  readonly document: string
  readonly kind: Party['kind']
}

export function partyCard(party: Party): PartyCard {
  return { name: party.name, document: maskedDocument(party), kind: party.kind }
}

/** What powers permit, in the page's language. */
export async function wordsOf(ctx: HttpContext, { proxies }: ProxyDesk, powers: readonly Power[]): Promise<string[]> {
  const found = await Promise.all(powers.map((power) => proxies.roles.find(power)))
  return powers.map((power, index) => found[index]?.definition.description[localeOf(ctx)] ?? powerName(power))
}

export async function mandateCard(ctx: HttpContext, desk: ProxyDesk, mandate: Mandate): Promise<MandateCard> {
  const { id, kind, state, instance, validFrom, validThrough, effectiveAt, joint, parentId, stoppedBy } = mandate
  return {
    id, kind, state, instance,
    represented: partyCard(mandate.represented), grantor: partyCard(mandate.grantor), delegate: partyCard(mandate.delegate),
    powers: await wordsOf(ctx, desk, mandate.powers),
    from: validFrom, until: validThrough,
    effectiveAt: effectiveAt > desk.clock.now() ? effectiveAt : undefined,
    quorum: joint?.quorum, isPassedOn: parentId !== undefined, stoppedBy,
  }
}

/** Whoever holds it alone, and may pass it on, can do so now. */
export function mayBePassedOn({ state, subDepth, joint }: Mandate): boolean {
  return state === 'active' && subDepth > 0 && joint === undefined
}

/** What was passed on of a mandate, and of that again. */
export interface BranchCard extends MandateCard {
  /** 1 = right below. */
  readonly depth: number
  /** Where it can be seen and stopped by whoever looks. */
  readonly href: string | undefined
}

/** Open mandates below one; `mine` = documents of whoever looks. */
export async function branchCards(ctx: HttpContext, desk: ProxyDesk, mandate: Mandate, mine: (party: Party) => boolean, company: string | undefined): Promise<BranchCard[]> {
  const below = await desk.proxies.mandates.listBelow(mandate)
  return Promise.all(
    below.map(async (one) => ({
      ...(await mandateCard(ctx, desk, one)), depth: one.path.length - mandate.path.length,
      href: [one.represented, one.grantor, one.delegate].some(mine) ? inName(`${PAGE}/${one.id}`, company) : undefined,
    })),
  )
}

/** One use: who acted for whom, where, with what; and where to stop it. */
export interface UseLine {
  readonly at: Date
  readonly delegate: string
  readonly represented: string
  readonly where: string
  readonly power: string | undefined
  readonly notMe: string | undefined
}

export async function useLines(ctx: HttpContext, { proxies, clientName }: ProxyDesk, uses: readonly Use[], company: string | undefined): Promise<UseLine[]> {
  const locale = localeOf(ctx)
  const roles = uses.length === 0 ? [] : await proxies.roles.list({ states: ['published', 'retired'], hidden: true })
  const titles = new Map(roles.map(({ namespace, code, definition }) => [`${namespace}:${code}`, definition.title[locale]]))
  return Promise.all(
    uses.map(async ({ at, actorName, representedName, clientId, power, mandateId }) => ({
      at, delegate: actorName, represented: representedName, where: await clientName(clientId),
      power: power && titles.get(`${power.namespace}:${power.code}`),
      notMe: mandateId && inName(`${PAGE}/${mandateId}/nao-fui-eu`, company),
    })),
  )
}
