/** Documents are signed through the pages, from the upload to a file that anybody can verify. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import type { HttpContext } from '../../src/platform/http/request-facts.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { createUploads } from '../../src/portal/signing/upload.ts'
import { assertHeading, openArea, type TestArea } from './support/area.ts'
import { SIGNING_PASSWORD } from '../support/signing-scene.ts'
import { bytesOf, confirmationOf, keepCertificate, PAGE, pdf, prove, type TestSigner, signer, signInWithCode } from './support/signing.ts'

let area: TestArea
let maria: TestSigner
let mine: BrowserClient
before(async () => {
  area = await openArea({ SIGNATURES_KEY_PASSWORD_MEMORY_KIB: '8192' })
  maria = await signer(area)
  mine = (await signInWithCode(area, maria)).browser
})
after(() => area.close())

const refusesBusy = (error: unknown) => isProblem(error, PLATFORM_PROBLEMS.busy)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function uploaded(browser: BrowserClient, files: readonly { name: string; bytes: Uint8Array }[]): Promise<Page> {
  return browser.upload(await area.open(browser, `${PAGE}/nova`), 'arquivos', files, { action: '/nova' })
}
const fileLink = (page: Page): URL => {
  const link = page.links.find(({ href }) => href.pathname.endsWith('/arquivo'))
  assert.ok(link, page.text)
  return link.href
}
const verify = (bytes: Buffer) => area.app.rooms.signatures.verifier.verify(bytes)

test('a PDF is uploaded, seen, confirmed by name and hash, proved, signed, downloaded, and valid to anybody', async () => {
  const original = await pdf('Declaração de residência')
  let page = await uploaded(mine, [{ name: 'declaração.pdf', bytes: original }])
  assertHeading(page, /Preparar a assinatura/)
  assert.match(page.text, /declaração\.pdf 1 página/)
  const envelope = page.url.pathname
  page = await confirmationOf(area, mine, envelope)
  assertHeading(page, /Confirme a assinatura/)
  assert.match(page.text, /Rosa Maria dos Santos, você vai assinar este documento/)
  assert.match(page.text, new RegExp(sha256(original)))
  page = await prove(area, mine, page, maria)
  assert.equal(page.url.pathname, envelope)
  assert.match(page.text, /Assinado\. Baixe o documento/)
  assert.match(page.text, /Todo mundo assinou/)
  const signed = await bytesOf(mine, fileLink(page))
  assert.ok(signed.subarray(0, original.length).equals(original), 'an update, never a rewrite')
  const verdict = await verify(signed)
  assert.equal(verdict.verdict, 'valid')
  assert.equal(verdict.signatures[0]?.form, 'B-LT')
  assert.match(verdict.signatures[0]?.signer ?? '', /Rosa Maria dos Santos/)
  const code = /Código de conferência ([0-9A-Z-]{19})/.exec(page.text)?.[1] ?? ''
  const stranger = area.browser()
  const checked = await area.open(stranger, `/verificar/${code}`)
  assert.match(checked.text, /Rosa M\. S\. assinou/)
  assert.match(checked.text, new RegExp(sha256(signed)))
  assert.doesNotMatch(checked.text, /declaração|Santos/)
  const ledger = await area.open(mine, '/conta/historico')
  assert.match(ledger.text, /Documento assinado com o seu nome/)
  const history = await area.open(mine, `${PAGE}/historico`)
  assert.match(history.text, new RegExp(`declaração\\.pdf.*${sha256(original)}.*${sha256(signed)}`))
})

test('a file that cannot be signed is refused in words, at once; no file at all beside the field', async () => {
  const refused = await uploaded(mine, [{ name: 'x.pdf', bytes: Buffer.from('%PDF-1.4 e mais nada') }])
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Não conseguimos abrir este PDF/)
  const empty = await uploaded(mine, [{ name: 'vazio.pdf', bytes: Buffer.alloc(0) }])
  assert.match(empty.html, /id="arquivos-error"/)
})

test('an address of a signing page signs nothing by itself, and a reload of a done one changes nothing', async () => {
  const page = await uploaded(mine, [{ name: 'a.pdf', bytes: await pdf('Recado') }])
  const envelope = page.url.pathname
  const confirmation = await confirmationOf(area, mine, envelope)
  mine.stopAt = (url) => url.pathname === '/authorize'
  await mine.submit(confirmation, {}, { button: 'código ou chave' })
  mine.stopAt = () => false
  const [attempt] = await area.app.foundation.db.query<{ id: string }>('SELECT id FROM signing_attempt ORDER BY opened_at DESC LIMIT 1')
  const address = `${envelope}/assinando/${attempt?.id}`
  const forged = await area.open(mine, address)
  assert.equal(forged.status, 422)
  assert.equal((await area.open(mine, envelope)).text.includes('Assinou'), false)
  const done = await prove(area, mine, await confirmationOf(area, mine, envelope), maria)
  assert.match(done.text, /Assinado\. Baixe/)
  const again = await area.open(mine, done.trail.find(({ pathname }) => pathname.includes('/assinando/'))?.pathname ?? '')
  assert.equal(again.url.pathname, envelope)
  assert.equal(again.text.split('Código de conferência').length, 2, 'one signature')
})

test('who is asked sees who asks, signs after them, and finds it in the list; a stranger finds nothing; bronze is told how to rise', async () => {
  const joana = await signer(area)
  let page = await uploaded(mine, [{ name: 'ata.pdf', bytes: await pdf('Ata') }])
  const envelope = page.url.pathname
  page = await mine.submit(page, { cpf: joana.cpf, nome: 'Joana Duarte' }, { action: '/pessoas' })
  assert.match(page.text, /Joana Duarte/)
  page = await mine.submit(page, {}, { action: '/enviar' })
  assert.match(page.text, /Enviado\. Avisamos/)
  const hers = (await signInWithCode(area, joana)).browser
  assert.match((await area.open(hers, envelope)).text, /Quem pede é: Rosa Maria dos Santos\..*Ainda não assinou/)
  assert.doesNotMatch((await area.open(hers, PAGE)).text, /Esperando você assinar ata\.pdf/)
  await prove(area, mine, await confirmationOf(area, mine, envelope), maria)
  assert.match((await area.open(hers, PAGE)).text, /Esperando você assinar ata\.pdf/)
  const signed = await prove(area, hers, await confirmationOf(area, hers, envelope), joana)
  assert.match(signed.text, /Todo mundo assinou/)
  const bronze = (await area.signIn(await area.citizen())).browser
  for (const path of ['', '/assinar', '/confirmar', '/recibo', `/documentos/${fileLink(signed).pathname.split('/').at(-2)}`]) assert.equal((await area.open(bronze, `${envelope}${path}`)).status, 404, path)
  const own = await uploaded(bronze, [{ name: 'meu.pdf', bytes: await pdf('Meu') }])
  const told = await bronze.submit(own, {}, { action: '/enviar' })
  assert.match(told.text, /Sua conta precisa ser prata/)
})

test('what was changed in another window is shown before it is confirmed', async () => {
  const envelope = (await uploaded(mine, [{ name: 'b.pdf', bytes: await pdf('Recado') }])).url.pathname
  const before = await confirmationOf(area, mine, envelope)
  const changed = await confirmationOf(area, mine, envelope, { carimbo: 'nao' })
  const refused = await mine.submit(before, {}, { button: 'código ou chave' })
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Nada foi assinado com ela agora/)
  const attempts = () => area.app.foundation.db.query('SELECT 1 FROM signing_attempt WHERE envelope_id = $1', [envelope.split('/').at(-1)])
  assert.equal((await attempts()).length, 0)
  const done = await prove(area, mine, changed, maria)
  assert.match(done.text, /Assinado\. Baixe o documento/)
})

test('pictures of documents stay in no browser, and one person keeps the renderer from nobody', async () => {
  const envelope = (await uploaded(mine, [{ name: 'c.pdf', bytes: await pdf('Folha', { pages: 20 }) }])).url.pathname
  const page = await area.open(mine, envelope)
  const view = page.links.find(({ href }) => /\/documentos\/[0-9a-f-]{36}$/.test(href.pathname))?.href.pathname ?? ''
  const picture = await mine.fetch(new URL(`${view}/paginas/0-1-800`, page.url))
  assert.equal(picture.status, 200)
  assert.equal(picture.headers.get('cache-control'), 'no-store')
  const answers = await Promise.all(Array.from({ length: 12 }, () => mine.fetch(new URL(`${view}/texto`, page.url))))
  const statuses = answers.map(({ status }) => status)
  assert.ok(statuses.includes(200) && statuses.includes(503), String(statuses))
})

test('who sends slowly keeps nobody else from sending', async () => {
  const account = (id: string) => ({ findVisit: async () => ({ account: { id } }) }) as unknown as Parameters<typeof createUploads>[0]
  let who = account('a')
  const middleware = createUploads({ findVisit: (ctx) => who.findVisit(ctx) })(() => {})
  const slow = Promise.withResolvers<void>()
  const send = () => middleware({ get: () => '1000', req: {} } as unknown as HttpContext, () => slow.promise)
  const running = [send(), send()]
  await assert.rejects(send(), refusesBusy)
  who = account('b')
  running.push(send())
  slow.resolve()
  await Promise.all(running)
})

test('one person may announce so much at once, and what does not say how long it is counts as the longest; others do not wait for it', async () => {
  const visits = { id: '' }
  const middleware = createUploads({ findVisit: async () => ({ account: { id: visits.id } }) } as unknown as Parameters<typeof createUploads>[0])(() => {})
  const slow = Promise.withResolvers<void>()
  const send = (id: string, length: string) => {
    visits.id = id
    return middleware({ get: () => length, req: {} } as unknown as HttpContext, () => slow.promise)
  }
  const running = [send('a', '30000000')]
  await assert.rejects(send('a', '30000000'), refusesBusy)
  running.push(send('a', '1000000'))
  for (let person = 0; person < 40; person += 1) running.push(send(`b${person}`, ''))
  await assert.rejects(send('b0', '1000000'), refusesBusy)
  slow.resolve()
  await Promise.all(running)
  await send('d', '')
})

test('with a certificate that is kept: chosen, said, and its password asked once the person has proved who they are', async () => {
  const kept = await keepCertificate(area, mine, maria)
  const draft = await uploaded(mine, [{ name: 'contrato.pdf', bytes: await pdf('Contrato') }])
  assert.match((await mine.submit(draft, { nivel: 'B-LTA' }, { action: '/nivel' })).text, /Preparar a assinatura/)
  const envelope = draft.url.pathname
  const confirmation = await confirmationOf(area, mine, envelope, { certificado: kept })
  assert.match(confirmation.text, /Com o seu certificado, que vale até.*feito para décadas/)
  let page = await prove(area, mine, confirmation, maria)
  assertHeading(page, /Sua senha de assinatura/)
  assert.equal((await area.open(mine, envelope)).text.includes('Todo mundo assinou'), false, 'nothing is signed without it')
  page = await mine.submit(page, { senha: 'não é esta senha' }, { action: page.url.pathname })
  assert.equal(page.status, 422)
  assert.match(page.text, /não é a senha de assinatura\. Nada foi assinado/)
  page = await mine.submit(page, { senha: '' }, { action: page.url.pathname })
  assert.equal(page.status, 422)
  page = await mine.submit(page, { senha: SIGNING_PASSWORD }, { action: page.url.pathname })
  assert.match(page.text, /Assinado\. Baixe o documento.*Todo mundo assinou/)
  const { verdict, signatures } = await verify(await bytesOf(mine, fileLink(page)))
  assert.deepEqual([verdict, signatures[0]?.form], ['valid', 'B-LTA'])
  const { serial } = await area.app.rooms.signing.credentials.get(kept, maria.accountId)
  assert.equal((await area.app.foundation.db.query('SELECT 1 FROM signing_signature WHERE serial = $1', [serial])).length, 1)

  // One that rests is not offered, and whoever sends it all the same signs nothing with it.
  await area.app.rooms.signing.credentials.suspend({ id: kept, accountId: maria.accountId, cause: 'citizen', actor: { kind: 'citizen', id: maria.accountId } })
  const other = await uploaded(mine, [{ name: 'outro.pdf', bytes: await pdf('Outro') }])
  const choices = await mine.submit(other, {}, { action: '/enviar' })
  assert.doesNotMatch(choices.text, /Com qual certificado/)
  const token = String(choices.forms.find(({ action }) => action.pathname.endsWith('/assinar'))?.fields.get('_csrf'))
  const refused = await mine.post(`${area.url}${other.url.pathname}/assinar`, new URLSearchParams({ _csrf: token, carimbo: 'nao', certificado: kept }), new URL(area.url))
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Este certificado não pode ser usado agora/)
})
