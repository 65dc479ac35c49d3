/** The waiting line, support, booking and figures in a real browser: axe, 360 px, and the public screen with and without scripts. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { codeOf, type TestOperator } from '../admin/support/operator-entrance.ts'
import type { Unit } from '../../src/helpdesk/index.ts'
import { hire, openUnit } from '../helpdesk/support/counter.ts'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { localDay } from '../../src/platform/clock.ts'
import { beginDay } from '../support/clock.ts'

const COUNTER = { viewport: { width: 1366, height: 768 }, locale: 'pt-BR' }

let area: TestArea
let browser: Browser
let desk: { unit: Unit; manager: TestOperator }
let attendant: TestOperator

before(async () => {
  area = await openArea()
  beginDay(area.clock)
  browser = await launchBrowser()
  desk = await openUnit(area)
  attendant = await hire(area, desk, 'attendant')
})
after(async () => {
  await browser?.close()
  await area?.close()
})

/** A code is worth one sign-in, so each comes a minute later. */
async function enter(page: Page, person: TestOperator, path: string): Promise<void> {
  area.clock.advance(60_000)
  await page.goto(area.url + path)
  await page.fill('#cpf', person.cpf)
  await page.fill('#password', PASSWORD)
  await page.locator('main').getByRole('button', { name: 'Entrar', exact: true }).click()
  await page.fill('#code', codeOf(person.secret, area))
  await page.locator('main form:has(#code) button[type=submit]').first().click()
  await page.waitForURL(`**${path}`)
}

/** The whole box of a choice is its label. */
const choose = (page: Page, label: string): Promise<void> => page.locator('label', { hasText: label }).first().click()

