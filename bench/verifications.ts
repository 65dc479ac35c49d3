/** Tokens while 25 people verify their faces on the same two cores, and the memory of a thousand such checks. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, percentile, type Result } from './result.ts'
import { discover, plainCalls, repeated } from './rig/flows.ts'
import { HttpConnection } from './rig/http-connection.ts'
import type { Work } from './rig/load.ts'
import { ours, type Server, temporaryFolder } from './rig/servers.ts'
import { FRAMES, IN_FLIGHT, LONG_SESSIONS, writePictures } from './rig/verifying-people.ts'

export const name = 'verifications'
const MOST_TOKEN_MS = 100
/** What a heap may breathe; a leak of one frame a session would be 900 MB, of one observation 10. */
const MOST_GROWTH_MB = 20
const SESSIONS = 1000
const TOKEN_SECONDS = 12
/** Asks once every 20 ms or so: a relying party's pace, not a load test. */
const TOKEN_PAUSE_MS = 20

export async function run(): Promise<readonly Result[]> {
  const pictures = temporaryFolder()
  await writePictures(pictures)
  process.env['BENCH_PICTURES'] = pictures
  const server = await ours('verifications')
  const at = await discover(server.origin)
  const call = repeated(at, () => {
    const make = plainCalls(at)['client_credentials']
    if (!make) throw new Error('there is no call for a token')
    return make('')
  })
  const before = await framesDone(server)
  const startedAt = performance.now()
  const tookMs = (await Promise.all([0, 1].map((person) => askForTokens(call(person))))).flat()
  const framesPerSecond = ((await framesDone(server)) - before) / ((performance.now() - startedAt) / 1000)
  process.stderr.write(
    `  /token p99 ${percentile(tookMs, 0.99).toFixed(0)} ms of ${tookMs.length}, ${framesPerSecond.toFixed(0)} frames/s\n`,
  )
  const memory = await watchMemory(server)
  const bench = name
  return [
    atMost(
      {
        bench,
        metric: `/token, 99th percentile, ${IN_FLIGHT} checks of ${FRAMES.long} frames in flight`,
        value: percentile(tookMs, 0.99),
        unit: 'ms',
      },
      MOST_TOKEN_MS,
    ),
    atMost({ bench, metric: 'median of the same', value: percentile(tookMs, 0.5), unit: 'ms' }),
    atMost({ bench, metric: 'frames judged meanwhile', value: framesPerSecond, unit: '/s' }),
    atMost({ bench, metric: `resident memory, growth over ${SESSIONS} checks`, value: memory.growthMb, unit: 'MB' }, MOST_GROWTH_MB),
    atMost({ bench, metric: 'resident memory before them', value: memory.firstMb, unit: 'MB' }),
    atMost({ bench, metric: 'resident memory at their end', value: memory.lastMb, unit: 'MB' }),
  ]
}

/** What each token took, asked for at a relying party's pace; the first of all is the connection's and not counted. */
async function askForTokens(ask: Work): Promise<number[]> {
  await ask(0)
  const tookMs: number[] = []
  for (const end = performance.now() + TOKEN_SECONDS * 1000; performance.now() < end; ) {
    const askedAt = performance.now()
    await ask(1)
    tookMs.push(performance.now() - askedAt)
    await sleep(TOKEN_PAUSE_MS)
  }
  return tookMs
}

/** Growth by the straight line through the readings: one reading may meet a garbage collection. */
async function watchMemory(server: Server): Promise<{ growthMb: number; firstMb: number; lastMb: number }> {
  const sessionsAt = async () => Math.max(0, ((await framesDone(server)) - LONG_SESSIONS * FRAMES.long) / FRAMES.short)
  while ((await sessionsAt()) < 1) await sleep(500)
  const readings: [sessions: number, mb: number][] = []
  for (let sessions = 0; sessions < SESSIONS; ) {
    sessions = await sessionsAt()
    readings.push([sessions, residentMb(server)])
    await sleep(1000)
  }
  const mean = (pick: (reading: [number, number]) => number) => readings.reduce((sum, reading) => sum + pick(reading), 0) / readings.length
  const [x, y] = [mean(([sessions]) => sessions), mean(([, mb]) => mb)]
  const slope = mean(([sessions, mb]) => (sessions - x) * (mb - y)) / mean(([sessions]) => (sessions - x) ** 2)
  return { growthMb: slope * SESSIONS, firstMb: readings[0]?.[1] ?? Number.NaN, lastMb: readings.at(-1)?.[1] ?? Number.NaN }
}

async function framesDone({ metricsOrigin }: Server): Promise<number> {
  const connection = new HttpConnection(metricsOrigin)
  const { body } = await connection.send({ method: 'GET', path: '/metrics' })
  connection.close()
  return Number(/^mtlogin_worker_pool\{pool="faces",state="done"\} (\S+)$/m.exec(body.toString())?.[1] ?? Number.NaN)
}

function residentMb({ child }: Server): number {
  const [, kib = 'NaN'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return (Number(kib) * 1024) / 1e6
}
