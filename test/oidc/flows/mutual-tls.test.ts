/** Clients that show a certificate (RFC 8705) through a proxy that ends TLS: by header, from the proxy only, tokens bound to it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { type Harness, registerClient, startHarness } from '../harness.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-mtls-'))
let behind: Harness
let bare: Harness

before(async () => {
  behind = await startHarness({ proxy: { trusted: ['127.0.0.1'], certificate: 'Client-Cert', verified: 'X-Client-Verify' } })
  bare = await startHarness({ proxy: { trusted: ['10.0.0.0/8'], certificate: 'Client-Cert', verified: 'X-Client-Verify' } })
})
after(async () => {
  await behind.close()
  await bare.close()
  rmSync(folder, { recursive: true })
})

function certificate(name: string): X509Certificate {
  const file = path.join(folder, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`]
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-out', file, '-subj', `/C=BR/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`], { stdio: 'ignore' })
  return new X509Certificate(readFileSync(file))
}

const ours = certificate('portal.mt.test')
const other = certificate('outro.mt.test')
const METADATA = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], tls_client_certificate_bound_access_tokens: true }
const header = ({ raw }: X509Certificate): string => `:${raw.toString('base64')}:`
const verifiedBy = (shown: X509Certificate): Record<string, string> => ({ 'Client-Cert': header(shown), 'X-Client-Verify': 'SUCCESS' })

async function registered(harness: Harness, method: 'tls_client_auth' | 'self_signed_tls_client_auth') {
  const selfSigned = { jwks: { keys: [{ ...ours.publicKey.export({ format: 'jwk' }), x5c: [ours.raw.toString('base64')] }] } }
  const rp = await registerClient(
    harness,
    { ...METADATA, token_endpoint_auth_method: method, ...(method === 'tls_client_auth' ? { tls_client_auth_san_dns: 'portal.mt.test' } : selfSigned) },
    {},
    client.TlsClientAuth(),
  )
  const ask = (headers: Record<string, string>) => {
    rp.config[client.customFetch] = (url, options) => fetch(url, { ...options, headers: { ...options.headers, ...headers } } as RequestInit)
    return client.clientCredentialsGrant(rp.config)
  }
  return { rp, ask }
}

const refused = (work: Promise<unknown>): Promise<void> =>
  assert.rejects(work, (error) => error instanceof client.ResponseBodyError && error.error === 'invalid_client')

for (const method of ['tls_client_auth', 'self_signed_tls_client_auth'] as const) {
  test(`${method}: the certificate that the proxy passes on signs the client in, and the token is bound to it`, async () => {
    const { rp, ask } = await registered(behind, method)
    const tokens = await ask(verifiedBy(ours))
    const told = await client.tokenIntrospection(rp.config, tokens.access_token)
    const print = Buffer.from(ours.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
    assert.deepEqual(told.cnf, { 'x5t#S256': print })
  })

  test(`${method}: another's certificate, none, or broken bytes are refused`, async () => {
    const { ask } = await registered(behind, method)
    await refused(ask(verifiedBy(other)))
    await refused(ask({}))
    await refused(ask({ 'Client-Cert': ':bm90IGEgY2VydGlmaWNhdGU=:', 'X-Client-Verify': 'SUCCESS' }))
  })

  test(`${method}: the same headers from a peer that is no trusted proxy are nothing`, async () => {
    const { ask } = await registered(bare, method)
    await refused(ask(verifiedBy(ours)))
  })
}

test('a chain that the proxy did not verify is no tls_client_auth', async () => {
  const { ask } = await registered(behind, 'tls_client_auth')
  await refused(ask({ 'Client-Cert': header(ours) }))
  await refused(ask({ 'Client-Cert': header(ours), 'X-Client-Verify': 'FAILED:self signed certificate' }))
})
