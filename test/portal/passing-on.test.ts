/** Passing on what one holds, and acts that several people approve, on the pages. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Day, type Mandate, parsePartyRef, type PartyRef } from '../../src/proxies/index.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { beginDay } from '../support/clock.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen } from './support/area.ts'
import { citizenAtPrata, proveNow, raise } from './support/proxies.ts'

const NAME = 'Rosa Maria dos Santos'
const BASE = '/conta/procuracoes'
const SYSTEM = { kind: 'system' } as const
const DEMO = { id: 'portal-demonstracao', namespaces: ['sefaz-demo'] }

let area: TestArea
let owner: TestCitizen
let holders: TestCitizen[]
let browsers: BrowserClient[]
let mine: BrowserClient
before(async () => {
  area = await openArea()
  beginDay(area.clock)
  owner = await citizenAtPrata(area)
  holders = [await citizenAtPrata(area), await citizenAtPrata(area), await citizenAtPrata(area)]
  mine = (await area.signIn(owner)).browser
  browsers = []
  for (const one of holders) browsers.push((await area.signIn(one)).browser)
})
after(() => area.close())

const at = <T>(list: readonly T[], index: number): T => list[index] ?? assert.fail(`no ${index}`)
const refOf = ({ cpf }: TestCitizen): PartyRef => parsePartyRef(cpf) ?? assert.fail(cpf)
const dayIn = (days: number) => new Date(area.clock.now().getTime() + days * 86_400_000).toISOString().slice(0, 10) as Day
const typed = (days: number) => dayIn(days).split('-').reverse().join('/')
const press = (browser: BrowserClient, page: Page, action: string) => browser.submit(page, {}, { action })

/** Signed by the owner just now, of the newest version of a power. */
async function grant(to: readonly TestCitizen[], code: string, more: { subDepth?: number; quorum?: number; instance?: string } = {}): Promise<Mandate[]> {
  await proveNow(area, owner)
  const { roles, mandates } = area.app.rooms.proxies
  const role = (await roles.list({ namespace: 'sefaz-demo' })).find((one) => one.code === code) ?? assert.fail(code)
  const [session] = await area.app.foundation.db.query<{ id: string }>('SELECT id FROM sign_in_session WHERE account_id = $1 AND ended_at IS NULL', [owner.accountId])
  const given = await mandates.grant(
    { accountId: owner.accountId, sessionId: session?.id },
    { delegates: to.map((one) => ({ ref: refOf(one), name: NAME })), powers: [role], validThrough: dayIn(60), ...more },
  )
  return Promise.all(given.map((one, index) => mandates.accept({ accountId: at(to, index).accountId }, one.id)))
}

async function publish(code: string, change: object): Promise<void> {
  const { roles } = area.app.rooms.proxies
  const spoken = (text: string) => ({ 'pt-BR': text, en: text, es: text })
  const definition = { title: spoken('Vender o imóvel'), description: spoken('vender o imóvel'), representedKinds: ['person'], delegateKinds: ['person'], longestDays: 365, ...change }
  await roles.draft({ namespace: 'sefaz-demo', code, definition }, SYSTEM)
  await roles.publish({ namespace: 'sefaz-demo', code }, SYSTEM)
}

/** The four steps of passing on, to the summary. */
async function summaryOf(browser: BrowserClient, page: Page, to: TestCitizen, until: string): Promise<Page> {
  const go = page.links.find(({ href }) => href.pathname === `${BASE}/repassar`)
  assert.ok(go, page.text)
  page = await browser.submit(await browser.get(go.href), { document: to.cpf, name: NAME }, { action: `${BASE}/repassar/quem` })
  const offered = page.forms.flatMap(({ choices }) => choices.get('poder') ?? [])
  assert.equal(offered.length, 1, 'only what is held')
  page = await browser.submit(page, { poder: at(offered, 0) }, { action: `${BASE}/repassar/poderes` })
  return browser.submit(page, { ate: until }, { action: `${BASE}/repassar/prazo` })
}

