/** The decision point with ten thousand and with a million mandates in PostgreSQL: how many a second, and whether their number matters. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createAssurance } from '../src/assurance/index.ts'
import { createAudit } from '../src/audit/index.ts'
import { systemClock } from '../src/platform/clock.ts'
import { type Database, openDatabase } from '../src/platform/db.ts'
import { openKeyring } from '../src/platform/keyring.ts'
import { silentLog } from '../src/platform/log.ts'
import { companyRegisterOf, createProxies, type PartyRef, type Proxies, proxiesEvents } from '../src/proxies/index.ts'
import { migrate } from '../src/platform/migrate.ts'
import { Sensitive } from '../src/platform/sensitive.ts'
import { atMost, type BenchOptions, percentile, relativeTo, type Result } from './result.ts'
import { pinLoad, pinServer } from './rig/processes.ts'
import { startPostgres } from './rig/stores.ts'

export const name = 'decisions'
const FEW = 10_000
const MANY = 1_000_000
/** Asked at once, as a server under load does; one at a time for the time of a single decision. */
const IN_FLIGHT = 16
const WARM = 3000
const ROUNDS = 20_000
const SINGLE = 3000
const LEAST_PER_SECOND = 2000
const MOST_P99_MS = 10
const MOST_GROWTH = 1.3
const TICKS_A_SECOND = 100
const ROLE = { namespace: 'bench', code: 'ipva' }
const DEFINITION = {
  title: { 'pt-BR': 'IPVA', en: 'IPVA', es: 'IPVA' }, description: { 'pt-BR': 'pagar o IPVA', en: 'pay the IPVA', es: 'pagar el IPVA' },
  representedKinds: ['person'], delegateKinds: ['person'], longestDays: 365,
}

/** Two check digits by SQL, so that a million people have CPFs that hold. */
const CPF = `CREATE FUNCTION bench_cpf(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  WITH b AS (SELECT lpad((100000000 + n)::text, 9, '0') AS t),
  d AS (SELECT t, ((SELECT sum(substr(t, i, 1)::int * (11 - i)) FROM generate_series(1, 9) i) * 10 % 11) % 10 AS one FROM b)
  SELECT t || one || ((((SELECT sum(substr(t, i, 1)::int * (12 - i)) FROM generate_series(1, 9) i) + one * 2) * 10) % 11) % 10 FROM d $$`

/** People in a ring: each represents the next one; every person has an account's evidence at prata, so that nothing is cheaper than in life. */
async function fill(db: Database, from: number, to: number): Promise<void> {
  const range = [from, to - 1]
  const steps = [
    `INSERT INTO person (id, cpf, name, birth_date, created_at) SELECT gen_random_uuid(), bench_cpf(n), 'Pessoa ' || n, '1980-01-01', now() FROM generate_series($1::bigint, $2::bigint) n`,
    `INSERT INTO evidence (id, person_id, method, source, grants, obtained_at, details) SELECT gen_random_uuid(), p.id, 'govbr', 'govbr', 'prata', now(), '{}'::jsonb
       FROM generate_series($1::bigint, $2::bigint) n JOIN person p ON p.cpf = bench_cpf(n)`,
    `INSERT INTO proxy_party (id, kind, document, name, standing, standing_at, created_at) SELECT gen_random_uuid(), 'person', bench_cpf(n), 'Pessoa ' || n, 'regular', now(), now()
       FROM generate_series($1::bigint, $2::bigint) n`,
    `INSERT INTO mandate (id, kind, state, represented_id, grantor_id, delegate_id, root_id, path, sub_depth, valid_from, valid_through, effective_at, signatures, origin, created_at)
       SELECT x.id, 'procuracao', 'active', x.r, x.r, x.d, x.id, ARRAY[x.id], 0, current_date - 1, current_date + 300, now(), 1, 'local', now() FROM (
         SELECT gen_random_uuid() AS id, r.id AS r, d.id AS d FROM generate_series($1::bigint, $2::bigint) n JOIN proxy_party r ON r.document = bench_cpf(n)
           JOIN proxy_party d ON d.document = bench_cpf(CASE WHEN n = $2 THEN $1 ELSE n + 1 END)) x`,
  ]
  for (const text of steps) await db.execute(text, range)
  await db.execute(`INSERT INTO mandate_power (mandate_id, namespace, code, version) SELECT id, 'bench', 'ipva', 1 FROM mandate m WHERE NOT EXISTS (SELECT 1 FROM mandate_power w WHERE w.mandate_id = m.id)`)
  // What a database has behind it that was not filled a moment ago.
  await db.raw('VACUUM ANALYZE')
  await db.raw('CHECKPOINT')
}

/** CPU seconds of the database's processes that serve us, so far; they stay the same while a pool is full. */
async function storeCpu(db: Database): Promise<number> {
  const rows = await db.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE datname = current_database()')
  const ticksOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return rows.map(({ pid }) => ticksOf(pid)).reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0) / TICKS_A_SECOND
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

