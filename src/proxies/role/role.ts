import { z } from 'zod'
import { LEVELS } from '../../assurance/index.ts'
import { LOCALES } from '../../platform/http/locale.ts'
import { PARTY_KINDS } from '../party/party.ts'

/** A power as it was shown and signed for: one version of one role. */
export interface Power {
  readonly namespace: string
  readonly code: string
  readonly version: number
}

export const ROLE_STATES = ['draft', 'published', 'retired'] as const
export type RoleState = (typeof ROLE_STATES)[number]

/** Kinds of mandate; stored, so names only ever grow. All but the first two and help are legal representation, entered by an agency. */
export const MANDATE_KINDS = ['procuracao', 'advocaticia', 'assistencia', 'poder-familiar', 'tutela', 'curatela', 'inventariante', 'judicial'] as const
export type MandateKind = (typeof MANDATE_KINDS)[number]
export const LEGAL_KINDS: readonly MandateKind[] = ['poder-familiar', 'tutela', 'curatela', 'inventariante', 'judicial']

/** What an agency enters with a document and a second official: legal representation, and a lawyer's mandate that is on paper. */
export const ENTERED_KINDS: readonly MandateKind[] = [...LEGAL_KINDS, 'advocaticia']

export const NAMESPACE = /^[a-z][a-z0-9-]{1,31}$/
export const ROLE_CODE = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/

const spoken = (most: number) => z.strictObject(Object.fromEntries(LOCALES.map((locale) => [locale, z.string().min(3).max(most)])) as Record<(typeof LOCALES)[number], z.ZodString>)

/** What one version of a role says. A published version never changes: what people signed for stays what it was. */
export const roleDefinition = z.strictObject({
  title: spoken(80),
  /** Plain words: it follows "poderá …" in a summary. */
  description: spoken(300),
  /** Services of the agency in which it counts; none = all of the agency's. */
  services: z.array(z.string().regex(ROLE_CODE).max(64)).max(50).default([]),
  kinds: z.array(z.enum(MANDATE_KINDS)).min(1).default(['procuracao']),
  representedKinds: z.array(z.enum(['person', 'company'])).min(1),
  delegateKinds: z.array(z.enum(PARTY_KINDS)).min(1),
  grantorLevel: z.enum(LEVELS).default('prata'),
  delegateLevel: z.enum(LEVELS).default('prata'),
  signature: z.enum(['simples', 'avancada']).default('simples'),
  acceptance: z.boolean().default(true),
  /** How many links may follow a first mandate; 0 = no substabelecimento. */
  subDepth: z.int().min(0).max(3).default(0),
  longestDays: z.int().min(1).max(1830),
  joint: z.enum(['never', 'allowed', 'required']).default('never'),
  /** Wide enough to be worth 24 hours of second thoughts and a word on every channel. */
  broad: z.boolean().default(false),
  hidden: z.boolean().default(false),
})

export type RoleDefinition = z.output<typeof roleDefinition>

/** One version of a role of the catalogue. */
export interface Role extends Power {
  readonly state: RoleState
  readonly definition: RoleDefinition
  readonly createdAt: Date
  readonly publishedAt: Date | undefined
  readonly retiredAt: Date | undefined
  /** Who wrote a draft last: another publishes it. */
  readonly draftedBy: string | undefined
}

/** Whether one of them is given only by the grantor's own advanced signature under the instrument (Lei 14.063/2020, art. 4, II). */
export function wantsAdvanced(roles: readonly Role[]): boolean {
  return roles.some(({ definition }) => definition.signature === 'avancada')
}

export function powerName({ namespace, code }: Pick<Power, 'namespace' | 'code'>): string {
  return `${namespace}:${code}`
}

/** `ns:code` from outside. */
export function parsePowerName(text: string): Pick<Power, 'namespace' | 'code'> | undefined {
  const [namespace = '', code = '', ...rest] = text.split(':')
  return rest.length === 0 && NAMESPACE.test(namespace) && ROLE_CODE.test(code) ? { namespace, code } : undefined
}