test('passing on: a part, within the term, in plain words; the grantor is told, sees the tree and stops the branch', async () => {
  const [held] = await grant([at(holders, 0)], 'ipva.consultar', { subDepth: 1, instance: 'placa ABC1D23' })
  assert.ok(held)
  const theirs = at(browsers, 0)
  const page = await area.open(theirs, `${BASE}/${held.id}`)
  assert.match((await summaryOf(theirs, page, at(holders, 1), typed(61))).text, /passam do que pode ser dado/, 'not beyond its own end')
  let sum = await summaryOf(theirs, page, at(holders, 1), typed(30))
  assertHeading(sum, /Confira antes de passar adiante/)
  assert.match(sum.text, new RegExp(`${NAME} poderá consultar o IPVA dos seus veículos até ${typed(30)}\\.`))
  assert.match(sum.text, /Só para: placa ABC1D23/)
  assert.match(sum.text, /é avisado e pode parar/)
  assert.match(sum.text, /não pode passar adiante de novo/)
  assert.equal((await press(theirs, sum, `${BASE}/repassar/resumo`)).status, 422, 'as fresh a proof as a grant')
  await proveNow(area, at(holders, 0))
  sum = await area.open(theirs, `${BASE}/repassar/resumo`)
  assert.match((await press(theirs, sum, `${BASE}/repassar/resumo`)).text, /Passada adiante/)
  assert.match((await area.mailsTo(owner.email))[0]?.subject ?? '', /passada adiante/)

  const root = await area.open(mine, `${BASE}/${held.id}`)
  assert.match(root.text, /O que foi passado adiante/)
  const branch = root.links.find(({ href }) => /procuracoes\/[0-9a-f-]{36}$/.test(href.pathname) && !href.pathname.endsWith(held.id))
  assert.ok(branch)
  const child = await mine.get(branch.href)
  assert.match(child.text, /Repassada por/)
  assert.ok(!child.links.some(({ href }) => href.pathname === `${BASE}/repassar`), 'who gave it passes nothing on')
  assert.match((await press(mine, child, `${branch.href.pathname}/cancelar`)).text, /Cancelada/)
  assert.doesNotMatch((await area.open(mine, `${BASE}/${held.id}`)).text, /O que foi passado adiante/)
})

test('what may not be passed on has no way to, whoever types the address', async () => {
  const [held] = await grant([at(holders, 0)], 'ipva.pagar')
  assert.ok(held)
  const theirs = at(browsers, 0)
  assert.ok(!(await area.open(theirs, `${BASE}/${held.id}`)).links.some(({ href }) => href.pathname === `${BASE}/repassar`))
  for (const address of [`${BASE}/repassar`, `${BASE}/repassar?de=${held.id}`]) assert.equal((await area.open(theirs, address)).url.pathname, BASE)
  const [other] = await grant([at(holders, 1)], 'ipva.consultar', { subDepth: 1 })
  assert.ok(other)
  assert.equal((await area.open(theirs, `${BASE}/repassar?de=${other.id}`)).url.pathname, BASE, "somebody else's")
  assert.equal((await area.open(mine, `${BASE}/repassar?de=${other.id}`)).url.pathname, BASE, 'who gave it')
})