test('a number is taken at the tablet, called at the desk, and seen on the screen without a touch', async () => {
  const tablet = await openProfile(browser, PHONE)
  const key = await area.app.rooms.line.queue.tabletKey(desk.unit.id)
  await tablet.page.goto(`${area.url}/senha/${desk.unit.code}/${key}`)
  await checkPage(tablet.page, 'the tablet')
  await choose(tablet.page, 'Problema para entrar na conta')
  await choose(tablet.page, 'Gestante')
  await tablet.page.getByRole('button', { name: 'Retirar a senha' }).click()
  await tablet.page.getByText('P001').waitFor()
  await checkPage(tablet.page, 'the number')

  const hall = await openProfile(browser, { ...COUNTER, viewport: { width: 1920, height: 1080 } })
  await hall.page.goto(`${area.url}/painel/${desk.unit.code}`)
  await checkPage(hall.page, 'the screen, empty')

  const clerk = await openProfile(browser, COUNTER)
  await enter(clerk.page, attendant, '/balcao/fila')
  await checkPage(clerk.page, 'the line')
  await clerk.page.fill('#guiche', '4')
  await clerk.page.keyboard.press('Enter')
  await clerk.page.getByRole('button', { name: 'Chegou: atender' }).waitFor()
  await checkPage(clerk.page, 'somebody called')

  await hall.page.locator('.panel-number', { hasText: 'P001' }).waitFor()
  assert.equal(await hall.page.locator('.panel-desk').textContent(), 'Guichê 4')
  assert.equal(await hall.page.locator('[aria-live=assertive] .panel-number').count(), 1)
  const size = await hall.page.locator('.panel-number').evaluate((number) => Number.parseFloat(getComputedStyle(number).fontSize))
  assert.ok(size >= 160, `${size} px on a screen of the hall`)
  await checkPage(hall.page, 'the screen')

  const plain = await openProfile(browser, { ...PHONE, javaScriptEnabled: false })
  await plain.page.goto(`${area.url}/painel/${desk.unit.code}`)
  assert.match((await plain.page.locator('.panel-now').textContent()) ?? '', /P001\s+Guichê 4/)
  assert.equal(await plain.page.locator('head noscript meta[http-equiv=refresh]').count(), 1)

  for (const { complaints, context } of [tablet, hall, clerk, plain]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

test('a support case from the search to the last act, at the counter and on a phone', async () => {
  const citizen = await area.citizen()
  await area.signIn(citizen, { password: 'senha-errada-de-teste' })
  for (const [name, options] of [['a counter', COUNTER], ['a phone', PHONE]] as const) {
    const { page, context, complaints } = await openProfile(browser, options)
    await enter(page, attendant, '/balcao/apoio')
    await checkPage(page, `support (${name})`)
    await page.fill('#cpf', citizen.cpf)
    await choose(page, 'A pessoa telefonou')
    await page.getByRole('button', { name: 'Abrir o caso' }).click()
    await page.getByText('Conte em pelo menos 10 letras').first().waitFor()
    await checkPage(page, `support without a sentence (${name})`)
    await page.fill('#note', 'Diz que não consegue entrar')
    await page.getByRole('button', { name: 'Abrir o caso' }).click()
    await page.waitForURL('**/balcao/apoio/caso/*')
    await checkPage(page, `a case (${name})`)
    assert.ok(!(await page.content()).includes(citizen.email))
    await page.locator('summary', { hasText: 'Sair de todos os aparelhos' }).click()
    await page.getByRole('button', { name: 'Sair', exact: true }).last().click()
    await page.getByText('A conta saiu de todos os aparelhos').waitFor()
    await checkPage(page, `a case after an act (${name})`)
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

test('hours and figures of a manager, and booking from home on a phone, pass axe and fit', async () => {
  const { line } = area.app.rooms
  for (let weekday = 0; weekday < 7; weekday += 1) {
    await line.appointments.changeHours(desk.unit.id, { weekday, opening: { weekday, opens: 480, closes: 1020, slotMinutes: 30, capacity: 2 } }, desk.manager.accountId)
  }
  const manager = await openProfile(browser, PHONE)
  await enter(manager.page, desk.manager, '/balcao/horarios')
  await checkPage(manager.page, 'hours')
  await manager.page.goto(`${area.url}/balcao/gestao`)
  await checkPage(manager.page, 'figures')
  await manager.page.locator('main summary').first().click()
  await checkPage(manager.page, 'figures, the table open')

  const citizen = await area.citizen()
  const home = await openProfile(browser, PHONE)
  const { page } = home
  await page.goto(`${area.url}/conta/agendamentos`)
  await page.fill('#cpf', citizen.cpf)
  await page.fill('#password', PASSWORD)
  await page.locator('main').getByRole('button', { name: 'Entrar', exact: true }).click()
  await page.waitForURL('**/conta/agendamentos')
  await checkPage(page, 'choosing a unit')
  await choose(page, 'Cadastro, rosto e documentos')
  await page.getByRole('button', { name: 'Ver os dias' }).click()
  await page.waitForURL('**unidade=*')
  await checkPage(page, 'choosing a day')
  await page.selectOption('#dia', { index: 1 })
  await page.getByRole('button', { name: 'Ver os horários' }).click()
  await page.waitForURL('**dia=*')
  await checkPage(page, 'choosing an hour')
  await page.locator('.choice label').first().click()
  await page.getByRole('button', { name: 'Marcar esta hora' }).click()
  await page.getByText('O que levar').waitFor()
  await checkPage(page, 'booked')

  const booked = (await line.appointments.booked(citizen.accountId)) ?? assert.fail()
  await manager.page.goto(`${area.url}/balcao/horarios`)
  await manager.page.fill('#day', localDay(booked.startsAt))
  await manager.page.getByRole('button', { name: 'Fechar este dia' }).click()
  await manager.page.getByText('Uma pessoa já marcou hora').first().waitFor()
  await checkPage(manager.page, 'who loses an hour')
  await manager.page.getByRole('button', { name: 'Desmarcar e avisar' }).click()
  await manager.page.getByText('Uma pessoa foi avisada').waitFor()
  await page.goto(`${area.url}/conta/agendamentos`)
  await page.getByText('A unidade desmarcou a sua hora').waitFor()
  await checkPage(page, 'called off by the unit')

  const survey = await openProfile(browser, PHONE)
  const ticket = await line.queue.issue({ unitId: desk.unit.id, kind: 'question', class: 'ordinary' }, 'desk', { kind: 'system' })
  const { surveys } = area.app.rooms.figures
  await survey.page.goto(surveys.linkOf((await surveys.askAboutTicket(ticket)) ?? ''))
  await checkPage(survey.page, 'the survey')
  for (const { complaints, context } of [manager, home, survey]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})
