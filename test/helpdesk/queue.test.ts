/** The waiting line over HTTP: the tablet, the desk, the public screen, and hours booked from home. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Unit } from '../../src/helpdesk/index.ts'
import { addDays, localDay, momentOf, weekdayOf } from '../../src/platform/clock.ts'
import { assertHeading, openArea, type TestArea } from '../portal/support/area.ts'
import { addOperator, type TestOperator } from '../admin/support/operator-entrance.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { beginDay } from '../support/clock.ts'
import { enterDesk, hire, openUnit } from './support/counter.ts'

let area: TestArea
let desk: { unit: Unit; manager: TestOperator }
let clerk: BrowserClient
let manager: BrowserClient
let attendant: TestOperator

before(async () => {
  area = await openArea()
  beginDay(area.clock)
  desk = await openUnit(area)
  attendant = await hire(area, desk, 'attendant')
  clerk = area.browser()
  manager = area.browser()
  assertHeading(await enterDesk(area, clerk, attendant, '/balcao/fila'), /Fila de hoje/)
  assertHeading(await enterDesk(area, manager, desk.manager, '/balcao/horarios'), /Horários e fila/)
})
after(() => area.close())

const panelOf = async (unit: Unit, accept = 'text/html'): Promise<Page> => area.browser({ Accept: accept }).get(new URL(`/painel/${unit.code}`, area.url))
/** Sends a form of the page with its hidden fields; also fields that the client does not read, as those of lists to choose from. */
function post(browser: BrowserClient, page: Page, action: string, fields: Record<string, string>): Promise<Page> {
  const form = page.forms.find((found) => found.action.pathname === action)
  const csrf = form?.fields.get('_csrf') ?? page.forms.flatMap((found) => [...(found.fields.get('_csrf') ?? [])]).slice(0, 1)
  const held = [...(form?.fields ?? [])].flatMap(([name, values]) => values.map((value) => [name, value] as const))
  const data = new URLSearchParams(Object.fromEntries([...held, ['_csrf', csrf[0] ?? ''], ...Object.entries(fields)]))
  return browser.post(new URL(action, area.url), data, page.url)
}

async function tabletPath(): Promise<string> {
  const page = await area.open(manager, '/balcao/horarios')
  return /href="(\/senha\/[^"]+)"/.exec(page.html)?.[1] ?? assert.fail(page.text)
}

test('somebody takes a number at the tablet, is called to a desk and attended; the screen shows number and desk', async () => {
  const tablet = area.browser()
  const start = await area.open(tablet, await tabletPath())
  assertHeading(start, /Retire sua senha/)
  const given = await tablet.submit(start, { kind: 'account', reason: 'age-80' })
  assert.match(given.text, /P001/)
  let page = await area.open(clerk, '/balcao/fila')
  assert.match(page.text, /1 pessoa espera/)
  assert.match((await area.open(clerk, '/balcao')).text, /1 pessoa espera na fila/)
  page = await post(clerk, page, '/balcao/fila/chamar', { guiche: '7' })
  assert.match(page.text, /P001/)
  const screen = await panelOf(desk.unit)
  assert.match(screen.text, /P001[\s\S]*Guichê 7/)
  assert.match(screen.html, /<noscript><meta http-equiv="refresh" content="\d+"><\/noscript>/)
  assert.match(screen.html, /aria-live="assertive"/)
  page = await post(clerk, page, '/balcao/fila/passo', { step: 'start' })
  page = await post(clerk, page, '/balcao/fila/passo', { step: 'finish' })
  assert.match(page.text, /Atendimento terminado/)
  page = await post(clerk, page, '/balcao/fila/chamar', { guiche: '7' })
  assert.match(page.text, /Ninguém espera agora/)
})

test('a refused form of the tablet keeps the choices, and a wrong or former address is nothing', async () => {
  const tablet = area.browser()
  const path = await tabletPath()
  const start = await area.open(tablet, path)
  const refused = await tablet.submit(start, { reason: 'pregnant' })
  assert.equal(refused.status, 422)
  assert.equal((await area.open(tablet, path.replace(/.$/, path.endsWith('A') ? 'B' : 'A'))).status, 404)
  assert.equal((await area.open(tablet, path.replace(desk.unit.code, 'outra'))).status, 404)
  await post(manager, await area.open(manager, '/balcao/horarios'), '/balcao/horarios/totem', {})
  assert.equal((await area.open(tablet, path)).status, 404)
  assert.equal((await area.open(tablet, await tabletPath())).status, 200)
  assert.equal((await area.open(tablet, '/painel/nao-existe')).status, 404)
})

