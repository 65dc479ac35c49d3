/** Nobody learns who has an account: lines 6 and 7 of the checklist, by what is answered and by how long it takes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BrowserClient, type Page } from '../support/browser-client.ts'
import { begin, type Journey, typePassword } from '../support/citizen-journey.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { isAsLong, typicalTime } from '../support/timing.ts'
import { addCitizen, addRelyingParty, people, type Person, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const SAMPLES = 14
const { register, all: citizens } = people(2 * SAMPLES + 6)
const WRONG = 'errada-mesmo-99'
/** The first half has accounts, the second half could. */
const known = citizens.slice(0, SAMPLES + 3)
const unknown = citizens.slice(SAMPLES + 3)

let app: WatchedApp
let rp: TestRelyingParty
let drop: () => Promise<void> = async () => {}
let addresses = 0

before(async () => {
  const postgres = process.env['MT_TEST_POSTGRES_URL'] || findPostgresBinaries() ? await createPostgresDatabase() : undefined
  drop = postgres?.drop ?? drop
  // The hash at its real cost: its time is what an unknown CPF must cost too.
  app = await startWatchedApp({ register, accounts: (settings) => settings, ...(postgres && { env: { DATABASE_URL: postgres.url.reveal() } }) })
  rp = await addRelyingParty(app)
  for (const person of known) await addCitizen(app, person)
})
after(async () => {
  await app.stop()
  await drop()
})

const at = (path: string): URL => new URL(path, app.publicUrl)
const person = (list: readonly Person[], index: number): Person => list[index] ?? assert.fail()

function browser(): BrowserClient {
  addresses += 1
  const fresh = new BrowserClient({ 'X-Forwarded-For': `10.${100 + (addresses >> 8)}.${addresses & 255}.1` })
  fresh.stopAt = (url) => url.port === '9'
  return fresh
}

/** What a page shows and says besides what was typed and what is random in each. */
function shape(page: Page, typed: Person): object {
  // Random parts first: a random name may well hold the two letters of an address that are looked for after it.
  const fixed = page.html.replace(/(name="_csrf"|csrf-token)[^>]*>/g, '').replace(/interaca?o[/=][\w-]+/g, '').replace(/value="[\d/.-]*"/g, '')
  const html = [typed.cpf, typed.name, typed.email, typed.email.slice(0, 2)].reduce((text, value) => text.replaceAll(value, '…'), fixed)
  const constant = html.replace(/…\*+@/g, '…@')
  const headers = [...page.headers].filter(([name]) => !['date', 'x-request-id', 'content-length', 'set-cookie', 'keep-alive'].includes(name)).sort()
  const cookies = page.headers.getSetCookie().map((line) => line.replace(/=[^;]*/, '=…')).sort()
  const path = page.url.pathname.replace(/\/interacao\/[\w-]+/, '/interacao/…')
  return { status: page.status, path, headers: headers.map(([name, value]) => `${name}: ${value}`), cookies, html: constant }
}

async function login(cpf: string, password = WRONG): Promise<Journey> {
  return typePassword(await begin(rp, {}, browser()), { cpf, password })
}

async function openForm(): Promise<Journey> {
  const journey = await begin(rp, {}, browser())
  return { ...journey, page: await journey.browser.get(journey.page.links.find(({ text }) => text === 'Criar conta')?.href ?? '') }
}

async function recover(cpf: string, way: string): Promise<{ browser: BrowserClient; page: Page }> {
  const fresh = browser()
  return { browser: fresh, page: await fresh.submit(await fresh.get(at('/recuperar')), { cpf, way }, { action: '/recuperar' }) }
}

test('wrong password, unknown CPF, locked account, and the right password of a locked one: one page', async () => {
  const [locked, other, nobody] = [person(known, SAMPLES), person(known, SAMPLES + 1), person(unknown, SAMPLES)]
  for (let tries = 0; tries < 11; tries += 1) await login(locked.cpf)
  const pages = [
    shape((await login(other.cpf)).page, other), shape((await login(nobody.cpf)).page, nobody), shape((await login(locked.cpf)).page, locked),
    shape((await login(locked.cpf, locked.password)).page, locked),
  ]
  for (const page of pages.slice(1)) assert.deepEqual(page, pages[0])
})

