/** A relying party has a document signed: it hands it in, the citizen signs in the area and goes back, the file is fetched. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import { createDocumentsCommands, runCommandLine } from '../../src/admin/index.ts'
import { DOCUMENTS_PATH } from '../../src/signatures/index.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { announceBody } from '../support/unsent-body.ts'
import { confirmationOf, pdf, prove, type TestSigner, signer, signInWithCode } from '../portal/support/signing.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const SITE = 'https://protocolo.example'
let area: TestArea
let rosa: TestSigner
before(async () => {
  area = await openArea()
  rosa = await signer(area)
})
after(() => area.close())

const mt = (...words: string[]) => runCommandLine(createDocumentsCommands({ oidc: async () => area.app.oidc, actor: OPERATOR }), words, { out: () => {}, error: () => {} })

async function client(id: string): Promise<oidc.Configuration> {
  const metadata = { client_name: 'Protocolo Digital', redirect_uris: [`${SITE}/retorno`], grant_types: ['authorization_code', 'client_credentials'] as ('authorization_code' | 'client_credentials')[], response_types: ['code' as const] }
  const { secret } = await area.app.oidc.clients.create({ id, metadata, actor: OPERATOR })
  return oidc.discovery(new URL(area.url), id, secret, oidc.ClientSecretBasic(secret), { execute: [oidc.allowInsecureRequests] })
}

const tokenOf = async (config: oidc.Configuration) => (await oidc.clientCredentialsGrant(config, { scope: 'assinaturas', resource: area.url + DOCUMENTS_PATH })).access_token

function caller(token: string) {
  return async (method: string, path: string, body?: object | Buffer) => {
    const isFile = Buffer.isBuffer(body)
    const response = await fetch(`${area.url}${DOCUMENTS_PATH}/processos${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': isFile ? 'application/pdf' : 'application/json' }) },
      ...(body && { body: isFile ? new Uint8Array(body) : JSON.stringify(body) }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    return { status: response.status, bytes, json: (): Record<string, unknown> => JSON.parse(bytes.toString()) }
  }
}

test('nobody has documents signed whom an operator did not let; addresses to go back to are those of the client', async () => {
  const config = await client('sem-permissao')
  await assert.rejects(tokenOf(config))
  assert.equal((await fetch(`${area.url}${DOCUMENTS_PATH}/processos`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })).status, 401)
  assert.equal(await mt('assinaturas', 'conceder', 'sem-permissao', '--por-mes', '1'), 0)
  const call = caller(await tokenOf(config))
  const asked = { assinantes: [{ cpf: rosa.cpf, nome: 'Rosa Maria dos Santos' }] }
  assert.equal((await call('POST', '', { ...asked, retorno: 'https://golpe.example/' })).status, 422)
  assert.equal((await call('POST', '', { ...asked, retorno: `blob:${SITE}/x` })).status, 422)
  assert.equal((await call('POST', '', { assinantes: [{ cpf: '11111111111', nome: 'Rosa Maria' }] })).status, 422)
  assert.equal((await call('POST', '', asked)).status, 201)
  assert.equal((await call('POST', '', asked)).status, 429, 'as many as the month has')
  assert.equal(await mt('assinaturas', 'retirar', 'sem-permissao'), 0)
  assert.equal((await call('POST', '', asked)).status, 403)
})

test('handed in, signed by the citizen, gone back to with its state, fetched', async () => {
  const config = await client('protocolo')
  await mt('assinaturas', 'conceder', 'protocolo')
  const call = caller(await tokenOf(config))
  const opened = (await call('POST', '', { assinantes: [{ cpf: rosa.cpf, nome: 'Rosa Maria dos Santos' }], retorno: `${SITE}/pedidos/7`, estado: 'abc' })).json()
  const id = String(opened['id'])
  assert.equal((await call('POST', `/${id}/envio`, {})).status, 409, 'nothing to sign yet')
  assert.equal((await call('POST', `/${id}/documentos?nome=requerimento.pdf`, await pdf('Requerimento'))).status, 201)
  const other = caller(await tokenOf(await client('outro').then(async (made) => (await mt('assinaturas', 'conceder', 'outro'), made))))
  for (const path of ['', '/recibo']) assert.equal((await other('GET', `/${id}${path}`)).status, 404, path)
  assert.equal((await call('POST', `/${id}/envio`, {})).json()['situacao'], 'waiting')

  const { browser } = await signInWithCode(area, rosa)
  const path = new URL(String(opened['endereco'])).pathname
  assert.match((await area.open(browser, path)).text, /Quem pede é: Protocolo Digital/)
  const done = await prove(area, browser, await confirmationOf(area, browser, path), rosa)
  const back = done.links.find(({ text }) => text.includes('Voltar para Protocolo Digital'))
  assert.equal(back?.href.href, `${SITE}/pedidos/7?assinatura=${id}&situacao=signed&state=abc`)
  const state = (await call('GET', `/${id}`)).json()
  assert.equal(state['situacao'], 'signed')
  const [document] = state['documentos'] as { id: string }[]
  const { bytes } = await call('GET', `/${id}/documentos/${document?.id}`)
  assert.equal((await area.app.rooms.signatures.verifier.verify(bytes)).verdict, 'valid')
  assert.match((await call('GET', `/${id}/recibo`)).bytes.subarray(0, 5).toString(), /%PDF-/)
  const ledger = await area.open(browser, '/conta/historico')
  assert.match(ledger.text, /Documento assinado com o seu nome.*Protocolo Digital/)
})

test('files that one client sends at once, over lines however slow, are bounded before a byte of them is read', async () => {
  const config = await client('lento')
  await mt('assinaturas', 'conceder', 'lento')
  const token = await tokenOf(config)
  const { id } = (await caller(token)('POST', '', { assinantes: [{ cpf: rosa.cpf, nome: 'Rosa Maria dos Santos' }] })).json()
  const announce = () => announceBody(`${area.url}${DOCUMENTS_PATH}/processos/${id}/documentos?nome=grande.pdf`, { bytes: 20 * 1024 * 1024, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/pdf' } })
  const calls = await Promise.all([1, 2, 3, 4, 5, 6].map(announce))
  assert.equal(await Promise.any(calls.map(({ status }) => status)), 503)
  for (const { end } of calls) end()
})