test('somebody books from home, arrives and is called by the hour; the public screen tells nothing of them', async () => {
  const citizen = await area.citizen()
  const day = addDays(localDay(area.clock.now()), 1)
  await post(manager, await area.open(manager, '/balcao/horarios'), '/balcao/horarios', {
    weekday: String(weekdayOf(day)), opens: '08:00', closes: '17:00', slotMinutes: '60', capacity: '1',
  })
  const { browser } = await area.signIn(citizen)
  let page = await area.open(browser, '/conta/agendamentos')
  page = await area.open(browser, `/conta/agendamentos?unidade=${desk.unit.id}&assunto=document`)
  assert.match(page.html, new RegExp(`value="${day}"`))
  page = await area.open(browser, `/conta/agendamentos?unidade=${desk.unit.id}&assunto=document&dia=${day}`)
  const startsAt = momentOf(day, 9 * 60)
  page = await browser.submit(page, { startsAt: startsAt.toISOString() }, { action: '/conta/agendamentos' })
  assert.match(page.text, /Hora marcada[\s\S]*O que levar[\s\S]*certidão/)
  assert.match((await area.mailsTo(citizen.email))[0]?.subject ?? '', /Hora marcada/)
  assert.match((await area.open(browser, '/conta/historico')).text, /Você marcou uma hora no balcão/)

  area.clock.set(new Date(startsAt.getTime() - 5 * 60_000))
  await area.app.rooms.line.appointments.remind()
  assert.match((await area.mailsTo(citizen.email))[0]?.subject ?? '', /Lembrete/)
  clerk = area.browser()
  let line = await enterDesk(area, clerk, attendant, '/balcao/fila')
  assert.match(line.text, /Com hora marcada hoje[\s\S]*\*\*\*/)
  assert.ok(!line.html.includes(citizen.cpf))
  const [first = '', second = ''] = (await area.app.rooms.accounts.get(citizen.accountId)).citizen.reveal().name.split(' ')
  assert.ok(line.text.includes(`${first} ${second.slice(0, 1)}.`), 'called by first name and initials')
  line = await post(clerk, line, '/balcao/fila/chegou', { reason: 'none' })
  assert.match(line.text, /A senha é H001/)
  line = await post(clerk, line, '/balcao/fila/chamar', { guiche: '3' })
  assert.match(line.text, /H001/)

  const { name } = (await area.app.rooms.accounts.get(citizen.accountId)).citizen.reveal()
  const answers = [await panelOf(desk.unit), await area.browser({ Accept: 'application/json' }).get(new URL(`/painel/${desk.unit.code}/chamadas`, area.url))]
  for (const { html } of answers) {
    assert.match(html, /H001/)
    for (const secret of [citizen.cpf, citizen.accountId, citizen.personId, attendant.accountId, name, ...name.split(' ').filter((word) => word.length > 3), 'document', 'booked']) assert.ok(!html.includes(secret), secret)
  }
  const again = await area.open((await area.signIn(citizen)).browser, '/conta/historico')
  assert.match(again.text, /Você chegou ao balcão com hora marcada/)
})

