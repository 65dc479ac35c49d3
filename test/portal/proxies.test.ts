import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { beginDay } from '../support/clock.ts'
import { until } from '../support/until.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen } from './support/area.ts'
import { citizenAtPrata, proveNow, raise } from './support/proxies.ts'

const NAME = 'Rosa Maria dos Santos'
const BASE = '/conta/procuracoes'

let area: TestArea
let giver: TestCitizen
let taker: TestCitizen
let mine: BrowserClient
let theirs: BrowserClient
before(async () => {
  area = await openArea()
  beginDay(area.clock)
  giver = await citizenAtPrata(area)
  taker = await citizenAtPrata(area)
  mine = (await area.signIn(giver)).browser
  theirs = (await area.signIn(taker)).browser
})
after(() => area.close())

const inDays = (days: number) => new Date(area.clock.now().getTime() + days * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('/')

/** The four steps, to the summary. */
async function summary(browser: BrowserClient, to: TestCitizen, mode = 'nova', start = `${BASE}/${mode}`, limits: Record<string, string> = {}): Promise<Page> {
  let page = await area.open(browser, start)
  page = await browser.submit(page, { document: to.cpf, name: NAME }, { action: `${BASE}/${mode}/quem` })
  const power = page.forms.flatMap(({ choices }) => choices.get('poder') ?? []).find((choice) => choice.includes('ipva.consultar')) ?? ''
  page = await browser.submit(page, { poder: power }, { action: `${BASE}/${mode}/poderes` })
  return browser.submit(page, { ate: inDays(90), ...limits }, { action: `${BASE}/${mode}/prazo` })
}
const idIn = (page: Page) => page.links.map(({ href }) => /procuracoes\/([0-9a-f-]{36})/.exec(href.pathname)?.[1]).find((id) => id !== undefined) ?? ''
const press = (browser: BrowserClient, page: Page, action: string) => browser.submit(page, {}, { action })

/** In force, from one to the other. */
async function inForce(limits: Record<string, string> = {}): Promise<string> {
  await proveNow(area, giver)
  await press(mine, await summary(mine, taker, 'nova', `${BASE}/nova`, limits), `${BASE}/nova/resumo`)
  const id = idIn(await area.open(theirs, BASE))
  await press(theirs, await area.open(theirs, `${BASE}/${id}`), `${BASE}/${id}/aceitar`)
  return id
}

test('a mandate in four steps: the summary says in plain words what is signed, and an old proof is renewed first', async () => {
  const page = await summary(mine, taker)
  assertHeading(page, /Confira antes de assinar/)
  assert.match(page.text, new RegExp(`${NAME} poderá consultar o IPVA dos seus veículos até ${inDays(90)}\\.`))
  const refused = await press(mine, page, `${BASE}/nova/resumo`)
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Confirme que é você/)
  const ways = refused.links.filter(({ href }) => href.searchParams.has('prova'))
  assert.equal(ways.length, 2)
  const asked = await mine.get(ways[0]?.href ?? '')
  assert.ok(asked.trail.some(({ searchParams }) => searchParams.get('acr_values')?.includes('urn:mt-login:aal:2')))
  await proveNow(area, giver)
  const done = await press(mine, await area.open(mine, `${BASE}/nova/resumo`), `${BASE}/nova/resumo`)
  assert.match(done.text, /Procuração assinada/)
  assert.match(done.text, /Esperando aceite/)
  assert.match((await area.mailsTo(taker.email))[0]?.subject ?? '', /Você recebeu uma procuração/)
})

test('faults are shown beside their field, and no step can be skipped', async () => {
  await area.open(mine, `${BASE}/nova`)
  const skipped = await area.open(mine, `${BASE}/nova/resumo`)
  assert.equal(skipped.url.pathname, `${BASE}/nova/quem`)
  const refused = await mine.submit(skipped, { document: '111', name: '' }, { action: `${BASE}/nova/quem` })
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Escreva um CPF ou CNPJ válido/)
  const powers = await mine.submit(refused, { document: taker.cpf, name: NAME }, { action: `${BASE}/nova/quem` })
  assert.match((await mine.submit(powers, {}, { action: `${BASE}/nova/poderes` })).text, /Marque pelo menos um poder/)
})

