/** Resident memory with the face workers loaded: at rest, and after a load of logins. */
import { readFileSync } from 'node:fs'
import { atMost, type Result } from './result.ts'
import { discover, fullLogin } from './rig/flows.ts'
import { measure } from './rig/load.ts'
import { type Kind, ours, type Server } from './rig/servers.ts'

export const name = 'memory'
const MOST_MB = 450
const PEOPLE = 8

/** The server is ready only when its face and hash workers are. */
export async function run(): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const kind of ['pglite', 'argon2id'] as const satisfies readonly Kind[]) {
    const server = await ours(kind)
    const store = kind === 'pglite' ? 'embedded database' : 'postgresql'
    results.push(atMost({ bench: name, metric: `resident when ready, ${store}`, value: residentMb(server), unit: 'MB' }, MOST_MB))
    await measure({ people: PEOPLE, seconds: 5 }, fullLogin(await discover(server.origin), PEOPLE))
    results.push(atMost({ bench: name, metric: `resident after 5 s of logins, ${store}`, value: residentMb(server), unit: 'MB' }, MOST_MB))
  }
  return results
}

function residentMb({ child }: Server): number {
  const [, kib = 'NaN'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return (Number(kib) * 1024) / 1e6
}
