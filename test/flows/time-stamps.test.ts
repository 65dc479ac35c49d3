/** Time-stamps as a system of the State asks for them: a token of its own, the whole server behind it; nobody else has one. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import { createStampCommands, runCommandLine } from '../../src/admin/index.ts'
import { STAMP_PATH } from '../../src/signatures/index.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { organisationSeal } from '../../src/app/signatures/organisation-seal.ts'
import { openSignatureScene, openssl, pem } from '../support/signature-scene.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
let app: TestApp
let folder: string
before(async () => {
  app = await startTestApp()
  folder = mkdtempSync(path.join(tmpdir(), 'mt-stamps-'))
})
after(async () => {
  await app.stop()
  rmSync(folder, { recursive: true, force: true })
})

const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(path.join(folder, name), content)
  return path.join(folder, name)
}

async function mt(...words: string[]): Promise<number> {
  return runCommandLine(createStampCommands({ oidc: async () => app.oidc, actor: OPERATOR }), words, { out: () => {}, error: () => {} })
}

async function client(id: string): Promise<oidc.Configuration> {
  const { secret } = await app.oidc.clients.create({ id, metadata: { client_name: 'Protocolo', grant_types: ['client_credentials'], response_types: [] }, actor: OPERATOR })
  return oidc.discovery(new URL(app.publicUrl), id, secret, oidc.ClientSecretBasic(secret), { execute: [oidc.allowInsecureRequests] })
}

const tokenOf = async (config: oidc.Configuration) => (await oidc.clientCredentialsGrant(config, { scope: 'carimbo', resource: app.publicUrl + STAMP_PATH })).access_token

async function query(): Promise<string> {
  const out = path.join(folder, 'query.tsq')
  await openssl('ts', '-query', '-data', file('data.txt', 'um documento'), '-sha256', '-cert', '-out', out)
  return out
}

const post = async (token: string | undefined) =>
  fetch(app.publicUrl + STAMP_PATH, {
    method: 'POST', body: new Uint8Array(readFileSync(await query())),
    headers: { Accept: 'application/json', 'Content-Type': 'application/timestamp-query', ...(token && { Authorization: `Bearer ${token}` }) },
  })

test('denied by default; granted by an operator, within a quota, until it is taken away', async () => {
  assert.equal((await post(undefined)).status, 401)
  const config = await client('protocolo')
  await assert.rejects(tokenOf(config), /invalid_target|server responded|error/i)

  assert.equal(await mt('carimbo', 'conceder', 'protocolo', '--por-mes', '2'), 0)
  assert.equal(await mt('carimbo', 'conceder', 'protocolo', '--por-mes', 'muitos'), 2)
  const token = await tokenOf(config)
  const granted = await post(token)
  assert.equal(granted.status, 200)
  const { root, certificate } = await app.rooms.signatures.authority.active()
  const checked = await openssl('ts', '-verify', '-queryfile', path.join(folder, 'query.tsq'), '-in', file('reply.tsr', Buffer.from(await granted.arrayBuffer())), '-CAfile', file('root.pem', pem('CERTIFICATE', root)), '-untrusted', file('issuing.pem', pem('CERTIFICATE', certificate)))
  assert.match(checked.text, /Verification: OK/)

  assert.equal((await post(token)).status, 200)
  const spent = await post(token)
  assert.equal(spent.status, 429)
  assert.ok(Number(spent.headers.get('Retry-After')) > 0)

  assert.equal(await mt('carimbo', 'retirar', 'protocolo'), 0)
  assert.ok([401, 403].includes((await post(token)).status), 'taken away at once')
})

test('a demonstration has an authority from its first start, and says what it is', async () => {
  assert.equal((await app.rooms.signatures.authority.active()).demo, true)
  const html = await (await fetch(`${app.publicUrl}/ac`)).text()
  assert.match(html, /SEM VALOR/)
  const question = await fetch(`${app.publicUrl}/api/ac/ocsp`, { method: 'POST', headers: { 'Content-Type': 'application/ocsp-request' }, body: 'x' })
  assert.equal(Buffer.from(await question.arrayBuffer()).toString('hex'), '30030a0101')
})

test('what the program seals, its public verifier holds for good; before there is an authority a document goes out as it is', async () => {
  const { foundation, rooms } = app
  const pdf = await foundation.documents.render({ title: 'Procuração', language: 'pt-BR', issuer: 'MT Login', at: foundation.clock.now(), blocks: [{ kind: 'text', text: 'Um instrumento.' }] })
  const sealed = await organisationSeal(rooms.signatures, foundation.clock, 'Instrumento de procuração')(pdf)
  const answer = await fetch(`${app.publicUrl}/api/verificar/v1`, { method: 'POST', headers: { Accept: 'application/json', 'Content-Type': 'application/pdf' }, body: new Uint8Array(sealed) })
  const { verdict, signatures } = (await answer.json()) as { verdict: string; signatures: { reason: string; level: string }[] }
  assert.equal(verdict, 'valid')
  assert.deepEqual(signatures.map(({ reason, level }) => ({ reason, level })), [{ reason: 'Instrumento de procuração', level: 'demonstration' }])

  const scene = await openSignatureScene({ demo: false })
  assert.equal(await organisationSeal(scene.signatures, scene.clock, 'Instrumento')(pdf), pdf)
  await scene.close()
})