test('number and name that do not belong together are refused at the summary, which tells nobody who has which number', async () => {
  await area.open(mine, `${BASE}/nova`)
  let page = await mine.submit(await area.open(mine, `${BASE}/nova/quem`), { document: taker.cpf, name: 'Outra Pessoa Qualquer' }, { action: `${BASE}/nova/quem` })
  const power = page.forms.flatMap(({ choices }) => choices.get('poder') ?? []).find((choice) => choice.includes('ipva.consultar')) ?? ''
  page = await mine.submit(page, { poder: power }, { action: `${BASE}/nova/poderes` })
  page = await mine.submit(page, { ate: inDays(30) }, { action: `${BASE}/nova/prazo` })
  assert.match(page.text, /Confira o número e o nome/)
  assert.doesNotMatch(page.text, new RegExp(NAME + ' poderá'))
})

test('whoever received it accepts; a stranger to it finds nothing', async () => {
  const id = await inForce()
  const page = await area.open(theirs, `${BASE}/${id}`)
  assert.match(page.text, /Situação Valendo/)
  const stranger = (await area.signIn(await citizenAtPrata(area))).browser
  assert.equal((await area.open(stranger, `${BASE}/${id}`)).status, 404)
  assert.equal((await area.open(stranger, `${BASE}/${id}/nao-fui-eu`)).status, 404)
})

test('both sides take the document of a mandate with them; before it counts there is none, and a stranger finds none', async () => {
  await proveNow(area, giver)
  await press(mine, await summary(mine, taker), `${BASE}/nova/resumo`)
  const id = idIn(await area.open(theirs, BASE))
  const waiting = await area.open(theirs, `${BASE}/${id}`)
  assert.ok(!waiting.links.some(({ href }) => href.pathname.endsWith('/documento')))
  assert.equal((await area.open(theirs, `${BASE}/${id}/documento`)).status, 409)
  await press(theirs, waiting, `${BASE}/${id}/aceitar`)
  for (const browser of [mine, theirs]) {
    const link = (await area.open(browser, `${BASE}/${id}`)).links.find(({ href }) => href.pathname.endsWith('/documento'))
    const file = await browser.get(link?.href ?? '')
    assert.equal(file.status, 200)
    assert.match(file.html, /^%PDF-/)
  }
  const stranger = (await area.signIn(await citizenAtPrata(area))).browser
  assert.equal((await area.open(stranger, `${BASE}/${id}/documento`)).status, 404)
})

test('acting in the portal: the picker has "eu mesmo" first, the portal says who acts for whom, the giver sees it and stops it', async () => {
  const id = await inForce()
  const portal = area.browser()
  let page = await portal.get(`${area.portalUrl}/entrar`)
  page = await portal.submit(page, { cpf: taker.cpf, password: 'boi-tuiuiu-pantanal-7' }, { action: '/entrar' })
  assertHeading(page, /Por quem você vai agir\?/)
  const [first, ...others] = page.forms.flatMap(({ choices }) => choices.get('por') ?? [])
  assert.equal(first, 'self')
  assert.ok(others.includes(id))
  page = await portal.submit(page, { por: id }, { action: '/por-quem' })
  assert.match(page.text, new RegExp(`Você está agindo por ${NAME}`), 'the consent names both')
  page = await portal.submit(page, {}, { button: 'Autorizar' })
  assert.equal(page.url.origin, area.portalUrl, page.text.slice(0, 300))
  assert.match(page.text, new RegExp(`${NAME} está agindo por ${NAME} \\(\\*\\*\\*`))
  const uses = await area.open(mine, `${BASE}/usos`)
  assert.match(uses.text, /agiu em nome de/)
  assert.match(uses.text, /Portal de Serviços/)
  const line = uses.links.find(({ href }) => href.pathname.endsWith('/nao-fui-eu'))
  assert.ok(line)
  const stopped = await press(mine, await mine.get(line.href), `${BASE}/${id}/nao-fui-eu`)
  assert.match(stopped.text, /Parada\. Ninguém age mais com ela/)
  await until(async () => !/está agindo por/.test((await portal.get(area.portalUrl)).text))
  const again = await portal.get(`${area.portalUrl}/servicos/em-nome-de`)
  assert.doesNotMatch(again.forms.flatMap(({ choices }) => choices.get('por') ?? []).join(' '), new RegExp(id))
  const ledger = await area.open(mine, '/conta/historico')
  assert.match(ledger.text, /procuração/i)
})