test('an act of two of three: what it is, who asks, yes with a fresh proof, the quorum, and no to the next', async () => {
  await publish('imovel.vender', { joint: 'required', acceptance: true })
  await grant(holders, 'imovel.vender', { quorum: 2 })
  const { acts } = area.app.rooms.proxies
  const ask = (about: string) =>
    acts.open(DEMO, { actor: refOf(at(holders, 0)), represented: refOf(owner), role: { namespace: 'sefaz-demo', code: 'imovel.vender' }, instance: 'lote 7', about })
  const { act } = await ask('Vender o lote 7 por R$ 50.000,00')
  const PAGE = `${BASE}/atos/${act.id}`
  assert.match((await area.mailsTo(at(holders, 1).email))[0]?.subject ?? '', /espera a sua aprovação/)
  const overview = await area.open(at(browsers, 1), BASE)
  assert.match(overview.text, /1 ato espera a sua aprovação/)
  assert.match((await area.open(at(browsers, 1), `${BASE}/atos`)).text, /Vender o lote 7 por R\$ 50\.000,00/)

  const page = await area.open(at(browsers, 1), PAGE)
  assertHeading(page, /Vender o lote 7 por R\$ 50\.000,00/)
  for (const part of [/só vale com 2 aprovações/, /0 de 2 aprovações/, /lote 7/, /Portal de Serviços/, /Ninguém decidiu ainda/]) assert.match(page.text, part)
  const old = await press(at(browsers, 1), page, `${PAGE}/aprovar`)
  assert.equal(old.status, 422)
  assert.match(old.text, /Confirme que é você/)
  await proveNow(area, at(holders, 1))
  assert.match((await press(at(browsers, 1), page, `${PAGE}/aprovar`)).text, /1 de 2 aprovações/)
  await proveNow(area, at(holders, 2))
  const second = await press(at(browsers, 2), await area.open(at(browsers, 2), PAGE), `${PAGE}/aprovar`)
  assert.match(second.text, /Já há aprovações suficientes/)
  assert.equal((await acts.find(DEMO, act.id)).state, 'approved')

  const seen = await area.open(mine, PAGE)
  assert.equal(seen.status, 200)
  assert.ok(!seen.forms.some(({ action }) => action.pathname.startsWith(PAGE)), 'in whose name it is done sees it and decides nothing here')
  const stranger = (await area.signIn(await citizenAtPrata(area))).browser
  assert.equal((await area.open(stranger, PAGE)).status, 404)

  const next = (await ask('Vender o lote 8')).act
  for (const index of [1, 2]) {
    const address = `${BASE}/atos/${next.id}`
    const answered = await press(at(browsers, index), await area.open(at(browsers, index), address), `${address}/recusar`)
    assert.match(answered.text, index === 1 ? /Você recusou/ : /não teve aprovações suficientes/)
  }
  assert.equal((await acts.find(DEMO, next.id)).state, 'refused')
  assert.match((await area.open(mine, '/conta/historico')).text, /Ato conjunto/)
})

/** The first three steps of a new mandate, with this power. */
async function toSummary(to: TestCitizen, title: RegExp): Promise<Page> {
  let page = await mine.submit(await area.open(mine, `${BASE}/nova`), { document: to.cpf, name: NAME }, { action: `${BASE}/nova/quem` })
  const value = new RegExp(`value="(sefaz-demo:[^"]+)"[^>]*>\\s*<div><label[^>]*>${title.source}`).exec(page.html)?.[1] ?? assert.fail(page.text)
  page = await mine.submit(page, { poder: value }, { action: `${BASE}/nova/poderes` })
  return mine.submit(page, { ate: typed(20) }, { action: `${BASE}/nova/prazo` })
}

test('several people in one mandate: only so many together, said in plain words; one is taken out again', async () => {
  await publish('imovel.alugar', { joint: 'required', title: { 'pt-BR': 'Alugar o imóvel', en: 'Let', es: 'Alquilar' }, acceptance: false })
  const OTHERS = `${BASE}/nova/juntos`
  let page = await toSummary(at(holders, 0), /Alugar o imóvel/)
  assert.equal(page.status, 422, 'alone it cannot be given')
  assert.ok(page.links.some(({ href }) => href.pathname === OTHERS), 'and the page says where to mend it')
  const add = async (one: TestCitizen) => mine.submit(await area.open(mine, OTHERS), { document: one.cpf, name: NAME }, { action: `${OTHERS}/pessoa` })
  await add(at(holders, 1))
  assert.match((await add(at(holders, 1))).text, /já está na procuração/)
  page = await add(at(holders, 2))
  assert.match((await mine.submit(page, { modo: 'juntas', quorum: '4' }, { action: OTHERS })).text, /pelo menos 2, no máximo todas/)
  const dropping = (await area.open(mine, OTHERS)).forms.filter(({ action }) => action.pathname === `${OTHERS}/retirar`)
  assert.equal(dropping.length, 2)
  await mine.submit(await area.open(mine, OTHERS), {}, { action: `${OTHERS}/retirar` })
  page = await mine.submit(await area.open(mine, OTHERS), { modo: 'juntas', quorum: '2' }, { action: OTHERS })
  assert.match(page.text, new RegExp(`${NAME}, ${NAME} poderão`))
  assert.match(page.text, /Só juntas: cada ato precisa da aprovação de 2 das 2/)
  await proveNow(area, owner)
  assert.match((await press(mine, await area.open(mine, `${BASE}/nova/resumo`), `${BASE}/nova/resumo`)).text, /Procuração assinada/)
  const given = (await area.app.rooms.proxies.mandates.listGiven({ accountId: owner.accountId })).filter(({ powers }) => powers[0]?.code === 'imovel.alugar')
  assert.deepEqual(given.map(({ joint, state }) => [joint?.quorum, state]), [[2, 'active'], [2, 'active']])
})

