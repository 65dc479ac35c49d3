/** Signatures by the Cloud Signature Consortium's API: the citizen sees the hashes, proves it and types their password; the SAD signs these, once. */
import assert from 'node:assert/strict'
import { createHash, verify, X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createSigningApiCommands, runCommandLine } from '../../src/admin/index.ts'
import { assertHeading, openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { codeFor, prove, type TestSigner, signer, signInWithCode } from '../portal/support/signing.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const BACK = 'https://sigadoc.example/retorno'
const SIGNING_PASSWORD = 'garça-anzol-cerrado-19'
const SHA_256 = '2.16.840.1.101.3.4.2.1'
const ES_256 = '1.2.840.10045.4.3.2'
let area: TestArea
let base: string
let rosa: TestSigner
let mine: BrowserClient
let secret: string
let credentialID: string
before(async () => {
  area = await openArea()
  base = `${area.url}/csc/v2`
  rosa = await signer(area)
  mine = (await signInWithCode(area, rosa)).browser
  secret = await system('sigadoc')
  await system('outro')
  credentialID = await certificate()
})
after(() => area.close())

async function system(id: string): Promise<string> {
  const { secret: made = '' } = await area.app.oidc.clients.create({ id, metadata: { client_name: 'Sigadoc', redirect_uris: [BACK] }, actor: OPERATOR })
  const commands = createSigningApiCommands({ oidc: async () => area.app.oidc, actor: OPERATOR })
  assert.equal(await runCommandLine(commands, ['chaves', 'conceder', id, '--api', 'csc'], { out: () => {}, error: () => {} }), 0)
  return made
}

async function certificate(): Promise<string> {
  let page = await mine.submit(await area.open(mine, '/conta/certificados/novo'), { prova: 'segundo-fator' }, { action: '/novo' })
  if (page.forms.some(({ fields }) => fields.has('password'))) page = await mine.submit(page, { password: PASSWORD }, { action: '/entrar' })
  area.clock.advance(30_000)
  page = await mine.submit(page, { code: codeFor(area, rosa.secret) }, { button: 'Confirmar' })
  await mine.submit(page, { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: page.url.pathname })
  const [made] = await area.app.rooms.signing.credentials.list(rosa.accountId)
  assert.ok(made)
  return made.id
}

const question = (asked: Record<string, string>) =>
  area.open(mine, `/csc/v2/oauth2/authorize?${new URLSearchParams({ response_type: 'code', client_id: 'sigadoc', redirect_uri: BACK, state: 's', ...asked })}`)
const codeOf = (page: Page) => page.links.find(({ href }) => href.href.startsWith(BACK))?.href.searchParams.get('code') ?? assert.fail(page.text)

async function post(path: string, body: object, token?: string): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(`${base}/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }, body: JSON.stringify(body) })
  return { status: response.status, json: JSON.parse(await response.text()) }
}

async function exchange(code: string): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: BACK })
  const response = await fetch(`${base}/oauth2/token`, { method: 'POST', headers: { Authorization: `Basic ${Buffer.from(`sigadoc:${secret}`).toString('base64')}` }, body })
  return JSON.parse(await response.text())
}

const digestOf = (text: string) => createHash('sha256').update(text).digest()
const details = (...texts: string[]) => ({
  authorization_details: JSON.stringify([{ type: 'credential', credentialID, hashAlgorithmOID: SHA_256, documentDigests: texts.map((text) => ({ hash: digestOf(text).toString('base64'), label: `${text}.pdf` })) }]),
})
const signing = (...texts: string[]) => ({ credentialID, hashes: texts.map((text) => digestOf(text).toString('base64')), hashAlgorithmOID: SHA_256, signAlgo: ES_256 })

async function serviceToken(): Promise<string> {
  const page = await question({ scope: 'service' })
  assertHeading(page, /Mostrar seus certificados/)
  return String((await exchange(codeOf(await mine.submit(page, {}, { action: '/permitir' }))))['access_token'])
}

test('info says how; certificates are shown to whom the citizen let, and to nobody else', async () => {
  const { json: info } = await post('info', {})
  assert.deepEqual([info['specs'], info['authType'], info['oauth2']], ['2.0.0.2', ['oauth2code'], base])
  assert.deepEqual((await post('credentials/list', {})).json['error'], 'invalid_token')
  const token = await serviceToken()
  assert.deepEqual((await post('credentials/list', {}, token)).json, { credentialIDs: [credentialID] })
  assert.match((await area.open(mine, '/conta/historico')).text, /Você mostrou seus certificados a um sistema.*Sigadoc/)
  const { json } = await post('credentials/info', { credentialID, certificates: 'chain', certInfo: true, authInfo: true }, token)
  assert.deepEqual([json['SCAL'], json['auth'], (json['key'] as Record<string, unknown>)['algo']], ['2', { mode: 'oauth2code' }, [ES_256]])
  assert.match(String((json['cert'] as Record<string, unknown>)['subjectDN']), /Rosa Maria dos Santos/)
  assert.deepEqual((await post('credentials/info', { credentialID: 'x' }, token)).json, { error: 'invalid_request', error_description: 'Invalid parameter credentialID' })
  assert.equal((await post('signatures/signHash', signing('a'), token)).status, 401, 'with this nobody signs')
})

test('the citizen sees name and hash, proves it, types the password; the SAD signs these hashes once', async () => {
  const page = await question(details('contrato', 'anexo'))
  assertHeading(page, /Confirmar assinatura/)
  assert.match(page.text, new RegExp(`contrato\\.pdf SHA-256 ${digestOf('contrato').toString('hex')}`))
  const asksPassword = await prove(area, mine, page, rosa)
  assertHeading(asksPassword, /Senha de assinatura/)
  const wrong = await mine.submit(asksPassword, { senha: 'errada-mesmo' }, { action: '/pronto' })
  assert.match(wrong.text, /A senha de assinatura não é esta/)
  const { access_token: sad, expires_in: seconds, scope } = await exchange(codeOf(await mine.submit(wrong, { senha: SIGNING_PASSWORD }, { action: '/pronto' })))
  assert.ok(Number(seconds) <= 300)
  assert.equal(scope, 'credential')
  assert.deepEqual((await post('signatures/signHash', signing('outro'), String(sad))).json, { error: 'invalid_request', error_description: 'Hash is not authorized by the SAD' })
  const { status, json } = await post('signatures/signHash', signing('contrato', 'anexo'), String(sad))
  assert.equal(status, 200, JSON.stringify(json))
  const [kept] = await area.app.rooms.signing.credentials.list(rosa.accountId)
  const { publicKey } = new X509Certificate(kept?.certificates[0] ?? '')
  for (const [index, text] of ['contrato', 'anexo'].entries()) {
    assert.ok(verify('sha256', Buffer.from(text), publicKey, Buffer.from(String((json['signatures'] as string[])[index]), 'base64')))
  }
  assert.equal((await post('signatures/signHash', signing('contrato'), String(sad))).status, 401, 'replayed')
})

test('what is not asked in the standard way goes back with its error', async () => {
  const refused: [Record<string, string>, string][] = [
    [{ scope: 'tudo' }, 'invalid_scope'],
    [{ scope: 'credential', credentialID, numSignatures: '2', hashes: digestOf('a').toString('base64url'), hashAlgorithmOID: SHA_256 }, 'invalid_request'],
    [{ scope: 'credential', credentialID, numSignatures: '1', hashes: 'abc', hashAlgorithmOID: SHA_256 }, 'invalid_request'],
    [{ authorization_details: '[]' }, 'invalid_authorization_details'],
  ]
  mine.stopAt = (url) => url.href.startsWith(BACK)
  for (const [asked, error] of refused) assert.equal((await question(asked)).url.searchParams.get('error'), error)
  assertHeading(await question({ authorization_details: details('a').authorization_details.replace(credentialID, '00000000-0000-4000-8000-000000000000') }), /certificado não pode ser usado/)
})
