/** The agencies' API over HTTP with a real database, image store and liveness, tokens that a test hands out, and an engine that sees what it is told. */
import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { accountsEvents } from '../../src/accounts/index.ts'
import { type Audit, createAudit } from '../../src/audit/index.ts'
import { agencyEvents, type AgencyPolicy, agencyPolicySchema, type AgencyScope, biometricsEvents, createAgencies, createImageStore, createReceiptKeys, type ImageStore } from '../../src/biometrics/index.ts'
import type { FrameObservation } from '../../src/biometrics/index.ts'
import { createFaceCheckRoutes } from '../../src/oidc/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { createHttpApp } from '../../src/platform/http/app.ts'
import { createAssets } from '../../src/platform/http/assets.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { startServer } from '../../src/platform/http/server.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Problem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { type FixedClock, movableClock } from './clock.ts'
import { openPgliteTestDatabase } from './database.ts'
import { tinyJpeg } from './face-check-client.ts'
import { createSimulatedCamera, faceOf, type Persona, SIMULATED_RULE } from './reactive-camera/simulated-person.ts'

export const RETURN_URI = 'https://servicos.orgao.example/validacao/volta'
export const PEOPLE = { known: '52998224725', accountless: '11144477735', bare: '16899535009', nobody: '98765432100' }
const VIEWS = fileURLToPath(new URL('../../views', import.meta.url))

export const POLICY = agencyPolicySchema.parse({
  scopes: ['biometria.qualidade', 'biometria.comparar', 'biometria.validar', 'biometria.referencia', 'biometria.digitais'],
  purposes: [
    { code: 'habilitacao', name: 'Renovação da carteira de motorista', legalBasis: 'lgpd-11-ii-g' },
    { code: 'pericia', name: 'Perícia em processo judicial', legalBasis: 'lgpd-11-ii-d' },
  ],
  returnUris: [RETURN_URI],
})

export interface AgencyScene {
  readonly url: string
  readonly db: Database
  readonly clock: FixedClock
  readonly audit: Audit
  readonly images: ImageStore
  readonly accountId: string
  readonly personIds: Readonly<Record<keyof typeof PEOPLE, string>>
  /** A client with a token for all that its policy says, or for some scopes. */
  client(id: string, policy?: Partial<AgencyPolicy>, scopes?: readonly AgencyScope[]): string
  see(jpeg: Buffer, observation: FrameObservation): void
  /** A picture of a simulated person, as base64. */
  photo(persona?: Partial<Persona>, change?: Partial<FrameObservation['faces'][number]>): string
  /** A JSON call; the token goes into Authorization. */
  call(method: string, path: string, init?: { token?: string; json?: unknown; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }): Promise<Answer>
  events(type: string): Promise<{ subject_id: string | null; client_id: string | null; data: Record<string, unknown> }[]>
  sweep(): Promise<void>
  /** As an operator does; the id of the new key. */
  rotateReceiptKey(): Promise<string>
  attemptsLeft(subject: string, client: string): number
  /** As an operator does: its tokens and its validations are worth nothing from now on. */
  disable(client: string): void
  logged(): string
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, never>
  /** Last two parts of a problem's type. */
  readonly code: string
}

const ATTEMPTS = 3
let days = 900

