/** Our server against the reference in one run: the same work in turns, so that a busy moment of the machine hits both. */
import { readFileSync } from 'node:fs'
import { median, relativeTo, type Result } from '../result.ts'
import { discover, type Endpoints } from './flows.ts'
import { type Load, measure, type Work } from './load.ts'
import { type Kind, ours, reference, type Server } from './servers.ts'

const ROUNDS = 3
const LOAD: Load = { people: 8, seconds: 4, warmUpSeconds: 1 }

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
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { server, at, rates, cpuMs } of places) {
      await measure({ ...load, seconds: 0 }, work(at))
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

const TICK_MS = 10

/** CPU time that all threads of a server have used, from /proc. */
function cpuMsOf({ child }: Server): number {
  const [, ...fields] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(/\) |\s/)
  const times = fields.slice(fields.findIndex((field) => /^[RSDTtZI]$/.test(field)) + 11)
  return (Number(times[0]) + Number(times[1])) * TICK_MS
}
