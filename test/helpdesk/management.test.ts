/** The manager's page, the operators', and the survey behind its link, over HTTP. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Unit } from '../../src/helpdesk/index.ts'
import { addOperator, enter, type TestOperator } from '../admin/support/operator-entrance.ts'
import { assertHeading, openArea, type TestArea } from '../portal/support/area.ts'
import { beginDay } from '../support/clock.ts'
import { enterDesk, hire, openUnit } from './support/counter.ts'

let area: TestArea
let desk: { unit: Unit; manager: TestOperator }
let attendant: TestOperator

before(async () => {
  area = await openArea()
  beginDay(area.clock)
  desk = await openUnit(area)
  attendant = await hire(area, desk, 'attendant')
})
after(() => area.close())

async function finishOne(unitId = desk.unit.id): Promise<string> {
  const { line, figures } = area.app.rooms
  const by = { unitId, attendantId: attendant.accountId }
  const { id } = await line.queue.issue({ unitId, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' })
  area.clock.advance(3 * 60_000)
  await line.queue.callNext({ ...by, desk: 1 })
  await line.queue.goOn(by, id, 'start')
  return (await figures.surveys.askAboutTicket(await line.queue.goOn(by, id, 'finish'))) ?? assert.fail()
}

test('a finished ticket gives a link that takes one answer; replayed it is over', async () => {
  const clerk = area.browser()
  await area.app.rooms.line.queue.issue({ unitId: desk.unit.id, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' })
  let page = await enterDesk(area, clerk, attendant, '/balcao/fila')
  page = await clerk.submit(page, { guiche: '2' }, { action: '/balcao/fila/chamar' })
  page = await clerk.submit(page, {}, { action: '/balcao/fila/passo' })
  page = await clerk.submit(page, {}, { action: '/balcao/fila/passo' })
  assert.match(page.html, /src="data:image\/png;base64/)
  const link = /http\S+\/avaliacao\/[\w-]{43}/.exec(page.text)?.[0] ?? assert.fail(page.text)

  const browser = area.browser()
  const form = await browser.get(link)
  assertHeading(form, /Como foi o atendimento/)
  assert.equal((await browser.submit(form, { sentence: 'Sem nota' })).status, 422)
  assertHeading(await browser.submit(form, { score: '5', sentence: 'Rápido <b>e</b> gentil' }), /Obrigado/)
  assert.equal((await browser.submit(form, { score: '1', sentence: '' })).status, 410)
  assert.equal((await browser.get(link)).status, 410)
})

test("a manager sees the own unit's figures, drawn and as a file; comments are text, whatever they hold", async () => {
  const { surveys } = area.app.rooms.figures
  for (let index = 0; index < 4; index += 1) await surveys.answer(await finishOne(), { score: 4, sentence: '=1+1 <script>' })
  const browser = area.browser()
  const page = await enterDesk(area, browser, desk.manager, '/balcao/gestao')
  assertHeading(page, /Gestão da unidade/)
  assert.match(page.html, /<svg class="trend"[\s\S]*role="img"/)
  assert.match(page.text, /Média 4,2, de 5 respostas/)
  assert.match(page.html, /&#60;script&#62;/)
  const file = await browser.get(new URL('/balcao/gestao/relatorio.csv?dias=7', area.url))
  assert.match(file.headers.get('Content-Disposition') ?? '', /gestao-balcao/)
  assert.match(file.html, /^parte,item,medida,valor\r\n/)
  assert.ok(!file.html.includes('script'))
})

test('a manager of another unit sees nothing of this one, and an attendant no figures at all', async () => {
  const elsewhere = await openUnit(area)
  const browser = area.browser()
  const page = await enterDesk(area, browser, elsewhere.manager, '/balcao/gestao')
  assertHeading(page, /Gestão da unidade/)
  assert.ok(!page.text.includes('Média'))
  assert.ok(!page.text.includes('gentil'))
  // There is no address that names a unit, and the cookie of another one is not believed.
  const cookie = { Cookie: `balcao_unidade=${desk.unit.id}; ${browser.cookiesFor(new URL('/balcao/gestao', area.url))}` }
  const forged = await browser.fetch(new URL('/balcao/gestao', area.url), { headers: cookie })
  assert.ok(!(await forged.text()).includes('gentil'))
  const clerk = area.browser()
  assert.equal((await enterDesk(area, clerk, attendant, '/balcao/gestao')).status, 403)
  assert.equal((await area.open(clerk, '/balcao/gestao/relatorio.csv')).status, 403)
})

test('operators see all counters in numbers and nobody by name', async () => {
  const operator = await addOperator(area)
  area.clock.advance(60_000)
  const page = await enter(area, area.browser(), operator, '/operacao/balcoes')
  assertHeading(page, /Balcões/)
  assert.match(page.text, /Espera na fila/)
  assert.ok(!page.text.includes('Por atendente') && !page.text.includes('gentil'))
  const nobody = await addOperator(area, [])
  assert.equal((await enter(area, area.browser(), nobody, '/operacao/balcoes')).status, 403)
})