export async function openAgencyScene(): Promise<AgencyScene> {
  const clock = movableClock()
  const db = await openPgliteTestDatabase()
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [accountsEvents, biometricsEvents, agencyEvents] } })
  const images = createImageStore({ db, keyring, clock, audit })
  const messages = loadMessages({ folder: `${VIEWS}/messages`, strict: true })
  const log: string[] = []
  const write = (fields: object, text: string) => void log.push(`${text} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}`)
  let handler: ReturnType<ReturnType<typeof createHttpApp>['app']['callback']> | undefined
  const server = await startServer({ host: '127.0.0.1', port: 0, handler: (request, response) => void handler?.(request, response) })
  const url = `http://127.0.0.1:${server.port}`
  const http = createHttpApp({
    settings: { publicUrl: url, trustedProxies: [], demo: false, viewsFolder: VIEWS },
    keyring, messages, assets: createAssets({ folder: `${VIEWS}/assets` }), log: { info: write, warn: write, error: write },
  })
  const pictures = new Map<string, FrameObservation>()
  const lookUp = async (jpeg: Uint8Array) => pictures.get(Buffer.from(jpeg).toString('latin1')) ?? { ...createSimulatedCamera({ seed: 1 })({}), faces: [] }
  const clients = new Map<string, { id: string; policy: AgencyPolicy; scopes: readonly AgencyScope[] }>()
  const attempts = new Map<string, number>()
  const disabled = new Set<string>()
  const agencies = createAgencies({
    platform: { db, clock, keyring, audit, publicUrl: url },
    faces: { rule: SIMULATED_RULE, describe: lookUp, observe: lookUp },
    images,
    web: {
      views: http.views,
      messages,
      async requireClient(ctx, scope) {
        const known = clients.get(/^Bearer (\S+)$/.exec(ctx.get('Authorization'))?.[1] ?? '')
        if (!known || disabled.has(known.id)) throw new Problem({ code: 'oidc/token-invalid', status: 401, title: 'No token' })
        if (!known.scopes.includes(scope)) throw new Problem({ code: 'oidc/scope-missing', status: 403, title: 'No scope' })
        return { id: known.id, name: 'DETRAN', policy: known.policy, isBound: true }
      },
      mountFaceChecks: (endpoints) => createFaceCheckRoutes({ messages, ...endpoints }),
      async describeAgency(clientId, code) {
        if (disabled.has(clientId)) return undefined
        const purpose = POLICY.purposes.find((each) => each.code === code)
        return purpose && { name: 'DETRAN', purpose: purpose.name, legalBasis: purpose.legalBasis }
      },
    },
    attempts: {
      async claim(subject, door) {
        const key = `${door}/${subject}`
        const used = attempts.get(key) ?? 0
        if (used >= ATTEMPTS) throw new Problem({ code: 'accounts/too-many-attempts', status: 429, title: 'Too many' }, { retryAfterSeconds: 3600 })
        attempts.set(key, used + 1)
      },
      left: async (subject, door) => ATTEMPTS - (attempts.get(`${door}/${subject}`) ?? 0),
      clear: async (subject, _, door) => void attempts.delete(`${door}/${subject}`),
    },
  })
  for (const router of agencies.routes) http.app.use(router.routes())
  handler = http.app.callback()

  const personIds = { known: randomUUID(), accountless: randomUUID(), bare: randomUUID(), nobody: randomUUID() }
  const accountId = randomUUID()
  for (const who of ['known', 'accountless', 'bare'] as const) {
    await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, now())', [personIds[who], PEOPLE[who], 'Maria', '1985-03-12'])
  }
  await db.execute("INSERT INTO account (id, person_id, status, created_at) VALUES ($1, $2, 'active', now())", [accountId, personIds.known])
  const face = await sharp({ create: { width: 240, height: 300, channels: 3, background: '#b08060' } }).jpeg().toBuffer()
  for (const [who, seed] of [['known', 1], ['accountless', 2]] as const) {
    const provenance = { source: 'counter', method: 'camera', trusted: true, inPerson: true, capturedAt: new Date('2026-05-04T12:00:00Z'), capturePoint: 'ganha-tempo-1' } as const
    const image = { personId: personIds[who], kind: 'face', bytes: face, contentType: 'image/jpeg', width: 240, height: 300, provenance } as const
    await db.transaction((tx) => images.put(tx, image, { modelId: 'simulated', k: 3, descriptor: faceOf(seed) }))
  }

  return {
    url, db, clock, audit, images, accountId, personIds,
    client(id, policy = {}, scopes = POLICY.scopes) {
      const token = `token-${id}-${randomUUID()}`
      clients.set(token, { id, policy: { ...POLICY, ...policy }, scopes })
      return token
    },
    see: (jpeg, observation) => void pictures.set(jpeg.toString('latin1'), observation),
    photo(persona = {}, change = {}) {
      days += 1
      const seen = createSimulatedCamera({ seed: 1, day: days, ...persona })({})
      const picture = tinyJpeg()
      pictures.set(picture.toString('latin1'), { ...seen, faces: seen.faces.map((one) => ({ ...one, ...change })) })
      return picture.toString('base64')
    },
    async call(method, path, { token, json, headers = {}, body } = {}) {
      const response = await fetch(path.startsWith('/') ? url + path : path, {
        method,
        headers: {
          Accept: 'application/json', ...(token && { Authorization: `Bearer ${token}` }), ...(json !== undefined && { 'Content-Type': 'application/json' }), ...headers,
        },
        ...(json !== undefined ? { body: JSON.stringify(json) } : body !== undefined && { body }),
      })
      const text = await response.text()
      const parsed = text === '' ? {} : JSON.parse(text)
      return { status: response.status, headers: response.headers, body: parsed, code: String(parsed.type ?? '').split('/').slice(-2).join('/') }
    },
    events: (type) => db.query('SELECT subject_id, client_id, data FROM audit_event WHERE type = $1 ORDER BY id', [type]),
    sweep: agencies.sweep,
    rotateReceiptKey: () => createReceiptKeys({ db, clock, keyring, audit }).rotate({ kind: 'operator', id: 'test' }),
    attemptsLeft: (subject, client) => ATTEMPTS - (attempts.get(`agency/${client}/${subject}`) ?? 0),
    disable: (client) => void disabled.add(client),
    logged: () => log.join('\n'),
    async close() {
      await server.stop(50)
      await keyring.close()
      await db.close()
    },
  }
}
