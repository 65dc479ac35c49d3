import assert from 'node:assert/strict'
import { BrowserClient, type Page } from './browser-client.ts'
import type { PendingRequest, TestRelyingParty } from './relying-party.ts'
import { CITIZEN, PASSWORD, REDIRECT_URI } from './sign-in-scene.ts'

let addresses = 0

/** A browser with a network address of its own (attempts are counted by address) that stops at the relying party's door. */
export function newBrowser(): BrowserClient {
  addresses += 1
  const browser = new BrowserClient({ 'X-Forwarded-For': `10.${addresses >> 8}.${addresses & 255}.7` })
  browser.stopAt = (url) => url.href.startsWith(REDIRECT_URI)
  return browser
}

/** One authorization request under way in one browser. */
export interface Journey {
  readonly browser: BrowserClient
  readonly rp: TestRelyingParty
  readonly pending: PendingRequest
  readonly page: Page
}

/** Opens an authorization request; the page is the first that the citizen sees, or the answer at the relying party. */
export async function begin(rp: TestRelyingParty, extra: Record<string, string> = {}, browser = newBrowser()): Promise<Journey> {
  const pending = await rp.begin(extra)
  return { browser, rp, pending, page: await browser.get(pending.url) }
}

/** Types CPF and password on the sign-in page; a page that confirms somebody has no CPF field. */
export async function typePassword(
  journey: Journey,
  { cpf = CITIZEN.cpf, password = PASSWORD }: { cpf?: string; password?: string } = {},
): Promise<Journey> {
  const asksCpf = journey.page.forms.some(({ fields }) => fields.has('cpf'))
  const page = await journey.browser.submit(journey.page, { ...(asksCpf && { cpf }), password }, { action: '/entrar' })
  return { ...journey, page }
}

/** Agrees where the page asks for it. */
export async function agree(journey: Journey): Promise<Journey> {
  if (!journey.page.forms.some(({ action }) => action.pathname.endsWith('/consentir'))) return journey
  return { ...journey, page: await journey.browser.submit(journey.page, {}, { button: 'Autorizar' }) }
}

/** Redeems the answer; fails with the page's text when the journey is not at the relying party. */
export async function redeem({ rp, page, pending }: Journey) {
  assert.equal(page.status, 0, `not back at the portal but at ${page.url.pathname}: ${page.text.slice(0, 400)}`)
  return rp.finish(page.url, pending)
}

/** The OAuth error that the relying party was given. */
export function errorOf({ page }: Journey): string | null {
  assert.equal(page.status, 0, `not back at the portal but at ${page.url.pathname}: ${page.text.slice(0, 400)}`)
  return page.url.searchParams.get('error')
}

/** A whole sign-in, consent included; the browser stays signed in. */
export async function signIn(rp: TestRelyingParty, extra: Record<string, string> = {}, browser = newBrowser()): Promise<Journey> {
  return agree(await typePassword(await begin(rp, extra, browser)))
}

/** Valid CPFs of nobody, as many as wanted. */
export function cpfOfNobody(index: number): string {
  const nine = String(300_000_000 + index * 7919)
  const digit = (digits: string): string => {
    const sum = [...digits].reduce((total, value, at) => total + Number(value) * (digits.length + 1 - at), 0)
    const rest = (sum * 10) % 11
    return String(rest === 10 ? 0 : rest)
  }
  const ten = nine + digit(nine)
  return ten + digit(ten)
}
