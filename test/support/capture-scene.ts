/** The image service over HTTP with a real database and image store, tokens that a test hands out, and an engine that sees what it is told. */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { calculateJwkThumbprint, CompactSign, exportJWK } from 'jose'
import sharp from 'sharp'
import { createAudit } from '../../src/audit/index.ts'
import { type AgencyPolicy, agencyPolicySchema, biometricsEvents, type CapturePoint, createImageService, createImageStore, createPoints, createQuotas, type FrameObservation, type ImageStore, pointEvents, type Points } from '../../src/biometrics/index.ts'
import { normalisePhoto } from '../../src/biometrics/image.ts'
import type { Audit } from '../../src/audit/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { createHttpApp } from '../../src/platform/http/app.ts'
import { createAssets } from '../../src/platform/http/assets.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { startServer } from '../../src/platform/http/server.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Problem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { type FixedClock, fixedClock } from './clock.ts'
import { openPgliteTestDatabase } from './database.ts'
import { createSimulatedCamera, SIMULATED_RULE } from './reactive-camera/simulated-person.ts'

const VIEWS = fileURLToPath(new URL('../../views', import.meta.url))
export const CAPTURE_NOW = '2026-11-28T13:30:00Z'
export const CAPTURE_CPF = '52998224725'
export const OTHER_CPF = '11144477735'
export const OPERATOR = { kind: 'operator', id: 'test' } as const

export const CAPTURE_POLICY = agencyPolicySchema.parse({
  scopes: ['biometria.capturar'],
  purposes: [{ code: 'habilitacao', name: 'Renovação da carteira de motorista', legalBasis: 'lgpd-11-ii-g' }],
  perMinute: 10_000,
})

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, never>
  readonly code: string
}

export interface SentItem {
  readonly tipo: string
  readonly bytes: Buffer
  readonly dedo?: number
}

export interface CaptureScene {
  readonly url: string
  readonly db: Database
  readonly clock: FixedClock
  readonly audit: Audit
  readonly images: ImageStore
  readonly points: Points
  readonly key: KeyObject
  point(code: string, more?: { clientId?: string; contract?: string; vouched?: boolean }): Promise<CapturePoint & { key: undefined; privateKey: KeyObject; thumbprint: string }>
  client(id: string, more?: { scopes?: readonly string[]; isBound?: boolean; policy?: Partial<AgencyPolicy> }): string
  call(method: string, path: string, init?: { token?: string; json?: unknown; bytes?: Buffer; headers?: Record<string, string> }): Promise<Answer>
  /** A picture of nobody in particular, each another. */
  picture(width?: number, height?: number): Promise<Buffer>
  /** A picture on which the engine sees this person. */
  face(seed: number, change?: Partial<FrameObservation['faces'][number]>): Promise<Buffer>
  /** Opens a process with these items and gives its answer. */
  open(token: string, items: readonly SentItem[], more?: object, key?: string): Promise<Answer>
  send(token: string, item: { envio: string }, bytes: Buffer): Promise<Answer>
  /** A whole process: opened, sent, concluded. */
  capture(token: string, items: readonly SentItem[], more?: object): Promise<Answer>
  sign(manifest: object, by: { privateKey: KeyObject; thumbprint: string }, header?: object): Promise<string>
  events(type: string): Promise<{ subject_id: string | null; client_id: string | null; actor_kind: string; data: Record<string, unknown> }[]>
  sweep(): Promise<void>
  probe(): Promise<boolean>
  close(): Promise<void>
}

const CITIZENS = new Map([[CAPTURE_CPF, 'Maria'], [OTHER_CPF, 'João']])

