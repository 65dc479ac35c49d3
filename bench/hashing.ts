/** `/token` must not wait for other people's passwords: its latency while sixteen logins hash in parallel. */
import { discover, type Endpoints, fullLogin, plainCalls, repeated } from './rig/flows.ts'
import { measure } from './rig/load.ts'
import { ours } from './rig/servers.ts'
import { atMost, type Result } from './result.ts'

export const name = 'hashing'
const LOGINS = 16
const SECONDS = 8
const TOKEN_P99_MS = 100

export async function run(): Promise<readonly Result[]> {
  const at = await discover((await ours('argon2id')).origin)
  const [logins, tokens] = await Promise.all([measure({ people: LOGINS, seconds: SECONDS }, fullLogin(at, LOGINS)), measure({ people: 1, seconds: SECONDS }, probe(at))])
  return [
    atMost({ bench: name, metric: `/token p99 while ${LOGINS} logins hash`, value: tokens.p99Ms, unit: 'ms' }, TOKEN_P99_MS),
    atMost({ bench: name, metric: '/token p50 of the same', value: tokens.p50Ms, unit: 'ms' }),
    atMost({ bench: name, metric: 'logins beside it', value: logins.perSecond, unit: '/s' }),
  ]
}

/** One machine that asks for a token again and again. */
function probe(at: Endpoints) {
  return repeated(at, (token) => plainCalls(at)['client_credentials']?.(token) ?? { method: 'GET', path: '/' })
}
