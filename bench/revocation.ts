/** The end of a mandate at the relying parties: from its commit to the last logout token, with one relying party that never answers. */
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { refreshTokenGrant } from 'openid-client'
import { everySecond } from '../src/app/background.ts'
import { endRepresentations, type Representation } from '../src/oidc/index.ts'
import { openDatabase } from '../src/platform/db.ts'
import { migrate } from '../src/platform/migrate.ts'
import { Sensitive } from '../src/platform/sensitive.ts'
import { Browser, type Harness, registerClient, type RelyingParty, signIn, startHarness } from '../test/oidc/harness.ts'
import { atMost, type Result } from './result.ts'
import { pinLoad, pinServer } from './rig/processes.ts'
import { startPostgres } from './rig/stores.ts'

export const name = 'revocation'
/** Mandates that end, at moments that meet the second's round in another place each. */
const ENDS = 5
/** Sign-ins under each mandate; as many again at the relying party that hangs, in the first of them. */
const SIGN_INS = 20
const MOST_MS = 5000
const POLICY = { representation: true, representationNamespaces: ['sefaz'], allowInternalHosts: ['127.0.0.1'], allowedScopes: ['openid', 'profile', 'offline_access', 'representacao'] }

const mandate = (id: string): Representation => ({
  id, mandateId: id, kind: 'procuracao', powers: ['sefaz:ipva.consultar'], titles: [], validFrom: '2026-11-01', validThrough: '2099-12-31', mayDelegate: false, through: [], minimumLevel: 'bronze',
  represented: { partyId: randomUUID(), type: 'PJ', name: 'Sementes do Cerrado Ltda', document: '12ABC34501DE35' },
})

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/out`
}

const registered = (harness: Harness, uri: string) => registerClient(harness, { backchannel_logout_uri: uri, backchannel_logout_session_required: true }, POLICY)

/** Refresh tokens of people who act under a mandate. */
async function actUnder({ world }: Harness, one: Representation, rp: RelyingParty): Promise<string[]> {
  const tokens: string[] = []
  world.representations = [one]
  world.chosen = one.id
  for (let count = 0; count < SIGN_INS; count += 1) {
    tokens.push((await signIn(rp, new Browser(), { scope: 'openid representacao offline_access', prompt: 'consent' })).refresh_token ?? '')
  }
  return tokens
}

export async function run(): Promise<readonly Result[]> {
  const store = await startPostgres()
  const db = await openDatabase({ url: new Sensitive(store.url), dataDir: 'memory' })
  await migrate(db)
  const harness = await startHarness({ db })
  let heard: number[] = []
  const hung = createServer(() => {})
  const quick = createServer((request, response) => {
    request.resume().once('end', () => {
      heard.push(performance.now())
      response.writeHead(200).end()
    })
  })
  const failures: unknown[] = []
  const rounds = [() => harness.oidc.deliverLogouts(), () => harness.oidc.representation.killEnded()].map((work) => everySecond(work, (error) => failures.push(error)))
  try {
    pinServer()
    harness.world.level = 'prata'
    const [slow, rp] = [await registered(harness, await listen(hung)), await registered(harness, await listen(quick))]
    for (const round of rounds) round.start()
    const [first, last, refused]: number[][] = [[], [], []]
    for (let count = 0; count < ENDS; count += 1) {
      const one = mandate(randomUUID())
      if (count === 0) await actUnder(harness, one, slow)
      const [token = ''] = await actUnder(harness, one, rp)
      await sleep((count * 1000) / ENDS)
      heard = []
      await db.transaction((tx) => endRepresentations(tx, one.id, new Date()))
      const committed = performance.now()
      await refreshTokenGrant(rp.config, token).then(() => failures.push(new Error('a refresh after the end')), () => {})
      refused?.push(performance.now() - committed)
      while (heard.length < SIGN_INS && performance.now() - committed < 4 * MOST_MS) await sleep(10)
      if (heard.length < SIGN_INS) failures.push(new Error(`${heard.length} of ${SIGN_INS} were told`))
      first?.push((heard[0] ?? Number.POSITIVE_INFINITY) - committed)
      last?.push((heard[SIGN_INS - 1] ?? Number.POSITIVE_INFINITY) - committed)
    }
    if (failures.length > 0) throw new AggregateError(failures, 'ends of mandates did not arrive')
    const worst = (values: readonly number[] = []) => Math.max(...values)
    return [
      atMost({ bench: name, metric: `back-channel logout of ${SIGN_INS} sign-ins, the last, worst of ${ENDS}`, value: worst(last), unit: 'ms' }, MOST_MS),
      atMost({ bench: name, metric: 'the same, the first', value: worst(first), unit: 'ms' }),
      atMost({ bench: name, metric: 'refresh refused after the commit', value: worst(refused), unit: 'ms' }),
    ]
  } finally {
    for (const round of rounds) await round.stop()
    for (const server of [hung, quick]) {
      server.closeAllConnections()
      server.close()
    }
    await harness.close()
    await db.close()
    await store.stop()
    pinLoad()
  }
}
