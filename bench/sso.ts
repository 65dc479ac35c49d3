/** The flow of someone who is already signed in: authorize, code, token, userinfo. */
import { compare } from './rig/compare.ts'
import { signedInFlow } from './rig/flows.ts'
import type { Result } from './result.ts'

export const name = 'sso'

export function run(): Promise<readonly Result[]> {
  return compare({ bench: name, metric: 'already signed in', work: signedInFlow, least: { postgresql: 0.5, redis: 0.75 } }, ['postgresql', 'redis', 'pglite'])
}
