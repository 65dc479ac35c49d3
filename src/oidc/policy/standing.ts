import type { ProviderContext } from 'oidc-provider'
import type { OidcPorts, Person, Standing } from '../ports.ts'

/** Person and standing of a session, asked once in a request: every decision of that request is about the same facts. */
export interface Standings {
  person(ctx: ProviderContext, accountId: string, sessionUid: string | undefined): Promise<Person>
  of(ctx: ProviderContext, accountId: string, sessionUid: string | undefined): Promise<Standing | undefined>
}

export function createStandings(ports: Pick<OidcPorts, 'findPerson'>): Standings {
  const asked = new WeakMap<ProviderContext, Map<string, Promise<Person>>>()

  function person(ctx: ProviderContext, accountId: string, sessionUid: string | undefined): Promise<Person> {
    const known = asked.get(ctx) ?? new Map<string, Promise<Person>>()
    asked.set(ctx, known)
    const key = `${accountId} ${sessionUid ?? ''}`
    const found = known.get(key) ?? ports.findPerson(accountId, sessionUid)
    known.set(key, found)
    return found
  }

  return {
    person,
    of: async (ctx, accountId, sessionUid) => (sessionUid === undefined ? undefined : (await person(ctx, accountId, sessionUid)).standing),
  }
}
