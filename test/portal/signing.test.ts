/** Documents are signed through the pages, from the upload to a file that anybody can verify. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { assertHeading, openArea, type TestArea } from './support/area.ts'
import { bytesOf, confirmationOf, PAGE, pdf, prove, type TestSigner, signer, signInWithCode } from './support/signing.ts'

let area: TestArea
let maria: TestSigner
let mine: BrowserClient
before(async () => {
  area = await openArea()
  maria = await signer(area)
  mine = (await signInWithCode(area, maria)).browser
})
after(() => area.close())

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