interface Measured {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** CPU of one decision, in milliseconds: what other work on the machine does not change. */
  readonly ownCpuMs: number
  readonly storeCpuMs: number
}

async function measure(db: Database, { decide }: Pick<Proxies, 'decide'>, count: number): Promise<Measured> {
  const rows = await db.query<{ actor: string; represented: string }>(
    `SELECT d.document AS actor, r.document AS represented FROM mandate m JOIN proxy_party d ON d.id = m.delegate_id JOIN proxy_party r ON r.id = m.represented_id
     ORDER BY md5(m.id::text) LIMIT ${Math.min(count, 20_000)}`,
  )
  const person = (cpf: string): PartyRef => ({ kind: 'person', cpf: cpf as never })
  const asks = rows.map(({ actor, represented }) => ({ actor: person(actor), represented: person(represented), role: ROLE }))
  const ask = async (index: number): Promise<number> => {
    const question = asks[index % asks.length]
    if (!question) throw new Error('there are no mandates')
    const startedAt = performance.now()
    if (!(await decide(question)).permit) throw new Error('a decision denied what was granted')
    return performance.now() - startedAt
  }
  for (let index = 0; index < WARM; index += 1) await ask(index)
  const single: number[] = []
  for (let index = 0; index < SINGLE; index += 1) single.push(await ask(index * 7))
  const took: number[] = []
  let next = 0
  const cpu = { own: ownCpu(), store: await storeCpu(db) }
  const startedAt = performance.now()
  const lane = async () => {
    while (next < ROUNDS) {
      next += 1
      took.push(await ask(next))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  const perSecond = (ROUNDS / (performance.now() - startedAt)) * 1000
  const [ownCpuMs, storeCpuMs] = [((ownCpu() - cpu.own) / ROUNDS) * 1000, (((await storeCpu(db)) - cpu.store) / ROUNDS) * 1000]
  return { perSecond, p50: percentile(single, 0.5), p99: percentile(took, 0.99), ownCpuMs, storeCpuMs }
}

export async function run({ size: many = MANY }: BenchOptions = {}): Promise<readonly Result[]> {
  const store = await startPostgres({ sharedBuffers: '1GB' })
  const db = await openDatabase({ url: new Sensitive(store.url), dataDir: 'memory', statementTimeoutMs: 20 * 60_000 })
  await migrate(db)
  const keyring = await openKeyring({ db, clock: systemClock, dataDir: 'memory' })
  try {
    const audit = createAudit({ db, clock: systemClock, keyring, log: silentLog, settings: { catalogs: [proxiesEvents] } })
    const proxies = createProxies({
      platform: { db, clock: systemClock, keyring }, audit, assurance: createAssurance({ db, audit, clock: systemClock, demo: false }),
      ports: { register: { find: async () => undefined }, companies: companyRegisterOf([]), notify: async () => {}, endRepresentationTokens: async () => {} },
      paper: { documents: { render: async () => Buffer.alloc(0) }, texts: { text: (_locale, key) => key }, publicUrl: 'http://localhost' },
    })
    const actor = { kind: 'system', id: randomUUID() } as const
    await proxies.roles.addNamespace({ code: ROLE.namespace, title: 'Bench', clientId: 'bench' }, actor)
    await proxies.roles.draft({ ...ROLE, definition: DEFINITION }, actor)
    await proxies.roles.publish(ROLE, actor)
    await db.execute(CPF)
    // The process that decides is the server here: on its own core, the database on the other.
    pinServer()
    await fill(db, 0, FEW)
    const few = await measure(db, proxies, FEW)
    await fill(db, FEW, many)
    const full = await measure(db, proxies, many)
    return [
      relativeTo(LEAST_PER_SECOND, { bench: name, metric: `decisions of one process, ${many} mandates`, value: full.perSecond, unit: '/s' }, 1),
      atMost({ bench: name, metric: `99th percentile of the same, ${IN_FLIGHT} at once`, value: full.p99, unit: 'ms' }, MOST_P99_MS),
      atMost({ bench: name, metric: 'CPU of one decision: the process', value: full.ownCpuMs, unit: 'ms' }, 1000 / LEAST_PER_SECOND),
      atMost({ bench: name, metric: 'the same: PostgreSQL', value: full.storeCpuMs, unit: 'ms' }, 1000 / LEAST_PER_SECOND),
      atMost({ bench: name, metric: `the same: PostgreSQL, ${FEW} mandates`, value: few.storeCpuMs, unit: 'ms' }),
      atMost({ bench: name, metric: `median of one at a time, ${FEW} mandates`, value: few.p50, unit: 'ms' }),
      atMost({ bench: name, metric: `median of one at a time, ${many} mandates`, value: full.p50, unit: 'ms' }),
      atMost({ bench: name, metric: 'growth of the median', value: full.p50 / few.p50, unit: 'x' }, MOST_GROWTH),
    ]
  } finally {
    await keyring.close()
    await db.close()
    await store.stop()
    pinLoad()
  }
}
