import { errors, type ProviderContext } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { RepresentationPort, RepresentationUse } from '../ports.ts'
import { claimUse, insertChoice, turnChoice } from './representation.store.ts'
import { actingOf, type Current, type Representations } from './representations.ts'

export interface UsesDeps {
  readonly db: Database
  readonly clock: Clock
  readonly register: Pick<RepresentationPort, 'noteUse'>
  readonly representations: Pick<Representations, 'current'>
  readonly revokeGrant: (grantId: string) => Promise<void>
}

type Around = (ctx: ProviderContext, handle: () => Promise<void>) => Promise<void>

/**
 * Writes each use down between the making of tokens and their sending, in one transaction with the claim that the mandate is still in force.
 *
 * A mandate that ends takes the same rows. So either the use comes first, and the end kills what it made; or the end comes first, and what
 * was made reaches nobody: no use is silent and no end is late.
 */
export function recordUses(deps: UsesDeps, kind: RepresentationUse['kind']): Around {
  return async (ctx, handle) => {
    await handle()
    const current = deps.representations.current(ctx)
    if (!current || (!current.representation && !current.isSwitch)) return
    const grantId = grantIdOf(ctx)
    const claimed = { current, grantId, kind: current.isSwitch ? ('switch' as const) : kind }
    if (await claim(deps, ctx, claimed).catch(falseIfOver)) return
    await deps.revokeGrant(grantId)
    throw new errors.InvalidGrant('the representation is over')
  }
}

/** Rolls the transaction of a use back: the choice ended, or turned, meanwhile. */
class Over extends Error {}

function falseIfOver(error: unknown): false {
  if (error instanceof Over) return false
  throw error
}

async function claim(
  { db, clock, register }: UsesDeps,
  ctx: ProviderContext,
  { current, grantId, kind }: { current: Current; grantId: string; kind: RepresentationUse['kind'] },
): Promise<boolean> {
  const { choice, representation, isSwitch } = current
  const accountId = choice?.accountId ?? ctx.oidc.account?.accountId ?? ''
  const clientId = ctx.oidc.client.clientId
  const acting = representation && actingOf(representation)
  const take = async (sql: Sql): Promise<boolean> => {
    const now = clock.now()
    if (!isSwitch) return acting !== undefined && claimUse(sql, grantId, acting.id, now)
    if (choice) return turnChoice(sql, choice, acting, now)
    return insertChoice(sql, { grantId, accountId, clientId, sessionUid: sessionUidOf(ctx), acting }, now)
  }
  if (!representation) return take(db)
  return register.noteUse({ accountId, clientId, representation, kind, about: audienceOf(ctx) }, async (tx) => {
    if (!(await take(tx))) throw new Over()
  })
}

function member(ctx: ProviderContext, entity: string, name: string): string | undefined {
  const found = ctx.oidc.entities[entity]
  const value: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined
  return typeof value === 'string' ? value : undefined
}

const grantIdOf = (ctx: ProviderContext): string => member(ctx, 'AccessToken', 'grantId') ?? ''
const sessionUidOf = (ctx: ProviderContext): string | undefined => member(ctx, 'AccessToken', 'sessionUid')
const audienceOf = (ctx: ProviderContext): string | undefined => member(ctx, 'AccessToken', 'aud')
