/** People who sign documents through the pages, and the documents. */
import assert from 'node:assert/strict'
import { generateSync } from 'otplib'
import PDFDocument from 'pdfkit'
import type { BrowserClient, Page } from '../../support/browser-client.ts'
import { SIGNING_PASSWORD } from '../../support/signing-scene.ts'
import { PASSWORD, type TestArea, type TestCitizen } from './area.ts'
import { citizenAtPrata } from './proxies.ts'

export const PAGE = '/conta/assinaturas'
const STEP_MS = 30_000

/** Somebody at prata with an authenticator app. */
export interface TestSigner extends TestCitizen {
  readonly secret: string
}

export async function signer(area: TestArea): Promise<TestSigner> {
  const citizen = await citizenAtPrata(area)
  const { totp } = area.app.rooms.accounts.factors
  const changer = { accountId: citizen.accountId, authenticatedAt: area.clock.now(), facts: { ip: '10.9.9.9', userAgent: 'test', deviceCookie: undefined } }
  const { factorId, secret } = await totp.start(changer)
  await totp.confirm(changer, { factorId, code: codeFor(area, secret) })
  return { ...citizen, secret }
}

/** Each code is good once: the clock goes on to the next. */
export function codeFor(area: TestArea, secret: string): string {
  return generateSync({ secret, epoch: Math.floor(area.clock.now().getTime() / 1000) })
}

export async function signInWithCode(area: TestArea, who: TestSigner, path = PAGE): Promise<{ browser: BrowserClient; page: Page }> {
  const { browser, page } = await area.signIn(who, { path })
  return { browser, page: await typeCode(area, browser, page, who) }
}

async function typeCode(area: TestArea, browser: BrowserClient, page: Page, { secret }: TestSigner): Promise<Page> {
  if (!page.forms.some(({ fields }) => fields.has('code'))) return page
  area.clock.advance(STEP_MS)
  return browser.submit(page, { code: codeFor(area, secret) }, { button: 'Confirmar' })
}

/** From the confirmation to the page that says it is signed: the whole sign-in anew, password and code. */
export async function prove(area: TestArea, browser: BrowserClient, confirmation: Page, who: TestSigner): Promise<Page> {
  return proveAsked(area, browser, await browser.submit(confirmation, {}, { button: 'código ou chave' }), who)
}

/** A certificate to keep, made through its pages. */
export async function keepCertificate(area: TestArea, browser: BrowserClient, who: TestSigner, choices: Record<string, string> = {}): Promise<string> {
  const asked = await browser.submit(await area.open(browser, '/conta/certificados/novo'), { prova: 'segundo-fator', ...choices }, { action: '/conta/certificados/novo' })
  const page = await proveAsked(area, browser, asked, who)
  const made = await browser.submit(page, { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: page.url.pathname })
  return made.url.pathname.split('/').at(-1) ?? ''
}

async function proveAsked(area: TestArea, browser: BrowserClient, asked: Page, who: TestSigner): Promise<Page> {
  let page = asked
  if (page.forms.some(({ fields }) => fields.has('password'))) page = await browser.submit(page, { password: PASSWORD }, { action: '/entrar' })
  return typeCode(area, browser, page, who)
}

/** The pages from the envelope to the confirmation. */
export async function confirmationOf(area: TestArea, browser: BrowserClient, envelope: string, choices: Record<string, string> = {}): Promise<Page> {
  const before = await area.open(browser, envelope)
  const isDraft = before.forms.some(({ action }) => action.pathname.endsWith('/enviar'))
  const page = isDraft ? await browser.submit(before, {}, { action: '/enviar' }) : await area.open(browser, `${envelope}/assinar`)
  assert.equal(page.url.pathname, `${envelope}/assinar`, page.text)
  return browser.submit(page, choices, { action: '/assinar' })
}

/** A PDF of so many pages that says this. */
export function pdf(text: string, { pages = 1 } = {}): Promise<Buffer> {
  return new Promise((resolve) => {
    const document = new PDFDocument({ info: { CreationDate: new Date(0) } })
    const chunks: Uint8Array[] = []
    document.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    document.on('end', () => resolve(Buffer.concat(chunks)))
    for (let page = 1; page <= pages; page += 1) {
      if (page > 1) document.addPage()
      document.fontSize(18).text(`${text} ${page}`)
    }
    document.end()
  })
}

export async function bytesOf(browser: BrowserClient, url: URL | string): Promise<Buffer> {
  const answer = await browser.fetch(url)
  assert.equal(answer.status, 200)
  return Buffer.from(await answer.arrayBuffer())
}
