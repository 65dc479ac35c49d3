/** Our server against the reference in one run: the same work in turns, so that a busy moment of the machine hits both. */
import { readdirSync, readFileSync } from 'node:fs'
import { median, relativeTo, type Result } from '../result.ts'
import { discover, type Endpoints } from './flows.ts'
import { type Load, measure, type Work } from './load.ts'
import { type Kind, ours, reference, type Server } from './servers.ts'

const ROUNDS = 3
/** Long enough for the compiler to have seen all of it. */
const WARM_UP_SECONDS = 6
const LOAD: Load = { people: 8, seconds: 4 }

export interface Comparison {
  readonly bench: string
  readonly metric: string
  readonly work: (at: Endpoints) => (person: number) => Work
  readonly seconds?: number
  /** Least ratio by kind of store; a kind that is absent is measured and told only. */
  readonly least: Partial<Readonly<Record<Kind, number>>>
}

/** Measures the reference and ours on these kinds of store, in turns; the server's own CPU time for each is told beside the rate. */
export async function compare(comparison: Comparison, kinds: readonly Kind[]): Promise<Result[]> {
  const { bench, metric, work, least, seconds } = comparison
  const load = { ...LOAD, ...(seconds !== undefined && { seconds }) }
  const servers = [await reference()]
  for (const kind of kinds) servers.push(await ours(kind))
  const places = await Promise.all(servers.map(async (server) => ({ server, at: await discover(server.origin), rates: [] as number[], cpuMs: [] as number[] })))
  for (const { at } of places) await measure({ ...load, seconds: 0, warmUpSeconds: WARM_UP_SECONDS }, work(at))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { server, at, rates, cpuMs } of places) {
      const before = cpuMsOf(server)
      const { perSecond, count } = await measure({ ...load, warmUpSeconds: 0 }, work(at))
      rates.push(perSecond)
      cpuMs.push((cpuMsOf(server) - before) / count)
    }
  }
  const [base, ...others] = places.map(({ rates, cpuMs }) => ({ rate: median(rates), cpuMs: median(cpuMs) }))
  return kinds.flatMap((kind, index) => {
    const value = others[index]
    if (!base || !value) return []
    const rate = relativeTo(base.rate, { bench, metric: `${metric}, ${kind}`, value: value.rate, unit: '/s' }, least[kind])
    return [rate, relativeTo(base.cpuMs, { bench, metric: `${metric}, ${kind}: server's CPU`, value: value.cpuMs, unit: 'ms' })]
  })
}

/** CPU time that the threads of a server have used, to the nanosecond; the clock ticks of /proc/PID/stat mislead on a busy machine. */
function cpuMsOf({ child }: Server): number {
  const folder = `/proc/${child.pid}/task`
  const spent = readdirSync(folder).map((thread) => Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ', 1)[0]))
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6
}