test('closing a day asks first when somebody booked, then tells them with the way to another hour', async () => {
  const citizen = await area.citizen()
  const day = addDays(localDay(area.clock.now()), 2)
  const page = await enterDesk(area, area.browser(), desk.manager, '/balcao/horarios')
  manager = area.browser()
  let hours = await enterDesk(area, manager, desk.manager, '/balcao/horarios')
  assert.equal(page.status, 200)
  hours = await post(manager, hours, '/balcao/horarios', { weekday: String(weekdayOf(day)), opens: '08:00', closes: '17:00', slotMinutes: '60', capacity: '1' })
  await area.app.rooms.line.appointments.book(citizen.accountId, { unitId: desk.unit.id, kind: 'account', startsAt: momentOf(day, 9 * 60) })
  const asked = await post(manager, hours, '/balcao/horarios/dia', { day, change: 'close' })
  assert.match(asked.text, /Uma pessoa já marcou hora/)
  assert.ok(await area.app.rooms.line.appointments.booked(citizen.accountId), 'nothing is done before the answer')
  const done = await manager.submit(asked, {}, { action: '/balcao/horarios/dia' })
  assert.match(done.text, /Dia guardado. Uma pessoa foi avisada/)
  const [mail] = await area.mailsTo(citizen.email)
  assert.match(`${mail?.subject} ${mail?.text}`, /A unidade desmarcou a sua hora[\s\S]*\/conta\/agendamentos/)
  const { browser } = await area.signIn(citizen)
  const mine = await area.open(browser, '/conta/agendamentos')
  assert.match(mine.text, /A unidade desmarcou a sua hora/)
  const again = mine.links.find(({ href }) => href.search.includes('unidade=')) ?? assert.fail(mine.text)
  assert.match((await browser.get(again.href)).text, new RegExp(desk.unit.name))
  assert.match((await area.open(browser, '/conta/historico')).text, /A unidade desmarcou a sua hora no balcão/)
})

test('fewer places than people: the manager is asked, may keep them all, sees the full hour and eases it later, with a message to each', async () => {
  const people = [await area.citizen(), await area.citizen()]
  const day = addDays(localDay(area.clock.now()), 3)
  const places = (capacity: string) => ({ weekday: String(weekdayOf(day)), opens: '08:00', closes: '17:00', slotMinutes: '60', capacity })
  manager = area.browser()
  let hours = await enterDesk(area, manager, desk.manager, '/balcao/horarios')
  hours = await post(manager, hours, '/balcao/horarios', places('2'))
  for (const { accountId } of people) {
    area.clock.advance(1000)
    await area.app.rooms.line.appointments.book(accountId, { unitId: desk.unit.id, kind: 'account', startsAt: momentOf(day, 9 * 60) })
  }
  const asked = await post(manager, hours, '/balcao/horarios', places('1'))
  assert.match(asked.text, /Uma pessoa fica sem lugar na sua hora/)
  const kept = await post(manager, asked, '/balcao/horarios', { ...places('1'), confirmed: 'sim', beyond: 'keep' })
  assert.match(kept.text, /Pessoas marcadas: 2. Lugares: 1\./)
  const easing = await manager.submit(kept, {}, { action: '/balcao/horarios/excesso' })
  assert.match(easing.text, /Desmarcar e avisar/)
  const [first, last] = people
  assert.ok(await area.app.rooms.line.appointments.booked(last?.accountId ?? assert.fail()), 'nothing is done before the answer')
  const done = await manager.submit(easing, {}, { action: '/balcao/horarios/excesso' })
  assert.match(done.text, /A hora ficou com as pessoas que cabem nela. Uma pessoa foi avisada/)
  assert.doesNotMatch(done.text, /Horas com mais gente/)
  assert.ok((await area.mailsTo(last?.email ?? '')).some(({ subject, text }) => /desmarcou a sua hora/.test(`${subject} ${text}`)))
  assert.ok(await area.app.rooms.line.appointments.booked(first?.accountId ?? assert.fail()))
  const called = await post(manager, done, '/balcao/horarios/excesso', { hour: 'x' })
  assert.equal(called.status, 422)
})

test('another unit, a role that is not there and a stranger move nothing', async () => {
  const elsewhere = await openUnit(area)
  const other = area.browser()
  const foreign = await enterDesk(area, other, elsewhere.manager, '/balcao/fila')
  const { queue } = area.app.rooms.line
  const ticket = await queue.issue({ unitId: desk.unit.id, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' })
  assert.ok(!foreign.text.includes('N001'))
  const moved = await post(other, foreign, '/balcao/fila/mudar', { ticket: ticket.id, step: 'leave' })
  assert.match(moved.text, /Outra pessoa foi mais rápida/)
  assert.ok((await queue.today(desk.unit.id)).some(({ id, state }) => id === ticket.id && state === 'waiting'))

  const plain = await addOperator(area, [])
  const nobody = area.browser()
  assert.equal((await enterDesk(area, nobody, plain, '/balcao/fila')).status, 403)
  assert.equal((await enterDesk(area, clerk, attendant, '/balcao/horarios')).status, 403)
  assert.match((await area.open(area.browser(), '/balcao/fila')).url.pathname, /^\/(interacao|balcao)\//)
})
