/** Capture software as it comes: a DPoP-bound token of the whole server, real nets, a process from the first byte to the person's history. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { exportJWK, SignJWT } from 'jose'
import * as oidc from 'openid-client'
import type { Account } from '../../src/accounts/index.ts'
import { compareFaces, createPoints } from '../../src/biometrics/index.ts'
import { capturePhoto, frameOf, HEADS } from '../support/face-samples.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import { addCitizen, people, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all } = people(1)
const OPERATOR = { kind: 'operator', id: 'test' } as const
const GRANT = { scopes: ['biometria.capturar', 'biometria.comparar'], purposes: [{ code: 'identificacao', name: 'Emissão da identidade', legalBasis: 'lgpd-11-ii-b' }] }

let app: WatchedApp
let citizen: Account
let config: oidc.Configuration
let keys: Awaited<ReturnType<typeof oidc.randomDPoPKeyPair>>
let token: string
const api = () => `${app.publicUrl}/api/coleta/v1`

before(async () => {
  app = await startWatchedApp({ register, env: { CLIENT_CERT_HEADER: 'Client-Cert', CLIENT_CERT_VERIFY_HEADER: 'X-Client-Verify' } })
  citizen = await addCitizen(app, all[0] ?? assert.fail())
  config = await clientOf('coletora', { dpop_bound_access_tokens: true })
  keys = await oidc.randomDPoPKeyPair('ES256', { extractable: true })
  token = await tokenOf('biometria.capturar', { DPoP: oidc.getDPoPHandle(config, keys) })
  const { db, clock } = app.foundation
  await createPoints({ db, clock, audit: app.rooms.audit }).add(
    { code: 'cba-01', unitCode: 'cba', title: 'Centro', device: 'Câmera X', maintainer: 'M', contract: 'c1', clientId: 'coletora', vouched: true }, OPERATOR,
  )
})
after(() => app.stop())

function certificate(name: string): X509Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-capture-'))
  const [key, out] = ['key', 'pem'].map((part) => path.join(folder, part))
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key ?? '', '-days', '2', '-out', out ?? '', '-subj', `/CN=${name}`], { stdio: 'ignore' })
  const made = new X509Certificate(readFileSync(out ?? ''))
  rmSync(folder, { recursive: true })
  return made
}

async function clientOf(id: string, metadata: object): Promise<oidc.Configuration> {
  const { client, secret } = await app.oidc.clients.create({
    id, metadata: { client_name: 'Coletora', grant_types: ['client_credentials'], response_types: [], ...metadata }, policy: { agency: GRANT } as never, actor: OPERATOR,
  })
  return oidc.discovery(new URL(app.publicUrl), client.id, secret, oidc.ClientSecretBasic(secret), { execute: [oidc.allowInsecureRequests] })
}

const tokenOf = async (scope: string, options?: { DPoP: oidc.DPoPHandle }, of = config) =>
  (await oidc.clientCredentialsGrant(of, { scope, resource: `${app.publicUrl}/api/biometria` }, options)).access_token

async function proof(method: string, url: string, access: string): Promise<string> {
  const ath = createHash('sha256').update(access).digest('base64url')
  return new SignJWT({ htm: method, htu: url, ath, jti: randomUUID(), iat: Math.floor(app.clock.now().getTime() / 1000) })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) }).sign(keys.privateKey)
}

interface Sent {
  readonly json?: unknown
  readonly bytes?: Buffer
  readonly headers?: Record<string, string>
  readonly access?: string
  readonly dpop?: string
}

async function call(method: string, url: string, { json, bytes, headers = {}, access = token, dpop }: Sent = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      Accept: 'application/json', Authorization: `DPoP ${access}`, DPoP: dpop ?? (await proof(method, url, access)),
      ...(json !== undefined && { 'Content-Type': 'application/json' }), ...(bytes && { 'Content-Type': 'application/partial-upload' }), ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(bytes && { body: Uint8Array.from(bytes) }),
  })
  const body: Record<string, never> = JSON.parse((await response.text()) || '{}')
  return { status: response.status, body, code: String(body['type'] ?? '').split('/').slice(-2).join('/') }
}

function processOf(bytes: Buffer, tipo = 'assinatura') {
  return {
    ponto: 'cba-01', cpf: all[0]?.cpf, finalidade: 'identificacao', operador: 'mat-1', aparelho: 'Câmera X', capturado_em: app.clock.now().toISOString(),
    itens: [{ tipo, conteudo: 'image/jpeg', tamanho: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }],
  }
}

const itemOf = ({ body }: { body: Record<string, never> }) => (body['itens'] as unknown as { envio: string }[])[0] ?? assert.fail(JSON.stringify(body))
const piece = (url: string, bytes: Buffer, offset: number, isLast: boolean) =>
  call('PATCH', url, { bytes, headers: { 'Upload-Offset': String(offset), 'Upload-Complete': isLast ? '?1' : '?0' } })

test('a process goes the whole way: sent in pieces, judged, counted, and in the citizen’s history; a face too small is refused by the real nets', async () => {
  const bytes = await (await loadFaceViews(SAMPLE_FACES.one)).jpeg({ yawDegrees: 0, moment: 7000 })
  const face = await call('POST', `${api()}/processos`, { json: processOf(bytes, 'rosto'), headers: { 'Idempotency-Key': 'processo-0000' } })
  const refused = await piece(itemOf(face).envio, bytes, 0, true)
  assert.deepEqual([refused.status, refused.body['situacao']], [200, 'recusado'], JSON.stringify(refused.body))
  assert.match(JSON.stringify(refused.body['motivos']), /face\/low-resolution/)
  const opened = await call('POST', `${api()}/processos`, { json: processOf(bytes), headers: { 'Idempotency-Key': 'processo-0001' } })
  assert.equal(opened.status, 201, JSON.stringify(opened.body))
  assert.equal((await piece(itemOf(opened).envio, bytes.subarray(0, 4096), 0, false)).body['situacao'], 'recebendo')
  assert.equal((await piece(itemOf(opened).envio, bytes.subarray(4096), 4096, true)).body['situacao'], 'guardado')
  assert.equal((await call('POST', `${api()}/processos/${String(opened.body['id'])}/conclusao`)).body['situacao'], 'capturado')
  const ledger = (await app.rooms.audit.ledger(citizen.id, { limit: 20 })).map(({ type }) => type)
  for (const type of ['capture-opened', 'image-stored', 'process-captured']) assert.ok(ledger.includes(`biometrics/${type}`), ledger.join())
})

test('a face to the norm is accepted by the real nets, becomes the reference at a point that the state vouches for, and is who it is', async () => {
  const bytes = await capturePhoto()
  const opened = await call('POST', `${api()}/processos`, { json: processOf(bytes, 'rosto'), headers: { 'Idempotency-Key': 'processo-rosto' } })
  const stored = await piece(itemOf(opened).envio, bytes, 0, true)
  assert.deepEqual([stored.status, stored.body['situacao'], stored.body['motivos']], [200, 'guardado', []], JSON.stringify(stored.body))
  assert.equal((await call('POST', `${api()}/processos/${String(opened.body['id'])}/conclusao`)).body['situacao'], 'capturado')
  const { faces, images } = app.rooms
  const reference = await images.findReference(citizen.personId, faces.rule.modelId)
  assert.equal(reference?.inPerson, false, 'by software is not in person under dual control')
  const again = (await faces.describe(await frameOf(HEADS.third, { quality: 95 }))).faces[0]?.descriptor ?? assert.fail()
  assert.equal(compareFaces(faces.rule, { template: again, k: 1 }, reference?.descriptor ?? [])?.same, true)
})

test('a token bound to a certificate captures with that certificate only, and only through the proxy that verified it', async () => {
  const [ours, other] = [certificate('coletora.mt.test'), certificate('outra.mt.test')]
  const jwks = { keys: [{ kty: 'EC', ...ours.publicKey.export({ format: 'jwk' }), x5c: [ours.raw.toString('base64')] }] }
  await app.oidc.clients.create({
    id: 'por-certificado', policy: { agency: GRANT } as never, actor: OPERATOR,
    metadata: {
      client_name: 'Coletora', grant_types: ['client_credentials'], response_types: [], redirect_uris: [], token_endpoint_auth_method: 'self_signed_tls_client_auth',
      tls_client_certificate_bound_access_tokens: true, jwks,
    },
  })
  const shown = (by: X509Certificate): Record<string, string> => ({ 'Client-Cert': `:${by.raw.toString('base64')}:`, 'X-Client-Verify': 'SUCCESS' })
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'por-certificado', scope: 'biometria.capturar', resource: `${app.publicUrl}/api/biometria` })
  const granted = await fetch(`${app.publicUrl}/token`, { method: 'POST', body: form, headers: shown(ours) })
  const bound = String(Object(await granted.json()).access_token)
  const point = { code: 'cba-02', unitCode: 'cba', title: 'Centro', device: 'C', maintainer: 'M', contract: 'c1', clientId: 'por-certificado', vouched: false }
  const { db, clock } = app.foundation
  await createPoints({ db, clock, audit: app.rooms.audit }).add(point, OPERATOR)
  const send = async (headers: Record<string, string>) => {
    const response = await fetch(`${api()}/processos`, {
      method: 'POST', body: JSON.stringify({ ...processOf(Buffer.from('x')), ponto: 'cba-02' }),
      headers: { Accept: 'application/json', 'Content-Type': 'application/json', Authorization: `Bearer ${bound}`, 'Idempotency-Key': 'por-certificado-1', ...headers },
    })
    return response.status
  }
  assert.equal(await send(shown(ours)), 201)
  assert.deepEqual([await send({}), await send(shown(other))], [401, 401])
})

test('a replayed proof, a stolen token, a loose token, and a token without the scope capture nothing', async () => {
  const bytes = Buffer.from('x')
  const url = `${api()}/processos`
  const once = await proof('POST', url, token)
  const send = (more: Sent) => call('POST', url, { json: processOf(bytes), headers: { 'Idempotency-Key': 'processo-0002' }, ...more })
  assert.equal((await send({ dpop: once })).status, 201)
  assert.deepEqual([(await send({ dpop: once })).code, (await send({ dpop: '' })).code], ['oidc/token-invalid', 'oidc/token-invalid'])
  assert.equal((await send({ dpop: await proof('GET', url, token) })).code, 'oidc/token-invalid')
  const loose = await clientOf('solta', {})
  const response = await fetch(url, {
    method: 'POST', body: JSON.stringify(processOf(bytes)),
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', Authorization: `Bearer ${await tokenOf('biometria.capturar', undefined, loose)}`, 'Idempotency-Key': 'processo-0003' },
  })
  assert.deepEqual([response.status, /points\/not-bound/.test(await response.text())], [403, true])
  const narrow = await tokenOf('biometria.comparar', { DPoP: oidc.getDPoPHandle(config, keys) })
  assert.equal((await send({ access: narrow })).code, 'oidc/scope-missing')
})
