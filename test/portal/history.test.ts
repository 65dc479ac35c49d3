import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accountsEvents } from '../../src/accounts/index.ts'
import { assuranceEvents } from '../../src/assurance/index.ts'
import { joinCatalogs } from '../../src/audit/catalog.ts'
import { interactionEvents, oidcEvents } from '../../src/oidc/index.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { portalEvents } from '../../src/portal/index.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { until } from '../support/until.ts'
import { assertHeading, enterPortal, openArea, type TestArea, type TestCitizen } from './support/area.ts'

const TOLD_MS = 30_000
const NEXT = 'lobeira-guara-carandazal-57'

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

const linesOn = (page: Page): string[] =>
  [...page.html.matchAll(/<div class="ledger-text">([\s\S]*?)<\/div>/g)].map(([, line = '']) =>
    line
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  )

test('every use is there within a second: what, where, which data, on which device, newest first', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  await enterPortal(area, browser, citizen)
  const page = await area.open(browser, '/conta/historico')
  assertHeading(page, /Histórico de uso/)
  const lines = linesOn(page)
  assert.match(
    lines[0] ?? '',
    /Sua identidade foi usada para entrar Em Portal de Serviços \(demonstração\) \d{2}\/\d{2}\/\d{4} \d{2}:\d{2} · .*CPF/,
  )
  assert.ok(lines.some((line) => /Você autorizou um sistema a ver seus dados Em Portal de Serviços/.test(line)))
  assert.ok(
    lines.some((line) => /Entrada na conta .* · Chrome · Linux/.test(line)),
    lines.join('\n'),
  )
  assert.ok(lines.some((line) => line.startsWith('Conta criada')))
})

test('a refused attempt stands out', async () => {
  const citizen = await area.citizen()
  await area.signIn(citizen, { password: 'errada-mesmo-99' })
  const { page } = await area.signIn(citizen, { path: '/conta/historico' })
  assert.match(page.html, /<li class="is-warning">[\s\S]*?Tentativa de entrada recusada/)
})

test('older lines are pages away, none twice, none left out, nobody else’s', async () => {
  const citizen = await area.citizen()
  const { browser, page: first } = await area.signIn(citizen, { path: '/conta/historico' })
  const { audit } = area.app.rooms
  const { db } = area.app.foundation
  for (let number = 0; number < 65; number += 1) {
    const actor = { kind: 'citizen', id: citizen.accountId } as const
    await audit.record(db, {
      type: 'accounts/device-removed',
      actor,
      subject: citizen.accountId,
      data: { deviceId: '7f3b1f4e-1c5e-4a55-9f6a-0d2b6a6f1a11' },
    })
  }
  const total = linesOn(first).length + 65
  let page = await area.open(browser, '/conta/historico')
  const seen = new Set<string>()
  let count = 0
  for (let pages = 1; ; pages += 1) {
    const ids = page.links
      .filter(({ href }) => href.pathname === '/conta/nao-fui-eu')
      .map(({ href }) => href.searchParams.get('entry') ?? '')
    for (const id of ids) seen.add(id)
    count += linesOn(page).length
    const older = page.links.find(({ text }) => text === 'Ver mais antigos')
    if (!older) break
    assert.ok(pages < 5)
    page = await browser.get(older.href)
  }
  assert.equal(count, total)
  assert.ok(seen.size >= 65)
  assert.ok(page.links.some(({ text }) => text === 'Ver os mais novos'))
  for (const odd of ['0', '-1', 'x', '1e30', '9007199254740993']) {
    assert.equal((await browser.fetch(`${area.url}/conta/historico?antes=${odd}`)).status, 400, odd)
  }
})

test('“não fui eu” shows the line that it is about, and what will happen; another’s line is not shown', async () => {
  const citizen = await area.citizen()
  const { browser, page } = await area.signIn(citizen, { path: '/conta/historico' })
  const link = page.links.find(({ href }) => href.pathname === '/conta/nao-fui-eu')
  assert.ok(link)
  const asked = await browser.get(link.href)
  assertHeading(asked, /Não fui eu/)
  assert.equal(linesOn(asked).length, 1)
  assert.match(asked.text, /A conta é bloqueada e sai de todos os aparelhos/)
  const other = await area.signIn(await area.citizen())
  const foreign = await area.open(other.browser, `/conta/nao-fui-eu?entry=${link.href.searchParams.get('entry')}`)
  assert.equal(linesOn(foreign).length, 0)
  assert.equal(foreign.status, 200)
})

