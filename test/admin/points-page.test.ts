/** `/operacao/pontos` and `/operacao/medicao` over HTTP: what they say, who may change what, and the files. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Month, monthOf, monthsBefore } from '../../src/biometrics/index.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { beginDay } from '../support/clock.ts'
import { fillPoints } from './support/metered-points.ts'
import { addOperator, enter, setRoles, type TestOperator } from './support/operator-entrance.ts'

let area: TestArea
let operator: TestOperator
let browser: BrowserClient
let month: Month
before(async () => {
  area = await openArea()
  beginDay(area.clock)
  operator = await addOperator(area)
  await fillPoints(area)
  month = monthOf(area.clock.now())
  browser = area.browser()
  area.clock.advance(60_000)
  await enter(area, browser, operator, '/operacao/pontos')
})
after(() => area.close())

const page = (path: string) => area.open(browser, path)
const statement = () => `/operacao/medicao/contrato-1/${month}`

test('the list tells states, signs, gaps and this month’s processes, in three languages', async () => {
  const list = await page('/operacao/pontos')
  assert.match(list.text, /Balcão cba-01[\s\S]*5 processos neste mês\. Último sinal:[\s\S]*Faltam 2 lotes/)
  assert.match(list.text, /1 processo neste mês\. Diz que não pode capturar/)
  assert.match(list.text, /Nunca deu sinal/)
  assert.match((await page('/operacao/pontos?lang=en')).text, /Capture points/)
  assert.match((await page('/operacao/pontos?lang=es')).text, /Puntos de captura/)
  await page('/operacao/pontos?lang=pt-BR')
})

test('a point shows its facts, missing batches and history; an operator suspends, resumes and retires it', async () => {
  const path = '/operacao/pontos/cba-01'
  const first = await page(path)
  assert.match(first.text, /Lotes que não chegaram[\s\S]*1, 2/)
  const suspended = await browser.submit(first, { move: 'suspend' }, { action: 'situacao' })
  assert.equal(suspended.url.pathname, path)
  assert.match(suspended.text, /suspenso/)
  const resumed = await browser.submit(suspended, { move: 'resume' }, { action: 'situacao' })
  assert.match(resumed.text, /Situações até hoje[\s\S]*ativo[\s\S]*suspenso[\s\S]*ativo/)
  assert.equal((await page('/operacao/pontos/nao-ha')).status, 404)
  const events = await area.app.foundation.db.query<{ actor_id: string }>("SELECT actor_id FROM audit_event WHERE type = 'biometrics/point-state-changed' ORDER BY id DESC LIMIT 2")
  assert.deepEqual(events.map(({ actor_id: id }) => id), [operator.accountId, operator.accountId])
})

test('an auditor looks and changes nothing; a stranger is led to the entrance', async () => {
  const stale = await page('/operacao/pontos/cba-02')
  await setRoles(area, operator, ['auditor'])
  const refused = await browser.submit(stale, { move: 'suspend' }, { action: 'situacao' })
  assert.equal(refused.status, 403)
  assert.doesNotMatch((await page('/operacao/pontos/cba-02')).text, /Mudar a situação/)
  assert.doesNotMatch((await page(statement())).text, /Fechar o extrato/)
  await setRoles(area, operator, ['operator'])
  for (const path of ['/operacao/pontos', '/operacao/pontos/cba-01', '/operacao/medicao', statement(), `${statement()}/extrato.csv`, `${statement()}/extrato.pdf`]) {
    assert.equal((await area.browser().fetch(area.url + path)).status, 303, path)
  }
})

test('the statement, its table and its document say the same numbers', async () => {
  assert.match((await page('/operacao/medicao')).html, new RegExp(`href="${statement()}"`))
  const shown = await page(statement())
  assert.match(shown.text, /Parcial[\s\S]*Processos capturados\s*6[\s\S]*Compensados entre pontos\s*3[\s\S]*R\$\s7\.500,00/)
  const file = await browser.fetch(`${area.url}${statement()}/extrato.csv`)
  assert.match(file.headers.get('Content-Disposition') ?? '', /attachment; filename="extrato-contrato-1-[\d-]+\.csv"/)
  const lines = (await file.text()).trim().split('\r\n').map((line) => line.split(','))
  assert.deepEqual(lines.map((cells) => cells.length), lines.map(() => 14))
  assert.deepEqual(lines.slice(1, 5).map((cells) => [cells[0], cells[3], cells[8], cells[9], cells[11]]), [
    ['cba-01', '5', '3', '0', '250000'], ['cba-02', '1', '0', '1', '250000'], ['vg-01', '0', '0', '2', '250000'], ['total', '6', '3', '3', '750000'],
  ])
  assert.equal(lines.at(-1)?.[0], 'total_devido')
  const pdf = await browser.fetch(`${area.url}${statement()}/extrato.pdf`)
  assert.deepEqual([pdf.headers.get('Content-Type'), Buffer.from(await pdf.arrayBuffer()).subarray(0, 5).toString()], ['application/pdf', '%PDF-'])
  for (const wrong of [`/operacao/medicao/contrato-1/2026-13`, '/operacao/medicao/Contrato 1/2026-11', '/operacao/medicao/contrato-1/2020-01']) assert.equal((await page(wrong)).status, 404, wrong)
})

test('a month that is over is closed by its button, once; one that runs has none', async () => {
  assert.doesNotMatch((await page(statement())).text, /Fechar o extrato/)
  const [, before = month] = monthsBefore(month, 2)
  const open = await page(`/operacao/medicao/contrato-1/${before}`)
  assert.match(open.text, /Nenhum ponto esteve ativo/)
  const closed = await browser.submit(open, {}, { action: 'fechar' })
  assert.match(closed.text, /Fechado em/)
  const again = await browser.submit(open, {}, { action: 'fechar' })
  assert.equal(again.status, 409)
  assert.match(again.text, /O extrato já está fechado/)
})