export function announced({ tipo, bytes, dedo }: SentItem): object {
  const conteudo = { ffd8: 'image/jpeg', ffa0: 'image/x-wsq' }[bytes.subarray(0, 2).toString('hex')] ?? 'image/png'
  return { tipo, ...(dedo !== undefined && { dedo }), conteudo, tamanho: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** A new key of a point, with its name. */
export async function pointKey(): Promise<{ privateKey: KeyObject; jwk: object; thumbprint: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk, thumbprint: await calculateJwkThumbprint(jwk) }
}

export async function openCaptureScene(database = openPgliteTestDatabase): Promise<CaptureScene> {
  const clock = fixedClock(CAPTURE_NOW)
  const db = await database()
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [biometricsEvents, pointEvents] } })
  const images = createImageStore({ db, keyring, clock, audit })
  const messages = loadMessages({ folder: `${VIEWS}/messages`, strict: true })
  let handler: ReturnType<ReturnType<typeof createHttpApp>['app']['callback']> | undefined
  const server = await startServer({ host: '127.0.0.1', port: 0, handler: (request, response) => void handler?.(request, response) })
  const url = `http://127.0.0.1:${server.port}`
  const quiet = () => {}
  const http = createHttpApp({
    settings: { publicUrl: url, trustedProxies: [], demo: false, viewsFolder: VIEWS },
    keyring, messages, assets: createAssets({ folder: `${VIEWS}/assets` }), log: { info: quiet, warn: quiet, error: (fields) => process.stderr.write(`${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}\n`) },
  })
  const seen = new Map<string, FrameObservation>()
  const clients = new Map<string, { id: string; policy: AgencyPolicy; scopes: readonly string[]; isBound: boolean }>()
  const service = createImageService({
    platform: { db, clock, keyring, audit, publicUrl: url },
    faces: {
      rule: SIMULATED_RULE, normalise: normalisePhoto,
      describe: async (photo) => seen.get(createHash('sha256').update(photo).digest('hex')) ?? { ...createSimulatedCamera({ seed: 1 })({}), faces: [] },
    },
    images,
    register: {
      async find(cpf) {
        const name = CITIZENS.get(cpf)
        return name === undefined ? undefined : ({ cpf, name, birthDate: '1985-03-12', situation: 'regular' } as never)
      },
    },
    web: {
      messages,
      quotas: createQuotas({ db, clock }),
      async requireClient(ctx, scope) {
        const known = clients.get(/^DPoP (\S+)$/.exec(ctx.get('Authorization'))?.[1] ?? '')
        if (!known) throw new Problem({ code: 'oidc/token-invalid', status: 401, title: 'No token' })
        if (!known.scopes.includes(scope)) throw new Problem({ code: 'oidc/scope-missing', status: 403, title: 'No scope' })
        return { id: known.id, name: 'Coletora', policy: known.policy, isBound: known.isBound }
      },
    },
  })
  http.app.use(service.routes.routes())
  handler = http.app.callback()
  const points = createPoints({ db, clock, audit })
  const { privateKey: key } = await pointKey()
  let shade = 0
  let keys = 0

  const scene: CaptureScene = {
    url, db, clock, audit, images, points, key,
    async point(code, { clientId = 'coletora', contract = 'contrato-1', vouched = false } = {}) {
      const made = await pointKey()
      await points.add({ code, unitCode: 'cba-centro', title: 'Balcão do Centro', device: 'Câmera X', maintainer: 'Mantenedora Ltda.', contract, clientId, vouched }, OPERATOR)
      const point = await points.setKey(code, made.jwk, OPERATOR)
      return { ...point, key: undefined, privateKey: made.privateKey, thumbprint: made.thumbprint }
    },
    client(id, { scopes = CAPTURE_POLICY.scopes, isBound = true, policy = {} } = {}) {
      const token = `token-${id}-${randomBytes(8).toString('hex')}`
      clients.set(token, { id, policy: { ...CAPTURE_POLICY, ...policy }, scopes, isBound })
      return token
    },
    async call(method, path, { token, json, bytes, headers = {} } = {}) {
      const response = await fetch(path.startsWith('http') ? path : `${url}/api/coleta/v1${path}`, {
        method,
        headers: {
          Accept: 'application/json', ...(token && { Authorization: `DPoP ${token}` }), ...(json !== undefined && { 'Content-Type': 'application/json' }),
          ...(bytes && { 'Content-Type': 'application/partial-upload' }), ...headers,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
        ...(bytes && { body: Uint8Array.from(bytes) }),
      })
      const text = await response.text()
      const body = text === '' ? {} : JSON.parse(text)
      return { status: response.status, headers: response.headers, body, code: String(body.type ?? '').split('/').slice(-2).join('/') }
    },
    async picture(width = 600, height = 800) {
      shade += 1
      return sharp({ create: { width, height, channels: 3, background: { r: shade % 256, g: (shade >> 8) % 256, b: 90 } } }).jpeg().toBuffer()
    },
    async face(seed, change = {}) {
      const picture = await scene.picture()
      const observation = createSimulatedCamera({ seed, day: 900 + shade })({})
      seen.set(createHash('sha256').update(picture).digest('hex'), { ...observation, faces: observation.faces.map((one) => ({ ...one, ...change })) })
      return picture
    },
    open(token, items, more = {}, idempotency) {
      keys += 1
      const json = {
        ponto: 'p1', cpf: CAPTURE_CPF, finalidade: 'habilitacao', operador: 'mat-77', aparelho: 'Câmera X 1', capturado_em: clock.now().toISOString(),
        itens: items.map(announced), ...more,
      }
      return scene.call('POST', '/processos', { token, json, headers: { 'Idempotency-Key': idempotency ?? `chave-numero-${keys}` } })
    },
    send: (token, { envio }, bytes) => scene.call('PATCH', envio, { token, bytes, headers: { 'Upload-Offset': '0', 'Upload-Complete': '?1' } }),
    async capture(token, items, more) {
      const { body } = await scene.open(token, items, more)
      for (const [index, item] of (body['itens'] as unknown as { envio: string }[]).entries()) await scene.send(token, item, items[index]?.bytes ?? Buffer.alloc(0))
      return scene.call('POST', `/processos/${String(body['id'])}/conclusao`, { token })
    },
    sign: (manifest, { privateKey, thumbprint }, header = {}) =>
      new CompactSign(Buffer.from(JSON.stringify(manifest))).setProtectedHeader({ alg: 'ES256', kid: thumbprint, typ: 'mt-lote+jws', ...header }).sign(privateKey),
    events: (type) => db.query('SELECT subject_id, client_id, actor_kind, data FROM audit_event WHERE type = $1 ORDER BY id', [type]),
    sweep: service.sweep,
    probe: service.probe,
    async close() {
      await server.stop(50)
      await keyring.close()
      await db.close()
    },
  }
  return scene
}
