/** From the start of the process to ready, as `npm start` does it on the embedded database: first run, then an existing one. */
import { BOTH_CORES } from './rig/processes.ts'
import { startOurs, temporaryFolder } from './rig/servers.ts'
import { atMost, median, type Result } from './result.ts'

export const name = 'start'
const FIRST_MS = 6000
const EXISTING_MS = 3000
const TIMES = 3

export async function run(): Promise<readonly Result[]> {
  const first: number[] = []
  const existing: number[] = []
  for (let time = 0; time < TIMES; time += 1) {
    const env = { DATA_DIR: temporaryFolder(), DEMO: 'true', LOG_LEVEL: 'info' }
    for (const readings of [first, existing]) {
      const server = await startOurs('src/main.ts', env, BOTH_CORES)
      readings.push(server.readyMs)
      await server.stop()
    }
  }
  return [
    atMost({ bench: name, metric: 'first run, with the demo', value: median(first), unit: 'ms' }, FIRST_MS),
    atMost({ bench: name, metric: 'existing embedded database', value: median(existing), unit: 'ms' }, EXISTING_MS),
  ]
}
