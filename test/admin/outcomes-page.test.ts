/** The operators' area over HTTP: who gets in, who does not, and what the page and its file say. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openArea, type TestArea, typePassword } from '../portal/support/area.ts'
import { addOperator, codeOf, enter, fillOutcomes, setRoles, type TestOperator } from './support/operator-entrance.ts'

const PAGE = '/operacao/biometria'

let area: TestArea
let operator: TestOperator

before(async () => {
  area = await openArea()
  operator = await addOperator(area)
})
after(() => area.close())

test('before there are checks the page says so, and the file has its head only', async () => {
  const browser = area.browser()
  const page = await enter(area, browser, operator)
  assert.equal(page.url.pathname, PAGE)
  assert.match(page.text, /Poucas conferências neste período/)
  const file = await browser.fetch(`${area.url}${PAGE}/resultados.csv`)
  assert.equal((await file.text()).trim().split('\r\n').length, 1)
  await fillOutcomes(area)
  area.clock.advance(60_000)
})

test('a stranger is led to a sign-in with a second factor, whatever the page', async () => {
  for (const path of [PAGE, `${PAGE}/resultados.csv`]) {
    const response = await area.browser().fetch(`${area.url}${path}`)
    assert.equal(response.status, 303)
    assert.match(response.headers.get('Location') ?? '', /^\/operacao\/entrar\?para=\/operacao/)
  }
  const leaving = await area.browser().fetch(`${area.url}/operacao/entrar?para=${PAGE}&nivel=bronze`)
  const asked = new URL(leaving.headers.get('Location') ?? '')
  assert.equal(asked.searchParams.get('acr_values'), 'urn:mt-login:aal:2', 'no link asks for less')
  assert.equal(asked.searchParams.get('client_id'), 'mt-operacao')
})

test('password and code lead to the page; the citizen’s cookie is another one', async () => {
  area.clock.advance(60_000)
  const browser = area.browser()
  const page = await enter(area, browser, operator)
  assert.match(page.text, /Conferências de rosto/)
  assert.ok(browser.cookie('mt_operacao'))
  assert.equal(browser.cookie('mt_conta'), undefined)
  const stolen = await area.browser().fetch(`${area.url}/conta/dados`, { headers: { Cookie: `mt_conta=${browser.cookie('mt_operacao')}` } })
  assert.equal(stolen.status, 303, 'one area’s cookie opens no other')
})

test('a sign-in without the second factor is not enough, though the citizen’s area is open', async () => {
  const fresh = await area.citizen()
  await setRoles(area, fresh, ['operator'])
  const { browser, page } = await area.signIn(fresh)
  assert.equal(page.url.pathname, '/conta')
  const asked = await area.open(browser, PAGE)
  assert.ok(asked.url.pathname.startsWith('/interacao/'))
  assert.match(asked.text, /Ligue o segundo passo/)
  assert.doesNotMatch(asked.text, /Taxa de recusa/)
})

test('a citizen without a role is refused with a plain page, and so is a role that no page names', async () => {
  area.clock.advance(60_000)
  const citizen = await addOperator(area, [])
  const browser = area.browser()
  const page = await enter(area, browser, citizen)
  assert.equal(page.status, 403)
  assert.match(page.text, /Esta área não é para a sua conta/)
  assert.doesNotMatch(page.text, /Taxa de recusa|Alarmes/)
  assert.equal((await browser.fetch(`${area.url}${PAGE}/resultados.csv`)).status, 403)
  await area.app.foundation.db.execute(`UPDATE account SET roles = '{attendant}' WHERE id = $1`, [citizen.accountId])
  assert.equal((await area.open(browser, PAGE)).status, 403)
})

test('a role that is taken away, or given, counts from the next request', async () => {
  area.clock.advance(60_000)
  const auditor = await addOperator(area, ['auditor'])
  const browser = area.browser()
  assert.equal((await enter(area, browser, auditor)).status, 200)
  await setRoles(area, auditor, [])
  assert.equal((await area.open(browser, PAGE)).status, 403)
  await setRoles(area, auditor, ['admin'])
  assert.equal((await area.open(browser, PAGE)).status, 200)
})

test('the page has rates, groups, reasons and terms; few of a kind are merged; the period is chosen by its link', async () => {
  area.clock.advance(60_000)
  const browser = area.browser()
  const page = await enter(area, browser, operator)
  for (const text of [
    /75 anos ou mais/,
    /Celular Android/,
    /Chegue|luz|Falta luz|escuro/i,
    /BPCER/,
    /k-anonimato/,
    /Outros, com poucos casos cada/,
  ])
    assert.match(page.text, text)
  assert.doesNotMatch(page.text, /Tablet Android/)
  assert.match(page.html, /<svg class="trend"[^>]*role="img"[^>]*aria-label="Taxa de recusa por dia"/)
  assert.match(page.html, /<polyline class="trend-line" points="[\d., ]+"/)
  assert.doesNotMatch(page.html, /style=|<script(?! type="module" src)/)
  const week = await area.open(browser, `${PAGE}?dias=7`)
  assert.match(week.html, /aria-current="page">7 dias/)
  for (const query of ['dias=8', 'dias=7&x=1', 'dias='])
    assert.equal((await browser.fetch(`${area.url}${PAGE}?${query}`)).status, 400, query)
  assert.match((await area.open(browser, `${PAGE}?dias=90&lang=en`)).text, /Refusal rate/)
  assert.match((await area.open(browser, `${PAGE}?lang=es`)).text, /Tasa de rechazo/)
})

test('the file holds what the page holds', async () => {
  area.clock.advance(60_000)
  const browser = area.browser()
  await enter(area, browser, operator)
  const response = await browser.fetch(`${area.url}${PAGE}/resultados.csv?dias=28`)
  assert.match(response.headers.get('Content-Type') ?? '', /^text\/csv/)
  assert.match(response.headers.get('Content-Disposition') ?? '', /^attachment; filename="biometria-[\d-]+\.csv"$/)
  const lines = (await response.text()).trim().split('\r\n')
  assert.ok(
    lines.every((line) => line.split(',').length === 10),
    lines.find((line) => line.split(',').length !== 10),
  )
  const all = lines.find((line) => line.startsWith('todos,'))?.split(',') ?? []
  assert.deepEqual(all.slice(2, 8), ['2606', '2100', '56', '142', '224', '84'])
  assert.ok(lines.every((line) => !line.includes('tablet-android')))
  assert.ok(lines.some((line) => line.startsWith('motivo,face/too-slow,224')))
})

test('an alarm is on the page, in the operators’ mail without a name or a number, and in the metrics', async () => {
  area.clock.advance(60_000)
  const { opened } = await area.app.rooms.outcomes.watch()
  assert.ok(
    opened.some(({ rule, group }) => rule === 'differential' && group === '75+'),
    JSON.stringify(opened),
  )
  const browser = area.browser()
  assert.match((await enter(area, browser, operator)).text, /75 anos ou mais: mais recusas do que nos outros grupos/)
  const mails = (await area.mailsTo(operator.email)).filter(({ subject }) => subject === 'Alarme nas conferências de rosto')
  assert.equal(mails.length, 1, 'one for all alarms of a run')
  const [mail] = mails
  assert.match(mail?.text ?? '', /\/operacao\/biometria/)
  assert.doesNotMatch(mail?.text.replace(/http\S+/, '') ?? '', /75|%|Rosa/)
  const metrics = await area.app.foundation.metrics.text()
  assert.match(metrics, /mtlogin_face_refusal_rate\{dimension="age",group="75\+"\} 0\.3/)
  assert.doesNotMatch(metrics, /tablet-android/)
})

test('a visit whose sign-in is worth less than it was is asked again', async () => {
  area.clock.advance(60_000)
  const browser = area.browser()
  assert.equal((await enter(area, browser, operator)).status, 200)
  await area.app.foundation.db.execute('UPDATE sign_in_session SET aal = 1 WHERE account_id = $1', [operator.accountId])
  assert.equal((await browser.fetch(`${area.url}${PAGE}`)).status, 303)
})

test('sign-out ends the visit; an idle desk closes after half an hour; a suspended operator is out at once', async () => {
  area.clock.advance(60_000)
  const browser = area.browser()
  let page = await enter(area, browser, operator)
  const cookie = browser.cookie('mt_operacao')
  page = await browser.submit(page, {}, { action: '/operacao/sair' })
  if (page.forms.some(({ action }) => action.pathname.startsWith('/logout')))
    page = await browser.submit(page, {}, { action: '/logout/confirm' })
  assert.equal(page.url.pathname, '/operacao/saiu')
  assert.match(page.text, /Você saiu da área de operação/)
  assert.equal((await area.browser().fetch(`${area.url}${PAGE}`, { headers: { Cookie: `mt_operacao=${cookie}` } })).status, 303)

  area.clock.advance(60_000)
  const idle = area.browser()
  assert.equal((await enter(area, idle, operator)).status, 200)
  area.clock.advance(31 * 60_000)
  assert.equal((await idle.fetch(`${area.url}${PAGE}`)).status, 303)

  const other = await addOperator(area)
  area.clock.advance(60_000)
  const out = area.browser()
  assert.equal((await enter(area, out, other)).status, 200)
  await area.app.rooms.accounts.safety.suspend(other.accountId, { reason: 'operator', actor: { kind: 'system' } })
  assert.equal((await out.fetch(`${area.url}${PAGE}`)).status, 303)
})

test('an operator without a second factor yet sets one up on the way in', async () => {
  const fresh = await area.citizen()
  await setRoles(area, fresh, ['operator'])
  const browser = area.browser()
  let page = await typePassword(browser, await area.open(browser, PAGE), fresh.cpf)
  const secret =
    /id="chave"[^>]*>([A-Z2-7 ]+)</.exec(page.html)?.[1]?.replaceAll(' ', '') ?? /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? ''
  page = await browser.submit(page, { code: codeOf(secret, area) }, { action: '/segundo-passo/ligar' })
  page = await browser.submit(page, {}, { action: '/segundo-passo/guardei' })
  assert.equal(page.url.pathname, PAGE)
})