test('“não fui eu”: suspended, out everywhere, portals told within 5 seconds, recent face seals withdrawn; recovery opens the account again', async () => {
  const citizen = await area.citizen()
  const face = await giveFaceSeal(citizen)
  const thief = await area.signIn(citizen)
  await enterPortal(area, thief.browser, citizen)
  const { browser, page } = await area.signIn(citizen, { path: '/conta/historico' })
  assert.match((await area.open(browser, '/conta')).text, /prata/i)
  const link = page.links.find(({ href }) => href.pathname === '/conta/nao-fui-eu')
  const asked = await browser.get(link?.href ?? '')
  const blocked = await browser.submit(asked, {}, { action: '/nao-fui-eu' })
  assertHeading(blocked, /Conta bloqueada/)

  for (const one of [browser, thief.browser]) assert.ok(!(await area.open(one, '/conta/dados')).text.includes(citizen.email))
  await until(async () => !(await thief.browser.get(area.portalUrl)).text.includes('Olá, Rosa'), TOLD_MS)
  assert.equal((await area.signIn(citizen)).page.status, 422, 'the old password opens nothing')
  assert.match((await area.mailsTo(citizen.email))[0]?.text ?? '', /suspensa/i)
  const [disowned] = await area.app.foundation.db.query<{ data: { entry?: number } }>(
    "SELECT data FROM audit_event WHERE type = 'portal/use-disowned' AND subject_id = $1",
    [citizen.accountId],
  )
  assert.equal(disowned?.data.entry, Number(link?.href.searchParams.get('entry')))

  const recovered = await recover(citizen)
  // What the recovery ended is bounded to the second, and ends in the background: this sign-in is a later one.
  area.clock.advance(1000)
  const level = await area.signIn(citizen, { browser: recovered, path: '/conta/nivel', password: NEXT })
  assertHeading(level.page, /bronze/i)
  assert.match(level.page.text, /Rosto conferido ao vivo retirado/)
  assert.ok(face)
})

test('a face seal older than 30 days stays', async () => {
  const citizen = await area.citizen()
  await giveFaceSeal(citizen)
  area.clock.advance(31 * 86_400_000)
  const { browser } = await area.signIn(citizen)
  await browser.submit(await area.open(browser, '/conta/nao-fui-eu'), {}, { action: '/nao-fui-eu' })
  assert.equal(await area.app.rooms.assurance.levelOf(citizen.accountId), 'prata')
  area.clock.set(new Date())
})

test('every event that a person’s ledger may show has a text of its own', () => {
  const messages = loadMessages({ folder: 'views/messages', strict: true })
  /** Told about relying parties and operators, never about a person. */
  const nobodys = /^oidc\/(client|registration|resource|keys)/
  const types = [...joinCatalogs([accountsEvents, assuranceEvents, oidcEvents, interactionEvents, portalEvents]).keys()].filter(
    (type) => !nobodys.test(type),
  )
  assert.ok(types.length > 30)
  assert.deepEqual(
    types.filter((type) => !messages.has(`portal.event.${type.replace('/', '-')}`)),
    [],
  )
})

async function giveFaceSeal({ personId, accountId }: TestCitizen) {
  const { assurance } = area.app.rooms
  return area.app.foundation.db.transaction((tx) =>
    assurance.add(tx, {
      personId,
      accountId,
      method: 'face-match',
      livenessClass: 'basic',
      referenceTrusted: true,
      source: 'test',
      actor: { kind: 'citizen', id: accountId },
    }),
  )
}

/** Recovers the account by the code of the mail. */
async function recover(citizen: TestCitizen): Promise<BrowserClient> {
  const browser = area.browser()
  const asked = await browser.submit(await area.open(browser, '/recuperar'), { cpf: citizen.cpf, way: 'email' }, { action: '/recuperar' })
  const choose = await browser.submit(asked, { code: await area.app.lastCode(citizen.email) }, { action: '/codigo' })
  const done = await browser.submit(choose, { password: NEXT }, { action: '/senha' })
  assert.equal(done.status, 200, done.text.slice(0, 300))
  return browser
}
