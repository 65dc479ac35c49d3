/** Numbers for Prometheus, on a port of their own that is not for the public. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { PoolStats } from './worker-pool.ts'

export interface RequestSample {
  readonly room: string
  /** The route's pattern, never the path: ids would make a series each. */
  readonly route: string
  readonly method: string
  readonly status: number
  readonly seconds: number
}

export interface Metrics {
  request(sample: RequestSample): void
  /** Counts something that happened, by a few fixed labels. */
  count(name: string, labels?: Readonly<Record<string, string>>): void
  /** Shows a worker pool: busy, queued, done, failed, refused, replaced. */
  watchPool(name: string, stats: () => PoolStats): void
  /** Shows a number that is read when asked for. */
  watch(name: string, help: string, read: () => number | Promise<number>): void
  /** The same for several numbers by a few fixed labels; what is not read again is not shown again. */
  watchEach(name: string, help: string, labelNames: readonly string[], read: () => Promise<readonly GaugeValue[]>): void
  text(): Promise<string>
  /** Serves GET /metrics; returns the port and a stop. */
  listen(host: string, port: number): Promise<{ port: number; close: () => Promise<void> }>
}

/** One of several numbers under one name. */
export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const PREFIX = 'mtlogin_'
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** A registry of its own with Node's numbers in it (event loop delay, memory, garbage collection). */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 10 })
  const labelNames = ['room', 'route', 'method', 'status'] as const
  const requests = new Histogram({
    name: `${PREFIX}request_seconds`,
    help: 'Answered requests',
    labelNames,
    buckets: SECONDS,
    registers: [registry],
  })
  const pools = new Map<string, () => PoolStats>()
  watchPools(registry, pools)
  const counters = new Map<string, Counter>()
  const text = () => registry.metrics()
  return {
    request: ({ room, route, method, status, seconds }) => requests.observe({ room, route, method, status }, seconds),
    count(name, labels = {}) {
      const known =
        counters.get(name) ?? new Counter({ name: PREFIX + name, help: name, labelNames: Object.keys(labels), registers: [registry] })
      counters.set(name, known)
      known.inc(labels)
    },
    watchPool: (name, stats) => void pools.set(name, stats),
    watch(name, help, read) {
      const gauge: Gauge = new Gauge({ name: PREFIX + name, help, registers: [registry], collect: async () => gauge.set(await read()) })
    },
    watchEach(name, help, labelNames, read) {
      const gauge: Gauge = new Gauge({
        name: PREFIX + name,
        help,
        labelNames: [...labelNames],
        registers: [registry],
        async collect() {
          const values = await read()
          gauge.reset()
          for (const { labels, value } of values) gauge.set(labels, value)
        },
      })
    },
    text,
    listen: (host, port) => serve(text, registry.contentType, { host, port }),
  }
}

function watchPools(registry: Registry, pools: ReadonlyMap<string, () => PoolStats>): void {
  const gauge: Gauge<'pool' | 'state'> = new Gauge({
    name: `${PREFIX}worker_pool`,
    help: 'Tasks of the worker pools by state; size and busy are threads',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const [pool, stats] of pools) for (const [state, value] of Object.entries(stats())) gauge.set({ pool, state }, value)
    },
  })
}

async function serve(text: () => Promise<string>, contentType: string, address: { host: string; port: number }) {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    const body = await text().catch(() => undefined)
    response.writeHead(body === undefined ? 500 : 200, { 'content-type': contentType }).end(body)
  })
  server.headersTimeout = 5000
  server.requestTimeout = 5000
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address.port, address.host, resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port, close }
}
