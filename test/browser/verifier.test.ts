/** The authority's pages and the verifier with each of its verdicts in a real browser: axe, 360 px, and what a person reads first. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Representation } from '../../src/signatures/index.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { foreignPdf, LATER_CHANGES, TAMPERINGS } from '../support/forged-pdfs.ts'
import { openSignatureScene, type SignatureScene } from '../support/signature-scene.ts'
import { issueTestSigner, signTestFile, signTestPdf } from '../support/test-signers.ts'

const WIDE = { viewport: { width: 1280, height: 800 }, locale: 'pt-BR', colorScheme: 'dark' as const }
const STAMP = { page: 1, left: 1, top: 1, width: 120, height: 30, lines: ['Assinado'] }
const REPRESENTATION: Representation = { mandateId: '0b0f7c0e-5a3e-4c58-9a5c-8f7f5a3f1c11', represented: { kind: 'company', name: 'Padaria São José Ltda', identifier: '12.ABC.345/01DE-35' }, role: 'representante legal' }
let scene: SignatureScene
let browser: Browser

before(async () => {
  scene = await openSignatureScene()
  browser = await launchBrowser()
})
after(async () => {
  await browser?.close()
  await scene?.close()
})

/** Every verdict once, by the words that stand first. */
async function verdicts(): Promise<readonly (readonly [title: string, pdf: Buffer])[]> {
  const maria = await issueTestSigner(scene)
  const short = await issueTestSigner(scene, { lastsMs: 3_600_000 })
  const lost = await issueTestSigner(scene)
  const pdf = await foreignPdf()
  const made = (list: typeof TAMPERINGS, name: string) => list.find((each) => each.name === name) ?? assert.fail(name)
  const lasting = await signTestPdf(scene, pdf, maria, { form: 'B-LTA', representation: REPRESENTATION, stamp: { ...STAMP, top: 0 } })
  const both = await signTestPdf(scene, lasting, short, { stamp: STAMP })
  const [signed, expired, revoked] = [await signTestPdf(scene, pdf, maria), await signTestPdf(scene, pdf, short, { form: 'B-B' }), await signTestPdf(scene, pdf, lost, { form: 'B-B' })]
  const stranger = await openSignatureScene()
  const unknown = await signTestPdf(stranger, pdf, await issueTestSigner(stranger))
  await stranger.close()
  await scene.signatures.authority.revoke({ serial: lost.serial, reason: 'keyCompromise', actor: { kind: 'system' } })
  scene.clock.advance(2 * 3_600_000)
  return [
    ['Assinatura válida', both],
    ['O documento mudou depois da assinatura', await made(LATER_CHANGES, 'text drawn over a page').make(signed)],
    ['A assinatura não confere', await made(TAMPERINGS, 'a gap that begins before the signature').make(signed)],
    ['Não conseguimos ler uma assinatura', await made(TAMPERINGS, 'an empty signature').make(signed)],
    ['O certificado já venceu', expired],
    ['O certificado não valia mais quando assinou', revoked],
    ['Não conhecemos quem assinou', unknown],
    ['Este documento não tem assinatura', Buffer.from(pdf)],
  ]
}

async function upload(page: Page, files: { readonly arquivo?: Buffer; readonly assinatura?: Buffer }): Promise<void> {
  await page.goto(`${scene.site.url}/verificar`)
  if (files.assinatura) await page.locator('main summary').first().click()
  for (const [name, buffer] of Object.entries(files)) await page.locator(`input[name="${name}"]`).setInputFiles({ name: `${name}.bin`, mimeType: 'application/octet-stream', buffer })
  await page.locator('main').getByRole('button', { name: 'Conferir', exact: true }).click()
  await page.waitForLoadState()
}

test('the authority, its practices and the empty verifier pass axe on a phone and a wide screen, and fit', async () => {
  for (const options of [PHONE, WIDE]) {
    const { page, context, complaints } = await openProfile(browser, options)
    for (const path of ['/ac', '/ac/praticas', '/verificar']) {
      await page.goto(scene.site.url + path)
      await checkPage(page, path)
    }
    await page.locator('main summary').first().click()
    await checkPage(page, 'the verifier with the field of the signature')
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

test('each verdict stands first in plain words, and its page passes axe at 360 px with every detail open', async () => {
  const { page, context, complaints } = await openProfile(browser, PHONE)
  for (const [title, pdf] of await verdicts()) {
    await upload(page, { arquivo: pdf })
    assert.ok((await page.locator('main').innerText()).includes(title), `${title}: ${await page.locator('main').innerText()}`)
    for (const summary of await page.locator('main summary').all()) await summary.click()
    await checkPage(page, title)
  }
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a file with its signature beside it: in whose name, and what is missing is told', async () => {
  const { page, context } = await openProfile(browser, PHONE)
  const file = Buffer.from('um contrato')
  const signature = await signTestFile(scene, file, await issueTestSigner(scene), { representation: REPRESENTATION })
  await upload(page, { arquivo: file, assinatura: signature })
  const text = await page.locator('main').innerText()
  for (const part of ['Assinatura válida', 'Assinou em nome de Padaria São José Ltda']) assert.ok(text.includes(part), text)
  await page.locator('main summary').first().click()
  await checkPage(page, 'a signature beside a file')
  await upload(page, { assinatura: signature })
  assert.match(await page.locator('main').innerText(), /Falta o documento que foi assinado/)
  await checkPage(page, 'a file that is missing')
  await upload(page, { arquivo: file })
  assert.match(await page.locator('main').innerText(), /não é um PDF\. Se a assinatura está em outro arquivo/)
  await context.close()
})
