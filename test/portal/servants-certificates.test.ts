/** From the agency's page to a document signed as its servant, which anybody can verify, and to the end of it all with the place in the team. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseCpf } from '../../src/accounts/index.ts'
import { addOperator, enter } from '../admin/support/operator-entrance.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { SIGNING_PASSWORD } from '../support/signing-scene.ts'
import { until } from '../support/until.ts'
import { openArea, type TestArea } from './support/area.ts'
import { raise } from './support/proxies.ts'
import { bytesOf, confirmationOf, keepCertificate, PAGE, pdf, prove, signer, type TestSigner, signInWithCode } from './support/signing.ts'

const TEAM = '/orgao/equipe/sefaz-demo'
const POST = { cargo: 'Auditora  fiscal', matricula: '123456' }
let area: TestArea
let office: BrowserClient
let rosa: TestSigner
let mine: BrowserClient
before(async () => {
  area = await openArea({ SIGNATURES_KEY_PASSWORD_MEMORY_KIB: '8192' })
  const manager = await addOperator(area, [])
  await raise(area, manager)
  const { team } = area.app.rooms.proxies
  await team.add({ namespace: 'sefaz-demo', cpf: parseCpf(manager.cpf) ?? assert.fail(), role: 'manager' }, { actorId: 'cli:test' })
  office = area.browser()
  assert.equal((await enter(area, office, manager, TEAM)).url.pathname, TEAM)
  rosa = await signer(area)
  mine = (await signInWithCode(area, rosa)).browser
})
after(() => area?.close())

const open = (browser: BrowserClient, path: string): Promise<Page> => area.open(browser, path)
const submit = async (fields: Record<string, string>, action = `${TEAM}/servidores`) => office.submit(await open(office, TEAM), fields, { action })
/** The one place of Rosa in the team. */
async function placeOf(accountId: string): Promise<string> {
  return (await area.app.rooms.proxies.team.listOf('sefaz-demo')).find((one) => one.accountId === accountId)?.id ?? ''
}

test('named on the team’s page, certified, a document signed as servant and verified; the place ends, and the certificate with it', async (t) => {
  await t.test('without a permission there is no such choice, and a forged one is refused', async () => {
    const page = await open(mine, '/conta/certificados/novo')
    assert.doesNotMatch(page.text, /Como servidor/)
    const csrf = page.forms.find(({ action }) => action.pathname === '/conta/certificados/novo')?.fields.get('_csrf')?.[0] ?? ''
    const forged = await mine.fetch(`${area.url}/conta/certificados/novo`, {
      method: 'POST', body: new URLSearchParams({ _csrf: csrf, prova: 'segundo-fator', como: '33333333-3333-4333-8333-333333333333|sefaz-demo|servidor' }),
    })
    assert.equal(forged.status, 403)
  })

  await t.test('the manager lets somebody of the team sign; what is typed wrong is said at its field', async () => {
    await submit({ cpf: rosa.cpf, papel: 'editor' }, TEAM)
    const quem = await placeOf(rosa.accountId)
    const wrong = await submit({ quem, cargo: '7', matricula: 'A1' })
    assert.equal(wrong.status, 422)
    for (const fault of [/Escreva o cargo/, /A matrícula tem só números/]) assert.match(wrong.text, fault)
    assert.equal((await submit({ ...POST, quem: '' })).status, 422)
    const named = await submit({ ...POST, quem })
    assert.match(named.text, /Permissão dada/)
    assert.match(named.text, /Auditora fiscal, matrícula 123456/)
    assert.ok((await area.mailsTo(rosa.email)).some(({ subject }) => subject === 'Você pode assinar como servidor'))
    assert.match((await open(mine, '/conta/historico')).text, /Um órgão deixou você assinar como servidor/)
  })

  let credentialId = ''
  await t.test('the certificate is of the agency, and its page says so', async () => {
    const asked = await open(mine, '/conta/certificados/novo')
    const como = asked.forms.flatMap(({ choices }) => choices.get('como') ?? []).find((value) => value.endsWith('|servidor')) ?? ''
    credentialId = await keepCertificate(area, mine, rosa, { como })
    const page = await open(mine, `/conta/certificados/${credentialId}`)
    assert.match(page.text, /Como servidor de .* · Auditora fiscal/)
    assert.match((await open(mine, '/conta/certificados')).text, /Como servidor de .*\(Auditora fiscal\)/)
    const { certificates: [der], profile } = await area.app.rooms.signing.credentials.get(credentialId, rosa.accountId)
    assert.equal(profile, 'servant')
    assert.ok(der.includes(Buffer.from('0000123456')))
  })

  const upload = async () => (await mine.upload(await open(mine, `${PAGE}/nova`), 'arquivos', [{ name: 'auto.pdf', bytes: await pdf('Auto de infração') }], { action: '/nova' })).url.pathname
  await t.test('what it signs says so to the signer before, and to everybody after', async () => {
    const envelope = await upload()
    await mine.submit(await open(mine, envelope), {}, { action: '/enviar' })
    const choose = await open(mine, `${envelope}/assinar`)
    const como = choose.forms.flatMap(({ choices }) => choices.get('como') ?? []).find((value) => value.endsWith('|servidor')) ?? ''
    assert.match(choose.text, /Como servidor de/)
    const own = await confirmationOf(area, mine, envelope, { certificado: credentialId, como: '' })
    assert.doesNotMatch(own.text, /Confirme a assinatura/, 'not in one’s own name')
    const confirmation = await confirmationOf(area, mine, envelope, { certificado: credentialId, como })
    assert.match(confirmation.text, /você vai assinar este documento como servidor de .* \(Auditora fiscal\)/)
    const password = await prove(area, mine, confirmation, rosa)
    const done = await mine.submit(password, { senha: SIGNING_PASSWORD }, { action: password.url.pathname })
    const file = done.links.find(({ href }) => href.pathname.endsWith('/arquivo'))
    assert.ok(file, done.text)
    const bytes = await bytesOf(mine, file.href)
    const { verdict, signatures: [signature] } = await area.app.rooms.signatures.verifier.verify(bytes)
    assert.equal(verdict, 'valid')
    assert.equal(signature?.representation?.represented.kind, 'organisation')
    assert.equal(signature?.representation?.role, 'Auditora fiscal')
    const stranger = area.browser()
    const form = new FormData()
    form.set('_csrf', (await open(stranger, '/verificar')).forms.flatMap(({ fields }) => fields.get('_csrf') ?? [])[0] ?? '')
    form.set('arquivo', new Blob([new Uint8Array(bytes)]), 'auto.pdf')
    const seen = await (await stranger.fetch(`${area.url}/verificar`, { method: 'POST', body: form })).text()
    assert.match(seen, /Assinou como servidor de .*, no cargo Auditora fiscal/)
  })

  await t.test('the place ends: the certificate is revoked by the same act’s job, and nothing more is signed as servant', async () => {
    const ended = await submit({ lugar: await placeOf(rosa.accountId) }, `${TEAM}/encerrar`)
    assert.match(ended.text, /Ninguém assina como servidor ainda/)
    const state = async () => (await area.app.rooms.signing.credentials.get(credentialId, rosa.accountId)).endedFor
    await until(async () => (await state()) === 'representation')
    assert.match((await open(mine, `/conta/certificados/${credentialId}`)).text, /de ser servidor do órgão/)
    const envelope = await upload()
    await mine.submit(await open(mine, envelope), {}, { action: '/enviar' })
    assert.doesNotMatch((await open(mine, `${envelope}/assinar`)).text, /Como servidor/)
  })
})
