/** The calls without pages: discovery, keys, userinfo, introspection, client_credentials. */
import { compare } from './rig/compare.ts'
import { type Endpoints, plainCalls, repeated } from './rig/flows.ts'
import type { Result } from './result.ts'

export const name = 'endpoints'

const LEAST = {
  discovery: { postgresql: 0.9 },
  jwks: { postgresql: 0.9 },
  userinfo: { postgresql: 0.6, redis: 0.8 },
  introspection: { postgresql: 0.6, redis: 0.8 },
  client_credentials: { postgresql: 0.6, redis: 0.8 },
} as const

export async function run(): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const [metric, least] of Object.entries(LEAST)) {
    const work = (at: Endpoints) => repeated(at, (token) => callOf(at, metric, token))
    results.push(...(await compare({ bench: name, metric, work, least, seconds: 2 }, 'redis' in least ? ['postgresql', 'redis'] : ['postgresql'])))
  }
  return results
}

function callOf(at: Endpoints, metric: string, token: string) {
  const make = plainCalls(at)[metric]
  if (!make) throw new Error(`there is no call named ${metric}`)
  return make(token)
}