test('what was given for one thing only is offered to no relying party, which could not be told of the limit', async () => {
  assert.match((await summary(mine, taker, 'nova', `${BASE}/nova`, { limite: 'placa ABC1D23' })).text, /não entra em sites em seu nome/)
  const id = await inForce({ limite: 'placa ABC1D23' })
  assert.match((await area.open(theirs, `${BASE}/${id}`)).text, /Situação Valendo/)
  const portal = area.browser()
  const page = await portal.submit(await portal.get(`${area.portalUrl}/entrar`), { cpf: taker.cpf, password: 'boi-tuiuiu-pantanal-7' }, { action: '/entrar' })
  assert.ok(!page.forms.flatMap(({ choices }) => choices.get('por') ?? []).includes(id))
})

test('stopped, let go again with a fresh proof, cancelled for good: two presses each; given up by whoever holds it', async () => {
  const id = await inForce()
  const act = async (action: string, browser = mine) => press(browser, await area.open(browser, `${BASE}/${id}`), `${BASE}/${id}/${action}`)
  assert.match((await act('parar')).text, /Parada/)
  await proveNow(area, giver)
  assert.match((await act('liberar')).text, /Liberada de novo/)
  assert.match((await act('cancelar')).text, /Cancelada/)
  const other = await inForce()
  const left = await press(theirs, await area.open(theirs, `${BASE}/${other}`), `${BASE}/${other}/renunciar`)
  assert.match(left.text, /Você deixou a procuração/)
})

test('asking to represent somebody: they see exactly what, refuse with one press, and can block', async () => {
  await press(theirs, await summary(theirs, giver, 'pedir'), `${BASE}/pedir/resumo`)
  const page = await area.open(mine, `${BASE}/pedidos`)
  assert.match(page.text, new RegExp(`${NAME} quer poder consultar o IPVA`))
  const form = page.forms.find(({ action, fields }) => action.pathname.endsWith('/recusar') && !fields.has('bloquear'))
  assert.ok(form)
  assert.match((await press(mine, page, form.action.pathname)).text, /Recusado\. Nada mudou/)
  await press(theirs, await summary(theirs, giver, 'pedir'), `${BASE}/pedir/resumo`)
  await proveNow(area, giver)
  const second = await area.open(mine, `${BASE}/pedidos`)
  const agree = second.forms.find(({ action }) => action.pathname.endsWith('/concordar'))
  assert.match((await press(mine, second, agree?.action.pathname ?? '')).text, /Procuração assinada/)
})

test('the company area: only what the register says; its administrator gives a mandate in its name', async () => {
  const none = await area.open(mine, '/conta/empresas')
  assert.match(none.text, /Nenhuma empresa/)
  assert.equal((await area.open(mine, `${BASE}?empresa=12ABC345`)).status, 403)
  const joana = (await area.signIn({ cpf: '11144477735' }, { password: 'arara-azul-cerrado-3' })).browser
  const companies = await area.open(joana, '/conta/empresas')
  assert.match(companies.text, /Pantanal Sementes Ltda/)
  const company = await area.open(joana, '/conta/empresas/12ABC345')
  assertHeading(company, /Pantanal Sementes/)
  assert.match(company.text, /\*\*\*\.444\.777-\*\* \(você\)/)
  assert.doesNotMatch(company.text, /529\.982/, 'a partner is no administrator')
  const page = await summary(joana, taker, 'nova', `${BASE}/nova?empresa=12ABC345`)
  assert.match(page.text, /Em nome de Pantanal Sementes Ltda/)
  assert.match(company.text, /Filial Sinop.+12\.ABC\.345\/0002-69.+só desta unidade.+Filial Cáceres.+Fechada/)
  const place = company.links.find(({ href }) => href.search === '?empresa=12ABC345000269') ?? assert.fail('no establishment to give for')
  assert.ok(company.links.every(({ href }) => href.search !== '?empresa=12ABC345000340'), 'nothing is given for a closed one')
  assert.match((await summary(joana, taker, 'nova', place.href.pathname + place.href.search)).text, /Em nome de Pantanal Sementes Ltda – Filial Sinop/)
})