test('registering a CPF that has an account, and one that has none: one page, whatever is typed next', async () => {
  const both = await Promise.all([person(known, SAMPLES + 2), person(unknown, SAMPLES + 1)].map(async (who, index) => {
    const form = { ...who, email: `nova-${index}@example.net`, password: 'outra-senha-do-cerrado-5' }
    const journey = await openForm()
    const sent = await journey.browser.submit(journey.page, { ...form }, { action: '/cadastro' })
    const wrong = await journey.browser.submit(sent, { code: '000000' }, { action: '/confirmar' })
    const again = await journey.browser.submit(wrong, {}, { action: '/reenviar' })
    return [sent, wrong, again].map((page) => shape(page, { ...form, email: `nova-${index}@example.net` }))
  }))
  const plain = (pages: unknown) => JSON.parse(JSON.stringify(pages).replaceAll(/nova-\d|no\*\*\*/g, '…'))
  assert.deepEqual(plain(both[0]), plain(both[1]))
})

for (const way of ['email', 'recovery-code', 'face'] as const) {
  test(`recovery by ${way} walks the same pages with and without an account`, async () => {
    const walks = await Promise.all([person(known, SAMPLES + 1), person(unknown, SAMPLES + 2)].map(async (who) => {
      const { browser: own, page } = await recover(who.cpf, way)
      const pages = [page]
      if (way === 'face') {
        pages.push(await own.submit(page, { agree: 'sim' }, { action: '/concordo' }))
        pages.push(await own.get(at('/recuperar/passo')))
      } else {
        const code = way === 'email' ? '000000' : 'AAAA-BBBB-CCCC-DDDD'
        const wrong = await own.submit(page, { code }, { action: '/codigo' })
        pages.push(wrong, await own.submit(wrong, { code }, { action: '/codigo' }))
        if (way === 'email') pages.push(await own.submit(wrong, {}, { action: '/reenviar' }))
      }
      return pages.map((each) => shape(each, who))
    }))
    assert.deepEqual(walks[0], walks[1])
  })
}

/**
 * Times two ways in turns, the same browser work around them; noise of a busy machine gets five chances, a leak has none.
 */
async function compare(name: string, one: (index: number) => Promise<() => Promise<unknown>>, other: (index: number) => Promise<() => Promise<unknown>>): Promise<void> {
  const seen: string[] = []
  // Kept over the rounds: the more runs, the surer that a quiet moment is among those of either way.
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < 5; round += 1) {
    for (let index = 0; index < SAMPLES; index += 1) {
      for (const which of index % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const run = await (which === 0 ? one : other)(index)
        const begun = performance.now()
        await run()
        times[which].push(performance.now() - begun)
      }
    }
    const [a, b] = [typicalTime(times[0]), typicalTime(times[1])]
    seen.push(`${a.toFixed(1)} and ${b.toFixed(1)} ms`)
    if (isAsLong(a, b)) return
    app.clock.advance(3_600_000)
  }
  assert.fail(`${name}: ${seen.join('; ')}`)
}

test('time: a wrong password and an unknown CPF', async () => {
  const attempt = (list: readonly Person[]) => async (index: number) => {
    const journey = await begin(rp, {}, browser())
    return () => typePassword(journey, { cpf: person(list, index).cpf, password: WRONG })
  }
  await compare('sign-in', attempt(known), attempt(unknown))
})

test('time: registering a CPF with and without an account', async () => {
  let mails = 0
  const attempt = (list: readonly Person[]) => async (index: number) => {
    const journey = await openForm()
    mails += 1
    const form = { ...person(list, index), email: `tempo-${mails}@example.net`, password: 'outra-senha-do-cerrado-5' }
    return () => journey.browser.submit(journey.page, form, { action: '/cadastro' })
  }
  await compare('registration', attempt(known), attempt(unknown))
})

test('time: asking for a recovery with and without an account', async () => {
  const attempt = (list: readonly Person[]) => async (index: number) => {
    const fresh = browser()
    const page = await fresh.get(at('/recuperar'))
    return () => fresh.submit(page, { cpf: person(list, index).cpf, way: 'email' }, { action: '/recuperar' })
  }
  await compare('recovery', attempt(known), attempt(unknown))
})

test('time: a wrong code of a recovery with and without an account', async () => {
  for (const way of ['email', 'recovery-code']) {
    const attempt = (list: readonly Person[]) => async (index: number) => {
      const { browser: own, page } = await recover(person(list, index).cpf, way)
      assert.equal(page.status, 200, page.text.slice(0, 200))
      return () => own.submit(page, { code: way === 'email' ? '000000' : 'AAAA-BBBB-CCCC-DDDD' }, { action: '/codigo' })
    }
    app.clock.advance(3_600_000)
    await compare(`recovery by ${way}`, attempt(known), attempt(unknown))
  }
})
