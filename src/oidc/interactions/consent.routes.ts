import Router from '@koa/router'
import { z } from 'zod'
import { guard, listOf } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { REPRESENTATION_SCOPES } from '../clients/client.ts'
import type { StepPage } from './flow.ts'
import type { Pages } from './pages.ts'
import { DENIED } from './result.ts'
import { accountOf, uidParams, type Visit, type Visits } from './visit.ts'

/** Records what the citizen allows a relying party; answers the id of the grant that bears it. */
export type GiveConsent = (consent: {
  readonly accountId: string
  readonly clientId: string
  readonly grantId: string | undefined
  readonly wanted: {
    readonly scopes: readonly string[]
    readonly claims: readonly string[]
    readonly resources: Readonly<Record<string, readonly string[]>>
  }
  /** What the citizen left out of what was asked for. */
  readonly declined: readonly string[]
}) => Promise<string>

/** What a relying party can do without, by its policy. */
export type OptionalScopesOf = (clientId: string) => Promise<readonly string[]>

export interface ConsentDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly giveConsent: GiveConsent
  readonly optionalScopesOf: OptionalScopesOf
  readonly people: {
    /** How the citizen is shown to themself: CPF with its ends hidden. */
    readonly maskedCpfOf: (accountId: string) => Promise<string>
    readonly actingFor: ActingFor
  }
}

/** Name of the party for whom the person acts in this interaction, if it is another. */
export type ActingFor = (visit: Visit) => Promise<string | undefined>

/** Scopes and claims with a sentence of their own, in the order of the page. */
const NAMED_SCOPES: readonly string[] = ['profile', 'cpf', 'email', 'phone', 'offline_access', ...REPRESENTATION_SCOPES, 'openid']
/** Scopes of which the page says what the relying party needs them for; of all others, that it needs them. */
const EXPLAINED: readonly string[] = ['profile', 'cpf', 'email', 'phone', 'offline_access', 'openid']
const NAMED_CLAIMS: readonly string[] = ['name', 'social_name', 'birthdate', 'cpf', 'email', 'phone_number', 'verified_claims', 'representation']

const missingDetails = z.object({
  missingOIDCScope: z.array(z.string()).default([]),
  missingOIDCClaims: z.array(z.string()).default([]),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
})
type Missing = z.infer<typeof missingDetails>

const decision = z.object({ decision: z.enum(['allow', 'deny']), scope: listOf(z.string().max(100)) })

/** Consent: once for a relying party and a set of data, in sentences that a twelve-year-old understands. */
export function createConsentRoutes({ visits, pages, giveConsent, optionalScopesOf, people }: ConsentDependencies): { router: Router; show: StepPage } {
  const router = new Router()

  async function show(ctx: HttpContext, visit: Visit): Promise<void> {
    const rows = rowsOf(shownTo(visit), await optionalScopesOf(visit.client.id))
    pages.show(ctx, visit, 'consent', { cpf: await people.maskedCpfOf(accountOf(visit)), represented: await people.actingFor(visit), rows })
  }

  router.post(
    '/interacao/:uid/consentir',
    guard({ params: uidParams, body: decision }, async (ctx, { params, body }) => {
      const visit = await visits.open(ctx, params.uid, ['consent'])
      if (body.decision === 'deny') return visits.finish(ctx, visit, DENIED)
      const { missingOIDCScope: asked, ...missing } = shownTo(visit)
      const optional = await optionalScopesOf(visit.client.id)
      const declined = asked.filter((scope) => optional.includes(scope) && !body.scope.includes(scope))
      const grantId = await giveConsent({
        accountId: accountOf(visit),
        clientId: visit.client.id,
        grantId: visit.grantId,
        wanted: { scopes: asked.filter((scope) => !declined.includes(scope)), claims: missing.missingOIDCClaims, resources: missing.missingResourceScopes },
        declined,
      })
      await visits.finish(ctx, visit, { consent: { grantId } })
    }),
  )

  return { router, show }
}

/** What the page lists: what is missing, and where the relying party wants the question asked again also what was given before. */
function shownTo({ prompt, params }: Visit): Missing {
  const missing = missingDetails.parse(prompt.details)
  if (!prompt.reasons.includes('consent_prompt')) return missing
  const asked = (params['scope'] ?? '').split(' ').filter((scope) => NAMED_SCOPES.includes(scope))
  return { ...missing, missingOIDCScope: [...new Set([...missing.missingOIDCScope, ...asked])] }
}

/** One line of the page: a message and its parameters. */
interface ConsentRow {
  readonly key: string
  readonly params: Readonly<Record<string, string>>
  /** What it is needed for; of what can be left out, the scope that a tick stands for. */
  readonly why: string
  readonly optional?: string
}

function rowsOf(missing: Missing, optional: readonly string[]): ConsentRow[] {
  const scopes = [...missing.missingOIDCScope, ...Object.values(missing.missingResourceScopes).flat()]
  return [
    ...NAMED_SCOPES.filter((scope) => scopes.includes(scope)).map((scope) => ({ ...rowOf('scope', scope, true), ...(optional.includes(scope) && { optional: scope }) })),
    ...scopes.filter((scope) => !NAMED_SCOPES.includes(scope)).map((scope) => rowOf('scope', scope, false)),
    ...missing.missingOIDCClaims.map((claim) => rowOf('claim', claim, NAMED_CLAIMS.includes(claim))),
  ]
}

function rowOf(kind: 'scope' | 'claim', name: string, isNamed: boolean): ConsentRow {
  const why = `oidc.interaction.why.${kind === 'scope' && EXPLAINED.includes(name) ? name : 'other'}`
  if (REPRESENTATION_SCOPES.includes(name)) return { key: `acting.scope.${name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/-$/, '')}`, params: {}, why }
  if (name === 'representation') return { key: 'acting.claim', params: {}, why }
  return isNamed
    ? { key: `oidc.interaction.${kind}.${name}`, params: {}, why }
    : { key: `oidc.interaction.${kind}.other`, params: { [kind]: name }, why }
}
