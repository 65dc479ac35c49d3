import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Actor, AuditPort } from '../ports.ts'
import { OIDC_PROBLEMS } from '../problems.ts'
import { findResource, listResources, putResource, type Resource } from './resource.store.ts'

const CACHE_MS = 5000

const schema = z.strictObject({
  indicator: z
    .string()
    .refine((value) => URL.canParse(value) && !value.includes('#'), 'an absolute address without a fragment is expected'),
  name: z.string().min(1).max(200),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).min(1),
  tokenFormat: z.enum(['opaque', 'jwt']),
  tokenSeconds: z.int().min(30).max(3600),
  ownerClientId: z.string().optional(),
  scopePowers: z.record(z.string(), z.array(z.string().regex(/^[a-z][a-z0-9-]{1,31}:[a-z][a-z0-9.-]*$/)).min(1)).default({}),
})

/** Resource servers for which access tokens can be asked (RFC 8707). */
export interface Resources {
  /** Kept for five seconds in memory. */
  find(indicator: string): Promise<Resource | undefined>
  list(): Promise<Resource[]>
  /** Adds or replaces one. @throws {Problem} oidc/resource-invalid */
  put(resource: z.input<typeof schema>, actor: Actor): Promise<void>
}

export function createResources({ db, clock, audit }: { db: Database; clock: Clock; audit: AuditPort }): Resources {
  const cache = new Map<string, { resource: Resource | undefined; at: number }>()
  return {
    async find(indicator) {
      const known = cache.get(indicator)
      if (known && performance.now() - known.at < CACHE_MS) return known.resource
      const resource = await findResource(db, indicator)
      if (resource) cache.set(indicator, { resource, at: performance.now() })
      else cache.delete(indicator)
      return resource
    },
    list: () => listResources(db),
    async put(input, actor) {
      const parsed = schema.safeParse(input)
      if (!parsed.success)
        throw new Problem(OIDC_PROBLEMS.resourceInvalid, { detail: parsed.error.issues.map(({ message }) => message).join('; ') })
      const resource = { ...parsed.data, ownerClientId: parsed.data.ownerClientId }
      await db.transaction(async (tx) => {
        await putResource(tx, resource, clock.now())
        await audit.record(tx, {
          type: 'oidc/resource-set',
          actor,
          data: { indicator: resource.indicator, tokenFormat: resource.tokenFormat },
        })
      })
      cache.delete(resource.indicator)
    },
  }
}
