import { type Cnpj, type Cpf, formatCnpj, maskCpf, parseCnpj, parseCpf } from '../../accounts/index.ts'

declare const partyIdBrand: unique symbol
export type PartyId = string & { readonly [partyIdBrand]: true }

export const PARTY_KINDS = ['person', 'company', 'organisation'] as const
export type PartyKind = (typeof PARTY_KINDS)[number]

/** What a register said of a party: only `regular` may represent or be represented. */
export const STANDINGS = ['regular', 'suspended', 'deceased', 'dissolved', 'cancelled'] as const
export type Standing = (typeof STANDINGS)[number]
/** These end every mandate of the party for good. */
export const FINAL_STANDINGS: readonly Standing[] = ['deceased', 'dissolved', 'cancelled']

/** Somebody who gives or holds powers: a person by CPF, a company by CNPJ or its root, an organisation that helps citizens. */
export interface Party {
  readonly id: PartyId
  readonly kind: PartyKind
  /** CPF, CNPJ, root of a CNPJ, or an organisation's code. Personal data: it goes to pages and tokens, never into logs or audit. */
  readonly document: string
  readonly name: string
  readonly standing: Standing
  readonly standingAt: Date
}

/** How callers name a party. A company is one establishment (14) or, by its root (8), all of them. */
export type PartyRef =
  | { readonly kind: 'person'; readonly cpf: Cpf }
  | { readonly kind: 'company'; readonly cnpj: Cnpj | CnpjRoot }
  | { readonly kind: 'organisation'; readonly code: string }

declare const rootBrand: unique symbol
/** First eight characters of a CNPJ: the company with all its establishments. */
export type CnpjRoot = string & { readonly [rootBrand]: true }

export function rootOf(cnpj: string): CnpjRoot {
  return cnpj.slice(0, 8) as CnpjRoot
}

/** The root in a text, typed with or without punctuation, or `undefined`. */
export function parseCnpjRoot(text: string): CnpjRoot | undefined {
  const characters = text.replace(/[\s.]/g, '').toUpperCase()
  return /^[A-Z0-9]{8}$/.test(characters) ? (characters as CnpjRoot) : undefined
}

/** A party in a text from outside: CPF, CNPJ or root; `undefined` when it is none. */
export function parsePartyRef(text: string): PartyRef | undefined {
  const cpf = parseCpf(text)
  if (cpf !== undefined) return { kind: 'person', cpf }
  const cnpj = parseCnpj(text) ?? parseCnpjRoot(text)
  return cnpj === undefined ? undefined : { kind: 'company', cnpj }
}

export function documentOf(ref: PartyRef): string {
  if (ref.kind === 'person') return ref.cpf
  return ref.kind === 'company' ? ref.cnpj : `org:${ref.code}`
}

/** Documents under which powers for this party are found: of an establishment, also its root's. */
export function documentsOf(ref: PartyRef): string[] {
  if (ref.kind !== 'company' || ref.cnpj.length === 8) return [documentOf(ref)]
  return [ref.cnpj, rootOf(ref.cnpj)]
}

export function refOf({ kind, document }: Pick<Party, 'kind' | 'document'>): PartyRef {
  if (kind === 'person') return { kind, cpf: document as Cpf }
  return kind === 'company' ? { kind, cnpj: document as Cnpj } : { kind, code: document.slice('org:'.length) }
}

/** The number as third parties may see it: a CPF masked, a CNPJ written out. */
export function maskedDocument({ kind, document }: Pick<Party, 'kind' | 'document'>): string {
  if (kind === 'person') return maskCpf(document as Cpf)
  if (kind === 'organisation') return document.slice('org:'.length)
  return document.length === 14 ? formatCnpj(document as Cnpj) : `${document.slice(0, 2)}.${document.slice(2, 5)}.${document.slice(5)}`
}
