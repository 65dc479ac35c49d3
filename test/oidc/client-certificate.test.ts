import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { ProviderContext } from 'oidc-provider'
import { createClientCertificates } from '../../src/oidc/policy/client-certificate.ts'
import { proxyList } from '../../src/platform/http/request-facts.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-cert-'))
let pem = ''
before(() => {
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      `${folder}/key.pem`,
      '-out',
      `${folder}/cert.pem`,
      '-subj',
      '/C=BR/O=Estado/CN=portal',
      '-addext',
      'subjectAltName=DNS:portal.mt.test,URI:https://portal.mt.test/,IP:192.0.2.7,email:ti@mt.test',
    ],
    { stdio: 'ignore' },
  )
  pem = readFileSync(`${folder}/cert.pem`, 'utf8')
})
after(() => rmSync(folder, { recursive: true }))

const certificates = createClientCertificates({
  header: 'x-client-cert',
  verifiedHeader: 'x-client-verify',
  trustedProxies: proxyList(['10.0.0.0/8']),
})

function request(peer: string, headers: Record<string, string> = {}): ProviderContext {
  return { req: { socket: { remoteAddress: peer } }, get: (name: string) => headers[name] ?? '' } as never
}

test('a certificate in a header counts only from a trusted proxy', () => {
  const headers = { 'x-client-cert': encodeURIComponent(pem), 'x-client-verify': 'SUCCESS' }
  assert.ok(certificates.getCertificate(request('10.1.1.1', headers)))
  assert.ok(certificates.getCertificate(request('::ffff:10.1.1.1', headers)))
  assert.equal(certificates.getCertificate(request('203.0.113.5', headers)), undefined)
  assert.equal(certificates.certificateAuthorized(request('203.0.113.5', headers)), false)
})

test('the chain was verified only if the proxy says SUCCESS', () => {
  assert.equal(certificates.certificateAuthorized(request('10.1.1.1', { 'x-client-verify': 'SUCCESS' })), true)
  for (const verdict of ['', 'NONE', 'FAILED:expired', 'success'])
    assert.equal(certificates.certificateAuthorized(request('10.1.1.1', { 'x-client-verify': verdict })), false)
})

test('what is no certificate is none', () => {
  for (const header of ['', 'garbage', '%E0%A4%A', encodeURIComponent('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')]) {
    assert.equal(certificates.getCertificate(request('10.1.1.1', { 'x-client-cert': header })), undefined)
  }
})

for (const [property, right, wrong] of [
  ['tls_client_auth_subject_dn', 'CN=portal,O=Estado,C=BR', 'CN=portal,O=Outro,C=BR'],
  ['tls_client_auth_san_dns', 'portal.mt.test', 'mt.test'],
  ['tls_client_auth_san_uri', 'https://portal.mt.test/', 'https://portal.mt.test'],
  ['tls_client_auth_san_ip', '192.0.2.7', '192.0.2.70'],
  ['tls_client_auth_san_email', 'ti@mt.test', 'i@mt.test'],
] as const) {
  test(`${property} must be exactly the registered one`, () => {
    const ctx = request('10.1.1.1', { 'x-client-cert': encodeURIComponent(pem) })
    assert.equal(certificates.certificateSubjectMatches(ctx, property, right), true)
    assert.equal(certificates.certificateSubjectMatches(ctx, property, wrong), false)
  })
}