test('a mandate to a lawyer is given like any other, and does not mix with what is none', async () => {
  await publish('processo.acompanhar', { kinds: ['advocaticia'], title: { 'pt-BR': 'Acompanhar processos', en: 'Follow cases', es: 'Seguir procesos' }, acceptance: false })
  const page = await toSummary(at(holders, 0), /Acompanhar processos/)
  assertHeading(page, /Confira antes de assinar/)
  await proveNow(area, owner)
  await press(mine, await area.open(mine, `${BASE}/nova/resumo`), `${BASE}/nova/resumo`)
  const [given] = await area.app.rooms.proxies.mandates.listGiven({ accountId: owner.accountId })
  assert.deepEqual([given?.kind, given?.state], ['advocaticia', 'active'])
})

test('the company area: people with who gave what, what it holds for others, and that is passed to its people', async () => {
  const joana = (await area.signIn({ cpf: '11144477735' }, { password: 'arara-azul-cerrado-3' })).browser
  const { mandates, roles } = area.app.rooms.proxies
  await proveNow(area, owner)
  const [session] = await area.app.foundation.db.query<{ id: string }>('SELECT id FROM sign_in_session WHERE account_id = $1 AND ended_at IS NULL', [owner.accountId])
  const role = (await roles.list({ namespace: 'sefaz-demo' })).find(({ code }) => code === 'ipva.consultar') ?? assert.fail()
  const company = parsePartyRef('12ABC34501DE35') ?? assert.fail()
  const terms = { delegates: [{ ref: company, name: 'Pantanal Sementes Ltda' }], powers: [role], validThrough: dayIn(30), subDepth: 1 }
  const [held] = await mandates.grant({ accountId: owner.accountId, sessionId: session?.id }, terms)
  assert.ok(held)
  let page = await area.open(joana, `${BASE}/${held.id}?empresa=12ABC345`)
  page = await press(joana, page, `${BASE}/${held.id}/aceitar`)
  assert.match(page.text, /Procuração aceita/)
  page = await area.open(joana, '/conta/empresas/12ABC345')
  assert.match(page.text, /O que a empresa pode fazer por outros/)
  assert.match(page.text, /Pode ser passada a pessoas da empresa/)
  const joanas = (await area.app.rooms.accounts.findByCpf('11144477735' as never)) ?? assert.fail()
  await raise(area, { personId: joanas.personId, accountId: joanas.id })
  await proveNow(area, { ...at(holders, 0), accountId: joanas.id })
  const sum = await summaryOf(joana, await area.open(joana, `${BASE}/${held.id}?empresa=12ABC345`), at(holders, 2), typed(10))
  assert.match((await press(joana, sum, `${BASE}/repassar/resumo`)).text, /Passada adiante/)
  page = await area.open(joana, '/conta/empresas/12ABC345')
  assert.match(page.text, /Repassada por Pantanal Sementes Ltda/)
  assert.match((await area.open(at(browsers, 2), BASE)).text, new RegExp(`${NAME}`))
})
