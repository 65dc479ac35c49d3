/** How long the event loop is held up under logins with face checks running beside them. */
import { atMost, type Result } from './result.ts'
import { discover, fullLogin } from './rig/flows.ts'
import { HttpConnection } from './rig/http-connection.ts'
import { measure } from './rig/load.ts'
import { ours, type Server } from './rig/servers.ts'

export const name = 'loop'
const MOST_MS = 50
/** The histogram of perf_hooks ticks this often, and what it calls a delay includes the tick. */
const TICK_MS = 10
const PEOPLE = 16
const SECONDS = 10

export async function run(): Promise<readonly Result[]> {
  const server = await ours('faces')
  const at = await discover(server.origin)
  const work = fullLogin(at, PEOPLE)
  await measure({ people: PEOPLE, seconds: 2 }, work)
  await readDelays(server)
  const { perSecond } = await measure({ people: PEOPLE, seconds: SECONDS, warmUpSeconds: 0 }, work)
  const { maxMs, p99Ms } = await readDelays(server)
  return [
    atMost({ bench: name, metric: 'longest block under logins and face checks', value: maxMs, unit: 'ms' }, MOST_MS),
    atMost({ bench: name, metric: '99th percentile of the same', value: p99Ms, unit: 'ms' }),
    atMost({ bench: name, metric: 'logins meanwhile', value: perSecond, unit: '/s' }),
  ]
}

/** The event loop's delays since the last reading: reading the server's metrics begins a new histogram. */
async function readDelays({ metricsOrigin }: Server): Promise<{ maxMs: number; p99Ms: number }> {
  const connection = new HttpConnection(metricsOrigin)
  const { body } = await connection.send({ method: 'GET', path: '/metrics' })
  connection.close()
  const text = body.toString()
  const read = (suffix: string) => {
    const [, seconds = 'NaN'] = new RegExp(`^nodejs_eventloop_lag_${suffix}_seconds (\\S+)$`, 'm').exec(text) ?? []
    return Math.max(0, Number(seconds) * 1000 - TICK_MS)
  }
  return { maxMs: read('max'), p99Ms: read('p99') }
}