test('as a company: its administrator needs no mandate to act for it in the portal', async () => {
  const portal = area.browser()
  let page = await portal.get(`${area.portalUrl}/servicos/em-nome-de`)
  page = await portal.submit(page, { cpf: '11144477735', password: 'arara-azul-cerrado-3' }, { action: '/entrar' })
  assertHeading(page, /Por quem você vai agir\?/)
  assert.match(page.text, /Para agir por Pantanal Sementes Ltda sua conta precisa ser prata/)
  const joana = await area.app.rooms.accounts.findByCpf('11144477735' as never)
  assert.ok(joana)
  await raise(area, { personId: joana.personId, accountId: joana.id })
  page = await portal.get(page.url)
  const company = page.forms.flatMap(({ choices }) => choices.get('por') ?? []).find((value) => value.startsWith('registro:')) ?? ''
  page = await portal.submit(page, { por: company }, { action: '/por-quem' })
  if (page.forms.some(({ action }) => action.pathname.endsWith('/consentir'))) page = await portal.submit(page, {}, { button: 'Autorizar' })
  assert.match(page.text, /está agindo por Pantanal Sementes Ltda/)
})

test('what the register of mandates no longer bears is offered to nobody: the grantor\'s level fell, the mandate is cancelled', async () => {
  const offered = async (citizen: TestCitizen) => (await area.app.oidc.representation.options(citizen.accountId, 'portal-demonstracao')).map(({ id }) => id)
  const id = await inForce()
  assert.ok((await offered(taker)).includes(id))
  assert.deepEqual(await offered(giver), [])
  const { personId, accountId } = giver
  const { db } = area.app.foundation
  await db.transaction(async (tx) => void (await area.app.rooms.assurance.withdrawAll(tx, { personId, accountId, reason: 'account-closed', actor: { kind: 'system' } })))
  assert.ok(!(await offered(taker)).includes(id), 'the grantor is not at prata any more')
  await raise(area, giver)
  assert.ok((await offered(taker)).includes(id))
  await press(mine, await area.open(mine, `${BASE}/${id}`), `${BASE}/${id}/cancelar`)
  assert.ok(!(await offered(taker)).includes(id))
})

test('many accounts behind one network ask for no more than that network may', async () => {
  const target = await citizenAtPrata(area)
  const sameNetwork = { 'X-Forwarded-For': '10.9.9.9' }
  const ask = async (browser: BrowserClient) => {
    let page = await area.open(browser, `${BASE}/pedir`)
    page = await browser.submit(page, { document: target.cpf, name: NAME }, { action: `${BASE}/pedir/quem` })
    const power = page.forms.flatMap(({ choices }) => choices.get('poder') ?? []).find((choice) => choice.includes('ipva.consultar')) ?? ''
    await browser.submit(page, { poder: power }, { action: `${BASE}/pedir/poderes` })
        return browser.submit(await area.open(browser, `${BASE}/pedir/prazo`), { ate: inDays(90) }, { action: `${BASE}/pedir/prazo` })
  }
  const flooder = (await area.signIn(await citizenAtPrata(area), { browser: area.browser(sameNetwork) })).browser
  let summaryPage = await ask(flooder)
  // Refused or not, each counts.
  for (let count = 0; count < 40; count += 1) {
    const answer = await flooder.submit(summaryPage, {}, { action: `${BASE}/pedir/resumo` })
    if (answer.status !== 422) summaryPage = await ask(flooder)
  }
  const other = (await area.signIn(await citizenAtPrata(area), { browser: area.browser(sameNetwork) })).browser
  const refused = await other.submit(await ask(other), {}, { action: `${BASE}/pedir/resumo` })
  assert.equal(refused.status, 422)
  assert.match(refused.text, /Pedidos demais/)
  assert.match((await area.open((await area.signIn(target)).browser, `${BASE}/pedidos`)).text, new RegExp(`${NAME} quer poder`))
})
