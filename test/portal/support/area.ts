/** A whole demonstration for the tests of the citizen's area: people to spare, browsers with addresses of their own, a clock to move. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { AccountId, PersonId } from '../../../src/accounts/index.ts'
import { startTestApp, type TestApp } from '../../support/app.ts'
import { BrowserClient, type Page } from '../../support/browser-client.ts'
import { cpfOfNobody } from '../../support/citizen-journey.ts'
import { type FixedClock, movableClock } from '../../support/clock.ts'
import { seededFolder } from '../../support/seeded-folder.ts'

export const PASSWORD = 'boi-tuiuiu-pantanal-7'
const PEOPLE = 60

/** Somebody with an account, made for one test. */
export interface TestCitizen {
  readonly cpf: string
  readonly email: string
  readonly accountId: AccountId
  readonly personId: PersonId
}

export interface TestArea {
  readonly app: TestApp
  readonly url: string
  readonly portalUrl: string
  readonly clock: FixedClock
  /** A new account of somebody who is in the base register. */
  citizen(): Promise<TestCitizen>
  /** A new browser at an address of its own. */
  browser(headers?: Record<string, string>): BrowserClient
  /** Signs in from the area's front door, with the password; `page` is where it ends. */
  signIn(citizen: Pick<TestCitizen, 'cpf'>, options?: SignInOptions): Promise<{ browser: BrowserClient; page: Page }>
  /** Opens a page of the area or of the demonstration. */
  open(browser: BrowserClient, path: string): Promise<Page>
  /** Texts of the mails and messages sent to an address, newest first. */
  mailsTo(address: string): Promise<{ subject: string; text: string }[]>
  close(): Promise<void>
}

export interface SignInOptions {
  readonly browser?: BrowserClient
  readonly path?: string
  readonly password?: string
}

let addresses = 0

/** Starts the demonstration from a folder that was seeded before. */
export async function openArea(env: Record<string, string> = {}): Promise<TestArea> {
  const people = peopleFile()
  const settings = { TRUSTED_PROXIES: '127.0.0.1', BASE_REGISTER_FILE: people, ...env }
  const dataDir = await seededFolder(async (folder) => (await start(folder, settings)).stop())
  const clock = movableClock()
  const app = await start(dataDir, settings, clock)
  let registered = 0
  const open = (browser: BrowserClient, at: string): Promise<Page> => browser.get(new URL(at, app.publicUrl))

  return {
    app,
    clock,
    open,
    url: app.publicUrl,
    portalUrl: app.demo?.portalUrl ?? '',
    citizen: () => register(app, registered++),
    browser: newBrowser,
    async signIn(citizen, { browser = newBrowser(), path: at = '/conta/entrar', password } = {}) {
      return { browser, page: await typePassword(browser, await open(browser, at), citizen.cpf, password) }
    },
    async mailsTo(address) {
      return (await app.messages()).filter(({ to }) => to === address).map(({ subject = '', text }) => ({ subject, text }))
    },
    async close() {
      await app.stop()
      rmSync(dataDir, { recursive: true, force: true })
      rmSync(people, { force: true })
    },
  }
}

function newBrowser(headers: Record<string, string> = {}): BrowserClient {
  addresses += 1
  return new BrowserClient({ 'X-Forwarded-For': `10.7.${addresses >> 8}.${addresses & 255}`, ...headers })
}

/** Types CPF (where it is asked) and password on a sign-in page. */
export async function typePassword(browser: BrowserClient, page: Page, cpf: string, password = PASSWORD): Promise<Page> {
  const asksCpf = page.forms.some(({ fields }) => fields.has('cpf'))
  return browser.submit(page, { ...(asksCpf && { cpf }), password }, { action: '/entrar' })
}

/** Signs in at the demonstration's portal, consent included. */
export async function enterPortal(area: TestArea, browser: BrowserClient, citizen: Pick<TestCitizen, 'cpf'>): Promise<Page> {
  let page = await browser.get(`${area.portalUrl}/entrar`)
  if (page.forms.some(({ fields }) => fields.has('password'))) page = await typePassword(browser, page, citizen.cpf)
  if (page.url.origin === area.url) page = await browser.submit(page, {}, { button: 'Autorizar' })
  assert.equal(page.url.origin, area.portalUrl, page.text.slice(0, 300))
  assert.match(page.text, /Olá, /)
  return page
}

/** The page shows a heading with this text. */
export function assertHeading(page: Page, heading: RegExp): void {
  const found = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(page.html)?.[1] ?? ''
  assert.match(found, heading, `${page.status} ${page.url.pathname}: ${page.text.slice(0, 500)}`)
}

function start(dataDir: string, env: Record<string, string>, clock?: FixedClock): Promise<TestApp> {
  const cheap = { memoryKib: 64, passes: 1, parallelism: 1 }
  return startTestApp({
    dataDir,
    env,
    ...(clock && { clock }),
    accounts: (settings) => ({ ...settings, password: { ...settings.password, cost: cheap, slots: 1 } }),
  })
}

/** The demonstration's register with people added who have no account. */
function peopleFile(): string {
  const file = path.join(tmpdir(), `mt-login-people-${randomUUID()}.csv`)
  const people = Array.from({ length: PEOPLE }, (_, index) => `${cpfOfNobody(index)},Rosa Maria dos Santos,,1990-05-04,regular`)
  writeFileSync(file, `${readFileSync('src/demo/base-register.csv', 'utf8').trim()}\n${people.join('\n')}\n`)
  return file
}

async function register(app: TestApp, index: number): Promise<TestCitizen> {
  const cpf = cpfOfNobody(index)
  const email = `rosa${index}@example.org`
  const { registration } = app.rooms.accounts
  const facts = { ip: `10.8.${index >> 8}.${index & 255}`, userAgent: 'test', deviceCookie: undefined }
  const form = { cpf, name: 'Rosa Maria dos Santos', birthDate: '1990-05-04', email, password: PASSWORD }
  const started = await registration.start({ form, locale: 'pt-BR', binding: cpf, facts })
  if (started.kind !== 'started') throw new Error(started.kind)
  const confirmed = await registration.confirm({ id: started.id, binding: cpf, code: await app.lastCode(email) })
  if (confirmed.kind !== 'confirmed') throw new Error(confirmed.kind)
  return { cpf, email, accountId: confirmed.account.id, personId: confirmed.account.personId }
}
