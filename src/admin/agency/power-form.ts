import { z } from 'zod'
import { LEVELS } from '../../assurance/index.ts'
import type { Typed } from '../../platform/http/guard.ts'
import { MANDATE_KINDS, ROLE_CODE, type RoleDefinition } from '../../proxies/index.ts'

/** Names of the languages in the form's fields, and in a definition. */
export const TONGUES = { pt: 'pt-BR', en: 'en', es: 'es' } as const
type Tongue = keyof typeof TONGUES
const tongues = Object.keys(TONGUES) as Tongue[]

const tick = z.literal('sim').optional()
const text = (most: number) => z.string().trim().min(3).max(most)
const ticks = <Name extends string>(names: readonly Name[]) => Object.fromEntries(names.map((name) => [name, tick])) as Record<Name, typeof tick>
const perTongue = <Prefix extends string>(prefix: Prefix, most: number) =>
  Object.fromEntries(tongues.map((one) => [`${prefix}_${one}`, text(most)])) as Record<`${Prefix}_${Tongue}`, z.ZodString>

const kindFields = MANDATE_KINDS.map((kind) => `tipo_${kind}` as const)
const sides = ['de_person', 'de_company', 'para_person', 'para_company', 'para_organisation'] as const

/** What an agency's people type about a power. */
export const powerForm = z.object({
  ...perTongue('titulo', 80),
  ...perTongue('texto', 300),
  servicos: z
    .string()
    .max(1000)
    .transform((typed) => typed.split(/[\s,;]+/).filter((code) => code !== ''))
    .refine((codes) => codes.length <= 50 && codes.every((code) => ROLE_CODE.test(code) && code.length <= 64), 'orgao.field.services'),
  ...ticks(kindFields),
  ...ticks(sides),
  nivel_dar: z.enum(LEVELS, 'platform.field.required'),
  nivel_receber: z.enum(LEVELS, 'platform.field.required'),
  assinatura: z.enum(['simples', 'avancada'], 'platform.field.required'),
  aceite: tick,
  repasse: z.enum(['0', '1', '2', '3'], 'platform.field.required'),
  dias: z.string().trim().regex(/^\d{1,4}$/, 'orgao.field.days').transform(Number).refine((days) => days >= 1 && days <= 1830, 'orgao.field.days'),
  conjunto: z.enum(['never', 'allowed', 'required'], 'platform.field.required'),
  amplo: tick,
  oculto: tick,
})
export type PowerForm = z.output<typeof powerForm>
export const codeField = z.string().trim().max(64).regex(ROLE_CODE, 'orgao.field.code')

/** Fields that are shown again as they were typed. */
export const KEPT: readonly string[] = ['codigo', ...Object.keys(powerForm.shape)]

/** What the form says, as a definition; the catalogue judges whether it holds together. */
export function definitionOf(form: PowerForm): object {
  const spoken = (prefix: 'titulo' | 'texto') => Object.fromEntries(tongues.map((one) => [TONGUES[one], form[`${prefix}_${one}`]]))
  const side = (prefix: 'de' | 'para', kinds: readonly ('person' | 'company' | 'organisation')[]) =>
    kinds.filter((kind) => (prefix === 'de' ? kind !== 'organisation' && form[`de_${kind}`] : form[`para_${kind}`]) === 'sim')
  return {
    title: spoken('titulo'), description: spoken('texto'), services: form.servicos, kinds: MANDATE_KINDS.filter((kind) => form[`tipo_${kind}`] === 'sim'),
    representedKinds: side('de', ['person', 'company']), delegateKinds: side('para', ['person', 'company', 'organisation']),
    grantorLevel: form.nivel_dar, delegateLevel: form.nivel_receber, signature: form.assinatura, acceptance: form.aceite === 'sim', subDepth: Number(form.repasse),
    longestDays: form.dias, joint: form.conjunto, broad: form.amplo === 'sim', hidden: form.oculto === 'sim',
  }
}

/** A definition as the form would have it typed. */
export function typedOf(definition: RoleDefinition): Typed {
  const { title, description, services, kinds, representedKinds, delegateKinds } = definition
  const ticked = [
    ...kinds.map((kind) => `tipo_${kind}`), ...representedKinds.map((kind) => `de_${kind}`), ...delegateKinds.map((kind) => `para_${kind}`),
    ...(definition.acceptance ? ['aceite'] : []), ...(definition.broad ? ['amplo'] : []), ...(definition.hidden ? ['oculto'] : []),
  ]
  return {
    ...Object.fromEntries(tongues.flatMap((one) => [[`titulo_${one}`, title[TONGUES[one]]], [`texto_${one}`, description[TONGUES[one]]]])),
    servicos: services.join(', '), ...Object.fromEntries(ticked.map((name) => [name, 'sim'])), nivel_dar: definition.grantorLevel, nivel_receber: definition.delegateLevel,
    assinatura: definition.signature, repasse: String(definition.subDepth), dias: String(definition.longestDays), conjunto: definition.joint,
  }
}

/** A new power as most are: a person's or company's mandate that is accepted, for a year. */
export const EMPTY: Typed = {
  tipo_procuracao: 'sim', de_person: 'sim', para_person: 'sim', aceite: 'sim', nivel_dar: 'prata', nivel_receber: 'prata', assinatura: 'simples', repasse: '0', dias: '365',
  conjunto: 'never', servicos: '',
}
