import Router from '@koa/router'
import { z } from 'zod'
import { guard, listOf } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { StepPage } from './flow.ts'
import type { Pages } from './pages.ts'
import { DENIED } from './result.ts'
import { uidParams, type Visit, type Visits } from './visit.ts'

/** What the citizen allows a relying party; answers the grant that bears it. */
export interface ConsentPort {
  grant(consent: {
    readonly accountId: string
    readonly clientId: string
    readonly grantId: string | undefined
    readonly scopes: readonly string[]
    readonly rejectedScopes: readonly string[]
    readonly claims: readonly string[]
    readonly resourceScopes: Readonly<Record<string, readonly string[]>>
  }): Promise<string>
}

export interface ConsentDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly consents: ConsentPort
  /** How the citizen is shown to themself: CPF with its ends hidden. */
  readonly maskedCpfOf: (accountId: string) => Promise<string>
}

/** Ways to reach a person, which a portal can do without: the citizen may leave them out. */
const OPTIONAL_SCOPES: readonly string[] = ['email', 'phone']
const NAMED_SCOPES: readonly string[] = ['openid', 'profile', 'cpf', 'email', 'phone', 'offline_access']
const NAMED_CLAIMS: readonly string[] = ['name', 'social_name', 'birthdate', 'cpf', 'email', 'phone_number', 'verified_claims']

const missingDetails = z.object({
  missingOIDCScope: z.array(z.string()).default([]),
  missingOIDCClaims: z.array(z.string()).default([]),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
})

const decision = z.object({ decision: z.enum(['allow', 'deny']), optional: listOf(z.string().max(40)) })

/** Consent: once for a relying party and a set of data, in sentences that a twelve-year-old understands. */
export function createConsentRoutes({ visits, pages, consents, maskedCpfOf }: ConsentDependencies): { router: Router; show: StepPage } {
  const router = new Router()

  async function show(ctx: HttpContext, visit: Visit): Promise<void> {
    const missing = missingDetails.parse(visit.prompt.details)
    pages.show(ctx, visit, 'consent', {
      cpf: await maskedCpfOf(accountOf(visit)),
      rows: rowsOf(missing),
      isNew: visit.grantId !== undefined,
    })
  }

  router.post('/interacao/:uid/consentir', guard({ params: uidParams, body: decision }, async (ctx, { params, body }) => {
    const visit = await visits.open(ctx, params.uid, ['consent'])
    if (body.decision === 'deny') return visits.finish(ctx, visit, DENIED)
    const missing = missingDetails.parse(visit.prompt.details)
    const rejected = missing.missingOIDCScope.filter((scope) => OPTIONAL_SCOPES.includes(scope) && !body.optional.includes(scope))
    const grantId = await consents.grant({
      accountId: accountOf(visit),
      clientId: visit.client.id,
      grantId: visit.grantId,
      scopes: missing.missingOIDCScope.filter((scope) => !rejected.includes(scope)),
      rejectedScopes: rejected,
      claims: missing.missingOIDCClaims,
      resourceScopes: missing.missingResourceScopes,
    })
    await visits.finish(ctx, visit, { consent: { grantId } })
  }))

  return { router, show }
}

/** One line of the page: a message, and the scope when the citizen may leave it out. */
interface ConsentRow {
  readonly key: string
  readonly params: Readonly<Record<string, string>>
  readonly optional: string | undefined
}

function rowsOf(missing: z.infer<typeof missingDetails>): ConsentRow[] {
  const scopes = [...missing.missingOIDCScope, ...Object.values(missing.missingResourceScopes).flat()]
  return [
    ...scopes.map((scope) => ({ ...rowOf('scope', NAMED_SCOPES, scope), optional: OPTIONAL_SCOPES.includes(scope) ? scope : undefined })),
    ...missing.missingOIDCClaims.map((claim) => ({ ...rowOf('claim', NAMED_CLAIMS, claim), optional: undefined })),
  ]
}

function rowOf(kind: 'scope' | 'claim', named: readonly string[], name: string): Pick<ConsentRow, 'key' | 'params'> {
  return named.includes(name)
    ? { key: `oidc.interaction.${kind}.${name}`, params: {} }
    : { key: `oidc.interaction.${kind}.other`, params: { [kind]: name } }
}

function accountOf(visit: Visit): string {
  const accountId = visit.session?.accountId
  if (accountId === undefined) throw new Error('a consent prompt without a session')
  return accountId
}
