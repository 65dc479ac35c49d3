/** The agencies' area over HTTP: powers from a draft to their end, what is entered with a second person, and who may do which. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseCpf } from '../../src/accounts/index.ts'
import { type AgencyRole, dayOf } from '../../src/proxies/index.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { citizenAtPrata, proveNow, raise } from '../portal/support/proxies.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { addOperator, enter, type TestOperator } from './support/operator-entrance.ts'

const SPACE = 'sefaz-demo'
const POWERS = '/orgao/poderes'
const NAME = 'Rosa Maria dos Santos'
const FORM = {
  titulo_pt: 'Pedir a nota fiscal', titulo_en: 'Ask for the invoice', titulo_es: 'Pedir la factura', texto_pt: 'pedir a nota fiscal das suas compras', texto_en: 'ask for the invoices of your purchases',
  texto_es: 'pedir las facturas de tus compras', servicos: 'nota-fiscal, nfa', tipo_procuracao: 'sim', de_person: 'sim', para_person: 'sim', para_company: 'sim', nivel_dar: 'prata', nivel_receber: 'bronze',
  assinatura: 'simples', repasse: '1', dias: '180', conjunto: 'never', aceite: 'sim',
}

let area: TestArea
let writer: BrowserClient
let publisher: BrowserClient
let other: BrowserClient
let people: Record<'writer' | 'publisher' | 'other', TestOperator>

async function staff(namespace: string, roles: readonly AgencyRole[]): Promise<TestOperator> {
  const person = await addOperator(area, [])
  await raise(area, person)
  const cpf = parseCpf(person.cpf) ?? assert.fail()
  for (const role of roles) await area.app.rooms.proxies.team.add({ namespace, cpf, role }, { actorId: 'cli:test' })
  return person
}
async function at(person: TestOperator, path = POWERS): Promise<BrowserClient> {
  const browser = area.browser()
  const page = await enter(area, browser, person, path)
  assert.equal(page.status, 200, page.text.slice(0, 200))
  return browser
}

before(async () => {
  area = await openArea()
  await area.app.rooms.proxies.roles.addNamespace({ code: 'saude', title: 'Secretaria de Saúde', clientId: 'saude-client' }, { kind: 'system' })
  people = { writer: await staff(SPACE, ['editor', 'registrar']), publisher: await staff(SPACE, ['publisher', 'registrar', 'manager']), other: await staff('saude', ['editor', 'publisher', 'manager']) }
  writer = await at(people.writer)
  publisher = await at(people.publisher)
  other = await at(people.other)
})
after(() => area.close())

const open = (browser: BrowserClient, path: string): Promise<Page> => area.open(browser, path)
/** Fills the form whose address is the page's own. */
const fill = (browser: BrowserClient, page: Page, fields: Record<string, string>): Promise<Page> => browser.submit(page, fields, { action: page.url.pathname })
const press = async (browser: BrowserClient, path: string, action: string): Promise<Page> => browser.submit(await open(browser, path), {}, { action: `${path}/${action}` })

