import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { hash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TokenInstance } from 'oidc-provider'
import { agencyApi, agencyResource } from '../../src/oidc/access/agency-access.ts'
import { createResourceAccess } from '../../src/oidc/access/resource-access.ts'
import { clientPolicySchema, type ClientRecord } from '../../src/oidc/index.ts'
import type { HttpContext } from '../../src/platform/http/request-facts.ts'
import { Problem } from '../../src/platform/problem.ts'
import { fixedClock } from '../support/clock.ts'

const ISSUER = 'https://login.example'
const AUDIENCE = agencyApi(ISSUER)
const RECORD = { id: 'orgao' } as ClientRecord

function makeCertificate(): X509Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-cert-'))
  const [key, file] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', file, '-subj', '/CN=orgao'], { stdio: 'ignore' })
  const certificate = new X509Certificate(readFileSync(file))
  rmSync(folder, { recursive: true })
  return certificate
}

/** A request with these headers, and the challenge that it was answered with. */
function request(headers: Record<string, string>): { ctx: HttpContext; challenge: () => string } {
  let challenge: unknown
  const set = (_: string, value: unknown): void => {
    challenge = value
  }
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const ctx = { method: 'POST', path: '/api/biometria/v1/qualidade', get: (name: string) => lower.get(name.toLowerCase()) ?? '', set }
  return { ctx: ctx as unknown as HttpContext, challenge: () => String(challenge) }
}

function accessTo(token: Partial<TokenInstance> & Record<string, unknown>, certificate?: X509Certificate, record: ClientRecord | undefined = RECORD) {
  const found = { isValid: true, clientId: 'orgao', aud: AUDIENCE, scopes: new Set(['x']), ...token } as unknown as TokenInstance
  return createResourceAccess({
    provider: { issuer: ISSUER, ClientCredentials: { find: async () => found } as never, ReplayDetection: { unique: async () => true } },
    directory: { find: async () => record },
    certificates: { getCertificate: () => certificate },
    clock: fixedClock(),
  })
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => 'none', (error: unknown) => (error instanceof Problem ? error.code : String(error)))
}

const BEARER = { Authorization: 'Bearer mtc_x' }

test('what a token must be: valid, for this API, of a client that is there, in the header as RFC 6750 has it', async () => {
  assert.deepEqual([...(await accessTo({}).present(request(BEARER).ctx, AUDIENCE)).scopes], ['x'])
  assert.equal(await codeOf(accessTo({ isValid: false } as never).present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
  assert.equal(await codeOf(accessTo({ aud: 'https://other.example' }).present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
  assert.equal(await codeOf(accessTo({ aud: undefined } as never).present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
  const gone = createResourceAccess({ ...{ provider: { issuer: ISSUER, ClientCredentials: { find: async () => ({ isValid: true, clientId: 'x', aud: AUDIENCE, scopes: new Set() }) } as never, ReplayDetection: { unique: async () => true } }, certificates: { getCertificate: () => undefined }, clock: fixedClock() }, directory: { find: async () => undefined } })
  assert.equal(await codeOf(gone.present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
  for (const Authorization of ['', 'Basic eDp5', 'Bearer', 'Bearer a b', 'mtc_x', 'Bearer a,b']) {
    const { ctx, challenge } = request({ Authorization })
    assert.equal(await codeOf(accessTo({}).present(ctx, AUDIENCE)), 'oidc/token-missing', Authorization)
    assert.match(challenge(), /^Bearer realm="https:\/\/login\.example",DPoP realm/)
  }
})

test('a token bound to a certificate opens nothing without it, nor with another', async () => {
  const [own, other] = [makeCertificate(), makeCertificate()]
  const bound = { 'x5t#S256': hash('sha256', own.raw, 'base64url') }
  assert.equal(await codeOf(accessTo(bound, own).present(request(BEARER).ctx, AUDIENCE)), 'none')
  assert.equal(await codeOf(accessTo(bound, other).present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
  assert.equal(await codeOf(accessTo(bound).present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
})

test('the scheme must be the token’s own: bound ones are no bearer tokens, bearer tokens need no proof', async () => {
  assert.equal(await codeOf(accessTo({ jkt: 'k' }).present(request(BEARER).ctx, AUDIENCE)), 'oidc/token-invalid')
  assert.equal(await codeOf(accessTo({}).present(request({ Authorization: 'DPoP mtc_x' }).ctx, AUDIENCE)), 'oidc/token-invalid')
  assert.equal(await codeOf(accessTo({ jkt: 'k' }).present(request({ Authorization: 'DPoP mtc_x', DPoP: 'a.b.c' }).ctx, AUDIENCE)), 'oidc/token-invalid')
})

test('tokens for the agencies’ API are made only for a client that an operator granted it to', () => {
  const agency = { scopes: ['biometria.validar' as const], purposes: [{ code: 'x', name: 'Uma finalidade', legalBasis: 'lgpd-11-i' as const }] }
  const granted = clientPolicySchema.parse({ agency })
  assert.deepEqual(agencyResource(ISSUER, AUDIENCE, granted), { scope: 'biometria.validar', audience: AUDIENCE, accessTokenTTL: 300, accessTokenFormat: 'opaque' })
  assert.equal(agencyResource(ISSUER, AUDIENCE, clientPolicySchema.parse({})), undefined)
  assert.equal(agencyResource(ISSUER, `${AUDIENCE}/x`, granted), undefined)
  for (const broken of [{ ...agency, scopes: ['biometria.tudo'] }, { ...agency, purposes: [] }, { ...agency, returnUris: ['http://golpe.example/'] }, { ...agency, returnUris: ['https://x.example/#f'] }, { ...agency, perMonth: 0 }, { ...agency, silent: true }]) {
    assert.equal(clientPolicySchema.safeParse({ agency: broken }).success, false, JSON.stringify(broken))
  }
})
