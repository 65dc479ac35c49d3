import type { ProviderContext } from 'oidc-provider'
import type { Database } from '../../platform/db.ts'
import { grantedStanding } from '../claims/find-account.ts'
import type { AuditPort } from '../ports.ts'

const GRANTS = new Map([
  ['AuthorizationCode', 'code'],
  ['RefreshToken', 'refresh'],
  ['DeviceCode', 'device'],
])

/**
 * Writes the line in the person's ledger between the making of tokens and their sending.
 *
 * If the line can't be written the answer is an error and the tokens reach nobody: no use of an identity is silent.
 */
export function recordAuthorization({
  db,
  audit,
}: {
  db: Database
  audit: AuditPort
}): (ctx: ProviderContext, handle: () => Promise<void>) => Promise<void> {
  return async (ctx, handle) => {
    await handle()
    const made = grantedStanding(ctx)
    const accountId = made?.source.accountId
    if (!made || accountId === undefined) return
    const { standing, source } = made
    const clientId = ctx.oidc.client.clientId
    await audit.record(db, {
      type: 'oidc/authorized',
      actor: { kind: 'client', id: clientId },
      subject: accountId,
      clientId,
      data: { grant: GRANTS.get(source.kind) ?? 'code', level: standing.level, aal: standing.aal, scopes: [...source.scopes] },
    })
  }
}