test('a stranger goes to the entrance, whoever has no place gets a plain page, and no page of it is another area\'s', async () => {
  for (const path of [POWERS, '/orgao/representacoes', '/orgao/equipe', `${POWERS}/${SPACE}/ipva.pagar`]) {
    const response = await area.browser().fetch(`${area.url}${path}`)
    assert.equal(response.status, 303, path)
    assert.match(response.headers.get('Location') ?? '', /^\/orgao\/entrar\?para=\/orgao\//)
  }
  const nobody = await addOperator(area, ['operator'])
  const browser = area.browser()
  const page = await enter(area, browser, nobody, POWERS)
  assert.equal(page.status, 403)
  assert.match(page.text, /não tem um lugar em nenhum órgão/)
  const citizen = (await area.signIn(await citizenAtPrata(area))).browser
  assert.notEqual((await open(citizen, POWERS)).url.pathname, POWERS, 'the citizen\'s cookie is not this area\'s')
})

test('draft, preview in the citizen\'s words, published by another person, a new version, retired: what was given keeps its version', async () => {
  let page = await open(writer, `/orgao/novo-poder/${SPACE}`)
  const wrong = await fill(writer, page, { ...FORM, codigo: 'Nota Fiscal', dias: '0', texto_es: '' })
  assert.equal(wrong.status, 422)
  for (const fault of [/Use letras minúsculas/, /número de 1 a 1830/]) assert.match(wrong.text, fault)
  assert.match(wrong.html, /value="Pedir a nota fiscal"/, 'nothing typed is lost')
  page = await fill(writer, await open(writer, `/orgao/novo-poder/${SPACE}`), { ...FORM, codigo: 'nota.pedir' })
  assert.match(page.text, /Rascunho salvo/)
  assert.match(page.text, /Você escreveu este rascunho|Jogar fora/)
  const at = `${POWERS}/${SPACE}/nota.pedir`
  const preview = await open(publisher, `${at}/previa`)
  assert.match(preview.text, /Maria poderá: pedir a nota fiscal das suas compras/)
  assert.match(preview.text, /ask for the invoices of your purchases/)
  assert.match(preview.text, /Só vale depois que a outra pessoa aceitar/)
  const { roles } = area.app.rooms.proxies
  const published = async () => (await roles.list({ namespace: SPACE, hidden: true })).find(({ code }) => code === 'nota.pedir')
  assert.equal(await published(), undefined, 'a draft is in no list')

  const read = await open(publisher, at)
  await fill(writer, await open(writer, `${at}/rascunho`), { ...FORM, texto_pt: 'fazer tudo o que quiser' })
  const changed = await publisher.submit(read, {}, { action: `${at}/publicar` })
  assert.equal(changed.status, 409)
  assert.equal(await published(), undefined, 'another text than the one that was read is not published')
  await fill(writer, await open(writer, `${at}/rascunho`), FORM)
  assert.match((await press(publisher, at, 'publicar')).text, /Versão publicada/)
  const first = await published()
  assert.deepEqual([first?.version, first?.definition.services, first?.definition.subDepth, first?.definition.delegateKinds], [1, ['nota-fiscal', 'nfa'], 1, ['person', 'company']])

  await fill(writer, await open(writer, `${at}/rascunho`), { ...FORM, titulo_pt: 'Pedir e baixar a nota' })
  assert.equal((await published())?.version, 1)
  await press(publisher, at, 'publicar')
  assert.equal((await published())?.definition.title['pt-BR'], 'Pedir e baixar a nota')
  assert.equal((await roles.find({ namespace: SPACE, code: 'nota.pedir', version: 1 }))?.definition.title['pt-BR'], 'Pedir a nota fiscal')
  page = await press(publisher, at, 'retirar')
  assert.match(page.text, /Poder retirado/)
  for (const part of [/Histórico das versões/, /Retirada/]) assert.match(page.text, part)
  assert.equal(await published(), undefined)
})

test('whoever wrote a draft does not publish it, even as a publisher; what does not hold together is told at its field', async () => {
  const cpf = parseCpf(people.writer.cpf) ?? assert.fail()
  await area.app.rooms.proxies.team.add({ namespace: SPACE, cpf, role: 'publisher' }, { actorId: 'cli:test' })
  const form = await open(writer, `/orgao/novo-poder/${SPACE}`)
  const fault = await fill(writer, form, { ...FORM, codigo: 'nota.rasgar', para_organisation: 'sim' })
  assert.equal(fault.status, 422)
  assert.match(fault.text, /Só a ajuda no balcão pode ser dada a um órgão/)
  const page = await fill(writer, await open(writer, `/orgao/novo-poder/${SPACE}`), { ...FORM, codigo: 'nota.rasgar' })
  const at = `${POWERS}/${SPACE}/nota.rasgar`
  assert.match(page.text, /outra pessoa do órgão confere e publica/)
  assert.ok(!page.forms.some(({ action }) => action.pathname.endsWith('/publicar')))
  const csrf = page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  const forced = await writer.fetch(`${area.url}${at}/publicar`, { method: 'POST', body: new URLSearchParams({ _csrf: csrf, lido: '{}' }) })
  assert.equal(forced.status, 409)
  assert.match((await press(publisher, at, 'descartar')).text, /Rascunho jogado fora/)
  assert.equal((await open(publisher, at)).status, 404)
})

test('an agency never sees another\'s: no power, no form, no team, no entry', async () => {
  const page = await open(other, POWERS)
  assert.doesNotMatch(page.text, /IPVA|Fazenda/)
  for (const path of [`${POWERS}/${SPACE}/ipva.pagar`, `${POWERS}/${SPACE}/ipva.pagar/previa`, `${POWERS}/${SPACE}/ipva.pagar/rascunho`, `/orgao/novo-poder/${SPACE}`, `/orgao/equipe/${SPACE}`]) {
    assert.equal((await open(other, path)).status, 404, path)
  }
  assert.equal((await open(other, `/orgao/representacoes/${SPACE}/nova`)).status, 403, 'no place for entries at all')
  const csrf = page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  for (const action of ['publicar', 'retirar', 'descartar']) {
    const response = await other.fetch(`${area.url}${POWERS}/${SPACE}/ipva.pagar/${action}`, { method: 'POST', body: new URLSearchParams({ _csrf: csrf, ...(action === 'publicar' && { lido: '{}' }) }) })
    assert.equal(response.status, 404, action)
  }
  assert.equal((await open(writer, `/orgao/equipe/${SPACE}`)).status, 403, 'an editor manages nobody')
})

test('a curatela is entered with its document, approved by another person, counts, is seen by both, and is ended', async () => {
  const [ward, guardian] = [await citizenAtPrata(area), await citizenAtPrata(area)]
  const list = '/orgao/representacoes'
  const form = await open(writer, `${list}/${SPACE}/nova`)
  const [power = ''] = form.forms.flatMap(({ choices }) => choices.get('poder') ?? [])
  const fields = { tipo: 'curatela', representado: ward.cpf, representado_nome: NAME, representante: guardian.cpf, representante_nome: NAME, poder: power, ate: '', documento: 'Processo 1000123-45.2026' }
  const unnamed = await fill(writer, form, { ...fields, representante_nome: 'Outra Pessoa' })
  assert.equal(unnamed.status, 422)
  assert.match(unnamed.text, /O número e o nome não são da mesma pessoa/)
  const entered = await fill(writer, form, fields)
  assert.match(entered.text, /Registrada\. Falta outra pessoa aprovar/)
  assert.match(entered.text, /Processo 1000123-45\.2026/)
  assert.ok(!entered.forms.some(({ action }) => action.pathname.endsWith('/aprovar')))
  const path = entered.url.pathname
  const csrf = entered.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  assert.equal((await writer.fetch(`${area.url}${path}/aprovar`, { method: 'POST', body: new URLSearchParams({ _csrf: csrf }) })).status, 422, 'one person is not two')
  const { proxies } = area.app.rooms
  const may = async () =>
    (await proxies.decide({ actor: { kind: 'person', cpf: parseCpf(guardian.cpf) ?? assert.fail() }, represented: { kind: 'person', cpf: parseCpf(ward.cpf) ?? assert.fail() }, role: { namespace: SPACE, code: 'ipva.cuidar' } })).permit
  assert.equal(await may(), false)
  assert.match((await press(publisher, path, 'aprovar')).text, /Aprovada\. Já vale/)
  assert.equal(await may(), true)
  const theirs = (await area.signIn(guardian)).browser
  assert.match((await open(theirs, '/conta/procuracoes')).text, /Valendo/)
  assert.match((await press(publisher, path, 'suspender')).text, /Parada por ordem/)
  assert.equal(await may(), false)
  await press(publisher, path, 'liberar')
  assert.match((await press(writer, path, 'encerrar')).text, /Encerrada/)
  assert.equal(await may(), false)
})

test('a mandate to a lawyer on paper counts once two have seen it, whatever level its giver has; the giver ends it', async () => {
  const { roles, decide } = area.app.rooms.proxies
  const spoken = (text: string) => ({ 'pt-BR': text, en: text, es: text })
  const definition = { title: spoken('Acompanhar processos'), description: spoken('acompanhar processos'), kinds: ['advocaticia'], representedKinds: ['person', 'company'], delegateKinds: ['person'], longestDays: 365 }
  await roles.draft({ namespace: SPACE, code: 'processo.acompanhar', definition }, { kind: 'system' })
  await roles.publish({ namespace: SPACE, code: 'processo.acompanhar' }, { kind: 'system' })
  const [client, lawyer] = [await area.citizen(), await citizenAtPrata(area)]
  const path = `/orgao/representacoes/${SPACE}/nova`
  const fields = { tipo: 'advocaticia', representado: client.cpf, representado_nome: NAME, representante: lawyer.cpf, representante_nome: NAME, poder: 'processo.acompanhar:1', documento: 'Procuração de 10/11/2026, 2º Ofício' }
  const endless = await fill(writer, await open(writer, path), fields)
  assert.equal(endless.status, 422, 'a lawyer\'s mandate has an end')
  const entered = await fill(writer, await open(writer, path), { ...fields, ate: '2027-06-30' })
  assert.match(entered.text, /Registrada/)
  const permits = async () =>
    (await decide({ actor: { kind: 'person', cpf: parseCpf(lawyer.cpf) ?? assert.fail() }, represented: { kind: 'person', cpf: parseCpf(client.cpf) ?? assert.fail() }, role: { namespace: SPACE, code: 'processo.acompanhar' } })).permit
  assert.equal(await permits(), false)
  await press(publisher, entered.url.pathname, 'aprovar')
  assert.equal(await permits(), true)
  const mine = (await area.signIn(client)).browser
  const id = entered.url.pathname.split('/').at(-1) ?? ''
  assert.match((await press(mine, `/conta/procuracoes/${id}`, 'cancelar')).text, /Cancelada/)
  assert.equal(await permits(), false)
})

test('what citizens gave is no entry of this desk', async () => {
  const { roles, mandates } = area.app.rooms.proxies
  const [giver, taker] = [await citizenAtPrata(area), await citizenAtPrata(area)]
  await area.signIn(giver)
  await proveNow(area, giver)
  const [session] = await area.app.foundation.db.query<{ id: string }>('SELECT id FROM sign_in_session WHERE account_id = $1 AND ended_at IS NULL', [giver.accountId])
  const power = (await roles.list({ namespace: SPACE })).find(({ code }) => code === 'ipva.consultar') ?? assert.fail()
  const validThrough = dayOf(new Date(area.clock.now().getTime() + 10 * 86_400_000))
  const [given] = await mandates.grant({ accountId: giver.accountId, sessionId: session?.id }, { delegates: [{ ref: { kind: 'person', cpf: parseCpf(taker.cpf) ?? assert.fail() }, name: NAME }], powers: [power], validThrough })
  assert.ok(given)
  const path = `/orgao/representacoes/${SPACE}/${given.id}`
  assert.equal((await open(publisher, path)).status, 404)
  const csrf = (await open(publisher, POWERS)).forms[0]?.fields.get('_csrf')?.[0] ?? ''
  for (const action of ['suspender', 'encerrar', 'rejeitar']) {
    assert.equal((await publisher.fetch(`${area.url}${path}/${action}`, { method: 'POST', body: new URLSearchParams({ _csrf: csrf }) })).status, 404, action)
  }
  assert.equal((await mandates.find(given.id))?.state, 'pending_acceptance')
})

test('nobody enters or approves what is about themselves', async () => {
  const form = await open(writer, `/orgao/representacoes/${SPACE}/nova`)
  const [power = ''] = form.forms.flatMap(({ choices }) => choices.get('poder') ?? [])
  const ward = await citizenAtPrata(area)
  const own = await fill(writer, form, { tipo: 'curatela', representado: ward.cpf, representado_nome: NAME, representante: people.writer.cpf, representante_nome: NAME, poder: power, documento: 'Processo 1' })
  assert.equal(own.status, 422)
  assert.match(own.text, /Peça a outra pessoa/)
  const about = { tipo: 'curatela', representado: ward.cpf, representado_nome: NAME, representante: people.publisher.cpf, representante_nome: NAME, poder: power, documento: 'Processo 2' }
  const entered = await fill(writer, await open(writer, `/orgao/representacoes/${SPACE}/nova`), about)
  assert.equal((await press(publisher, entered.url.pathname, 'aprovar')).status, 422)
})

test('the manager gives and takes places, never their own; who loses one is out at once', async () => {
  const PAGE = `/orgao/equipe/${SPACE}`
  const fresh = await addOperator(area, [])
  const add = async (fields: Record<string, string>) => publisher.submit(await open(publisher, PAGE), fields, { action: PAGE })
  assert.match((await add({ cpf: fresh.cpf, papel: 'editor' })).text, /nível prata e um segundo passo/, 'not below prata')
  await raise(area, fresh)
  assert.match((await add({ cpf: fresh.cpf, papel: 'editor' })).text, /Lugar dado/)
  assert.match((await add({ cpf: people.publisher.cpf, papel: 'editor' })).text, /Peça a outra pessoa/)
  const browser = await at(fresh)
  const [place] = (await area.app.rooms.proxies.team.listOf(SPACE)).filter(({ accountId }) => accountId === fresh.accountId)
  assert.ok(place)
  const page = await open(publisher, PAGE)
  const ended = await publisher.fetch(`${area.url}${PAGE}/encerrar`, { method: 'POST', body: new URLSearchParams({ _csrf: page.forms[0]?.fields.get('_csrf')?.[0] ?? '', lugar: place.id }) })
  assert.equal(ended.headers.get('Location'), `${PAGE}?feito=ended`)
  assert.equal((await open(browser, POWERS)).status, 403)
  const ledger = await area.app.rooms.audit.ledger(fresh.accountId, { limit: 20 })
  for (const type of ['proxies/staff-added', 'proxies/staff-ended']) assert.ok(ledger.some((event) => event.type === type), type)
})
