import type { ProviderContext } from 'oidc-provider'
import type { OidcPorts, Standing } from '../ports.ts'

/** The standing of a session, asked once in a request: every decision of that request is about the same facts. */
export interface Standings {
  of(ctx: ProviderContext, accountId: string, sessionUid: string | undefined): Promise<Standing | undefined>
}

export function createStandings(ports: Pick<OidcPorts, 'findStanding'>): Standings {
  const asked = new WeakMap<ProviderContext, Map<string, Promise<Standing | undefined>>>()
  return {
    async of(ctx, accountId, sessionUid) {
      if (sessionUid === undefined) return undefined
      const known = asked.get(ctx) ?? new Map<string, Promise<Standing | undefined>>()
      asked.set(ctx, known)
      const key = `${accountId} ${sessionUid}`
      const standing = known.get(key) ?? ports.findStanding(accountId, sessionUid)
      known.set(key, standing)
      return standing
    },
  }
}
