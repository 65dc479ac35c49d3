import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import type { Quotas } from './metering/quota.ts'
import type { AgencyClient, AgencyScope, RequireClient } from './policy.ts'

export interface AdmissionDependencies {
  readonly requireClient: RequireClient
  readonly quotas: Pick<Quotas, 'claimCall'>
}

/** Who calls, and how often, before a byte of the body is read. */
export interface Admission {
  /** Lets a client with this scope through; `check` may refuse it before the call is counted. */
  admit(scope: AgencyScope, check?: (client: AgencyClient) => void): HttpMiddleware
  /** The client that was let through. */
  clientOf(ctx: HttpContext): AgencyClient
}

export function createAdmission({ requireClient, quotas }: AdmissionDependencies): Admission {
  const clients = new WeakMap<HttpContext, AgencyClient>()
  return {
    admit: (scope, check) => async (ctx, next) => {
      const client = await requireClient(ctx, scope)
      check?.(client)
      await quotas.claimCall(ctx, client)
      clients.set(ctx, client)
      await next()
    },
    clientOf(ctx) {
      const client = clients.get(ctx)
      if (!client) throw new Error('a call without its client')
      return client
    },
  }
}
