/** A citizen with a certificate of their own, a system that the CSC API was granted, and the calls between them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createSigningApiCommands, runCommandLine } from '../../src/admin/index.ts'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { codeFor, prove, type TestSigner, signer, signInWithCode } from '../portal/support/signing.ts'
import type { BrowserClient, Page } from './browser-client.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
export const BACK = 'https://sigadoc.example/retorno'
export const SIGNING_PASSWORD = 'garça-anzol-cerrado-19'
export const SHA_256 = '2.16.840.1.101.3.4.2.1'
export const ES_256 = '1.2.840.10045.4.3.2'

export interface CscAnswer {
  readonly status: number
  readonly json: Record<string, unknown>
}

export interface CscScene {
  readonly area: TestArea
  readonly base: string
  readonly rosa: TestSigner
  readonly mine: BrowserClient
  readonly credentialID: string
  /** Registers a system and grants it the API; its secret is kept here. */
  system(id: string, grant?: readonly string[]): Promise<void>
  /** Grants the API anew: what is not named any more is taken away. */
  grant(id: string, grant?: readonly string[]): Promise<void>
  /** The page that a system's request leads the citizen to. */
  question(asked: Record<string, string>, id?: string): Promise<Page>
  post(path: string, body: object, token?: string): Promise<CscAnswer>
  exchange(code: string, id?: string): Promise<Record<string, unknown>>
  serviceToken(id?: string): Promise<string>
  /** The whole way of the citizen, for these digests: the token that signs them. */
  sad(...documents: readonly { readonly hash: Buffer; readonly label: string }[]): Promise<string>
}

export const digestOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest()
export const codeOf = (page: Page) => page.links.find(({ href }) => href.href.startsWith(BACK))?.href.searchParams.get('code') ?? assert.fail(page.text)

export async function openCscScene(env: Record<string, string> = {}): Promise<CscScene> {
  const area = await openArea(env)
  const base = `${area.url}/csc/v2`
  const rosa = await signer(area)
  const mine = (await signInWithCode(area, rosa)).browser
  const secrets = new Map<string, string>()
  const scene: CscScene = {
    area, base, rosa, mine, credentialID: await certificate(area, mine, rosa),
    async system(id, grant = []) {
      const { secret = '' } = await area.app.oidc.clients.create({ id, metadata: { client_name: 'Sigadoc', redirect_uris: [BACK] }, actor: OPERATOR })
      secrets.set(id, secret)
      await scene.grant(id, grant)
    },
    async grant(id, grant = []) {
      const commands = createSigningApiCommands({ oidc: async () => area.app.oidc, actor: OPERATOR })
      assert.equal(await runCommandLine(commands, ['chaves', 'conceder', id, '--api', 'csc', ...grant], { out: () => {}, error: () => {} }), 0)
    },
    question: (asked, id = 'sigadoc') =>
      area.open(mine, `/csc/v2/oauth2/authorize?${new URLSearchParams({ response_type: 'code', client_id: id, redirect_uri: BACK, state: 's', ...asked })}`),
    async post(path, body, token) {
      const response = await fetch(`${base}/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }, body: JSON.stringify(body) })
      const text = await response.text()
      return { status: response.status, json: text === '' ? {} : JSON.parse(text) }
    },
    async exchange(code, id = 'sigadoc') {
      const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: BACK })
      const response = await fetch(`${base}/oauth2/token`, { method: 'POST', headers: { Authorization: `Basic ${Buffer.from(`${id}:${secrets.get(id)}`).toString('base64')}` }, body })
      return JSON.parse(await response.text())
    },
    async serviceToken(id = 'sigadoc') {
      const page = await scene.question({ scope: 'service' }, id)
      return String((await scene.exchange(codeOf(await mine.submit(page, {}, { action: '/permitir' })), id))['access_token'])
    },
    async sad(...documents) {
      const documentDigests = documents.map(({ hash, label }) => ({ hash: hash.toString('base64'), label }))
      const page = await scene.question({ authorization_details: JSON.stringify([{ type: 'credential', credentialID: scene.credentialID, hashAlgorithmOID: SHA_256, documentDigests }]) })
      const asksPassword = await prove(area, mine, page, rosa)
      return String((await scene.exchange(codeOf(await mine.submit(asksPassword, { senha: SIGNING_PASSWORD }, { action: '/pronto' }))))['access_token'])
    },
  }
  await scene.system('sigadoc')
  return scene
}

async function certificate(area: TestArea, mine: BrowserClient, rosa: TestSigner): Promise<string> {
  let page = await mine.submit(await area.open(mine, '/conta/certificados/novo'), { prova: 'segundo-fator' }, { action: '/novo' })
  if (page.forms.some(({ fields }) => fields.has('password'))) page = await mine.submit(page, { password: PASSWORD }, { action: '/entrar' })
  area.clock.advance(30_000)
  page = await mine.submit(page, { code: codeFor(area, rosa.secret) }, { button: 'Confirmar' })
  await mine.submit(page, { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: page.url.pathname })
  const [made] = await area.app.rooms.signing.credentials.list(rosa.accountId)
  assert.ok(made)
  return made.id
}
