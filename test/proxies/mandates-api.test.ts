import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { parseCpf } from '../../src/accounts/index.ts'
import { createQuotas } from '../../src/biometrics/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import { createCall, createMandatesApi, createVerificationPages, PROXY_SCOPES, type ProxyClient, proxyPolicySchema } from '../../src/proxies/index.ts'
import { PROXY_OPERATIONS } from '../../src/proxies/agency/open-api.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import { startSite, type TestSite } from '../support/http-app.ts'
import { definition, openScene, type Person, type ProxyScene, SYSTEM } from './support/scene.ts'

const refused = (status: number) => new Problem({ code: 'oidc/token-invalid', status, title: 'refused' })
const CLIENTS: Readonly<Record<string, ProxyClient>> = {
  detran: { id: 'detran-client', policy: proxyPolicySchema.parse({ scopes: PROXY_SCOPES, namespaces: ['detran'] }) },
  sefaz: { id: 'sefaz-client', policy: proxyPolicySchema.parse({ scopes: ['procuracoes.decidir', 'procuracoes.consultar', 'procuracoes.registrar'], namespaces: ['sefaz'] }) },
  slow: { id: 'slow-client', policy: proxyPolicySchema.parse({ scopes: PROXY_SCOPES, namespaces: ['detran'], perMinute: 2 }) },
}

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}
interface Operation {
  readonly requestBody?: { content: Record<string, { example?: object }> }
  readonly responses: Record<string, { content: Record<string, { schema: z.core.JSONSchema.JSONSchema }> }>
}

let scene: ProxyScene
let site: TestSite
let maria: Person
let joana: Person

async function call(method: string, path: string, { token = 'detran', json }: { token?: string; json?: unknown } = {}): Promise<Answer> {
  const response = await fetch(site.url + path, {
    method, headers: { Authorization: `Bearer ${token}`, Accept: 'application/json', ...(json !== undefined && { 'Content-Type': 'application/json' }) },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

before(async () => {
  scene = await openScene(await openPgliteTestDatabase())
  await scene.proxies.roles.addNamespace({ code: 'detran', title: 'Detran', clientId: 'detran-client' }, SYSTEM)
  maria = await scene.addPerson({ cpf: parseCpf('52998224725'), name: 'Maria Aparecida da Silva' })
  joana = await scene.addPerson({ cpf: parseCpf('11144477735'), name: 'Joana Batista Pereira' })
  scene.addCompany([joana, maria], { quorum: 2, cnpj: '12ABC34501DE35' })
  const people = { representedKinds: ['person'], delegateKinds: ['person'], acceptance: false }
  await scene.addRole('veiculo.curatela', { ...people, kinds: ['curatela'] }, 'detran')
  await scene.addRole('veiculo.ajuda', { ...people, kinds: ['assistencia'], delegateKinds: ['organisation'], longestDays: 1 }, 'detran')
  site = await startSite(({ views }) => {
    const requireClient = async (ctx: { get(name: string): string }, scope: string) => {
      const client = CLIENTS[ctx.get('Authorization').replace('Bearer ', '')]
      if (!client) throw refused(401)
      if (!client.policy.scopes.some((one) => one === scope)) throw refused(403)
      return client
    }
    const quotas = createQuotas({ db: scene.db, clock: scene.clock })
    const platform = { db: scene.db, audit: scene.audit, publicUrl: 'https://login.example' }
    const api = createMandatesApi({ proxies: scene.proxies, platform, call: createCall({ requireClient, quotas }) })
    return [api.routes(), createVerificationPages({ views, instruments: scene.proxies.instruments }).routes()]
  })
})
after(async () => {
  await site.stop()
  await scene.close()
})

const asks = (more: object = {}) => ({ ator: joana.cpf, representado: maria.cpf, poder: 'sefaz:ipva', ...more })

test('every example of the document works as it stands, one after the other, and answers what the document says', async () => {
  const { body: document } = await call('GET', '/procuracoes/v1/openapi.json', { token: 'nobody' })
  assert.equal(document['openapi'], '3.1.0')
  const paths = document['paths'] as Record<string, Record<string, Operation>>
  assert.equal(Object.values(paths).flatMap((one) => Object.keys(one)).length, PROXY_OPERATIONS.length)
  let entered = ''
  for (const { method, path } of PROXY_OPERATIONS) {
    const operation = paths[path]?.[method] ?? assert.fail(path)
    const example = operation.requestBody?.content['application/json']?.example
    const { status, body } = await call(method.toUpperCase(), path.replace('{id}', entered), example === undefined ? {} : { json: example })
    const [documented = ''] = Object.keys(operation.responses)
    assert.equal(String(status), documented, `${method} ${path}: ${JSON.stringify(body)}`)
    const checked = z.fromJSONSchema(operation.responses[documented]?.content['application/json']?.schema ?? assert.fail(path)).safeParse(body)
    assert.ok(checked.success, `${path}: ${checked.error?.message}`)
    if (path.endsWith('/atos')) entered = String(body['ato'])
    if (path.endsWith('/atos/{id}')) assert.equal(body['situacao'], method === 'get' ? 'open' : 'withdrawn')
    if (path.endsWith('/representacoes')) entered = String(body['id'])
    if (path.endsWith('/decisao')) assert.deepEqual([body['permitido'], body['procuracao'], typeof body['uso']], [true, entered, 'number'])
  }
  assert.equal((await scene.proxies.uses.listFor(maria.by)).length, 1)
  const types = (await scene.audit.ledger(maria.accountId, { limit: 50 })).map(({ type }) => type)
  for (const type of ['proxies/requested', 'proxies/entered', 'proxies/approved', 'proxies/asked-by-agency', 'proxies/used']) assert.ok(types.includes(type), type)
})

test('no token, no scope, no body of another shape', async () => {
  for (const { method, path } of PROXY_OPERATIONS) {
    const at = path.replace('{id}', '00000000-0000-4000-8000-000000000000')
    const init = method === 'get' ? {} : { json: {} }
    assert.equal((await call(method.toUpperCase(), at, { token: 'nobody', ...init })).status, 401, path)
    if (method !== 'get') assert.equal((await call(method.toUpperCase(), at, { ...init, json: { surprise: 1 } })).status, 422, path)
  }
  assert.equal((await call('PUT', '/procuracoes/v1/poderes', { token: 'sefaz', json: { poder: 'sefaz:x', definicao: definition() } })).status, 403)
})

test('an agency reaches only its own namespace: mandates, decisions, roles, changes', async () => {
  const ipva = await scene.addRole('ipva')
  const mandate = await scene.active(maria, joana, ipva)
  assert.equal((await call('POST', '/procuracoes/decisao', { token: 'sefaz', json: asks() })).body['permitido'], true)
  assert.equal((await call('POST', '/procuracoes/decisao', { json: asks() })).status, 404)
  const named = await call('POST', '/procuracoes/decisao', { token: 'sefaz', json: { ...asks(), servico: maria.cpf, registrar_uso: true } })
  assert.equal(named.status, 422, 'a service is a code of the catalogue: it goes to the audit record')
  const look = async (token: string, about: object) => (await call('POST', '/procuracoes/v1/consultas', { token, json: { ...about, finalidade: 'Atendimento 1' } })).body['procuracoes'] as { id: string }[]
  assert.deepEqual((await look('sefaz', { outorgado: joana.cpf })).map(({ id }) => id), [mandate.id])
  assert.ok((await look('detran', { outorgado: joana.cpf })).every(({ id }) => id !== mandate.id))
  assert.equal((await call('POST', '/procuracoes/v1/consultas', { token: 'sefaz', json: { finalidade: 'Atendimento 1' } })).status, 422)
  assert.deepEqual((await look('sefaz', { outorgado: joana.cpf, representado: maria.cpf })).map(({ id }) => id), [mandate.id])
  assert.deepEqual(await look('sefaz', { outorgado: maria.cpf, representado: joana.cpf }), [])
  assert.equal((await call('POST', '/procuracoes/v1/consultas', { token: 'sefaz', json: { outorgado: joana.cpf, espaco: 'detran', finalidade: 'Atendimento 1' } })).status, 404)
  const stop = { acao: 'suspender', responsavel: 'juiz 7' }
  assert.equal((await call('POST', `/procuracoes/v1/procuracoes/${mandate.id}/situacao`, { json: stop })).status, 404)
  assert.equal((await call('POST', `/procuracoes/v1/procuracoes/${mandate.id}/situacao`, { token: 'sefaz', json: { ...stop, acao: 'encerrar' } })).status, 404, 'the citizen gave it')
  assert.equal((await call('POST', `/procuracoes/v1/procuracoes/${mandate.id}/situacao`, { token: 'sefaz', json: stop })).body['situacao'], 'suspended')
  assert.equal((await call('POST', '/procuracoes/decisao', { token: 'sefaz', json: asks() })).body['motivo'], 'suspended')
  assert.equal((await call('GET', '/procuracoes/v1/poderes?espaco=sefaz')).status, 404)
  assert.equal((await call('PUT', '/procuracoes/v1/poderes', { json: { poder: 'sefaz:ipva', definicao: definition() } })).status, 404)
  assert.equal((await call('POST', '/procuracoes/v1/poderes', { json: { poder: 'sefaz:ipva', acao: 'retirar' } })).status, 404)
})

test('a stranger to the register and a stranger to the mandate are the same: no answer tells who is known', async () => {
  const decide = async (json: object) => (await call('POST', '/procuracoes/decisao', { token: 'sefaz', json })).body
  const known = await decide({ ator: maria.cpf, representado: joana.cpf, poder: 'sefaz:ipva' })
  const unknown = await decide({ ator: maria.cpf, representado: '98765432100', poder: 'sefaz:ipva' })
  assert.deepEqual(known, unknown)
  assert.equal(known['motivo'], 'no-mandate')
})

test('a client has its calls a minute, and its CPFs are in no log', async () => {
  const statuses: number[] = []
  for (let sent = 0; sent < 3; sent += 1) statuses.push((await call('GET', '/procuracoes/v1/poderes', { token: 'slow' })).status)
  assert.deepEqual(statuses, [200, 200, 429])
  for (const { cpf, name } of [maria, joana]) assert.ok(!site.logged().includes(cpf) && !site.logged().includes(name))
})

test('the instrument: one text, its digest on record, and a public page that says whether it counts now', async () => {
  const tela = await scene.addRole('tela')
  const { instruments, mandates } = scene.proxies
  const pending = await mandates.grant(maria.by, scene.terms(joana, tela))
  const id = pending[0]?.id ?? assert.fail()
  await assert.rejects(instruments.get(maria.by, id), (error: Problem) => error.code === 'proxies/step-out-of-order')
  await mandates.accept(joana.by, id)
  const [first, again] = await Promise.all([instruments.get(maria.by, id), instruments.get(joana.by, id)])
  assert.deepEqual(first, again)
  const outsider = await scene.addPerson()
  await assert.rejects(instruments.get(outsider.by, id), (error: Problem) => error.code === 'proxies/mandate-not-found')
  const text = first.pdf.toString()
  assert.ok(text.includes('***.982.247-**') && !text.includes(maria.cpf) && text.includes(first.code))
  const made = (await scene.audit.ledger(maria.accountId, { limit: 5 })).find(({ type }) => type === 'proxies/instrument-made')
  assert.equal(made?.data['sha256'], first.sha256)

  const page = async (path: string) => {
    const response = await fetch(`${site.url}/procuracoes/verificar${path}`, { headers: { Accept: 'text/html' } })
    return { status: response.status, html: await response.text(), cache: response.headers.get('Cache-Control') }
  }
  const seen = await page(`/${first.code}`)
  assert.deepEqual([seen.status, seen.cache], [200, 'no-store'])
  assert.match(seen.html, /Esta procuração vale agora/)
  assert.match(seen.html, /Maria Aparecida|Maria A\. S\./)
  for (const secret of [maria.cpf, joana.cpf, '982.247-25', 'Aparecida', 'Batista']) assert.ok(!seen.html.includes(secret), secret)
  assert.equal((await page(`?codigo=${first.code.toLowerCase().replaceAll('-', '%20')}`)).status, 200, 'typed by hand')
  const wrong = [await page('/0000-0000-0000-0000'), await page('/x'), await page('?codigo=nada')]
  assert.deepEqual(wrong.map(({ status }) => status), [404, 404, 404])
  await mandates.revoke(maria.by, id)
  assert.match((await page(`/${first.code}`)).html, /não vale mais/)
})

test('withdrawn or waived at the request of whoever gave or holds it: with where the request is kept, and what was passed on ends too', async () => {
  const power = await scene.addRole('guia', { subDepth: 1, acceptance: false })
  const third = await scene.addPerson()
  const change = async (id: string, json: object, token = 'sefaz') => call('POST', `/procuracoes/v1/procuracoes/${id}/situacao`, { token, json: { responsavel: 'matrícula 1', ...json } })
  const given = await scene.active(maria, joana, power, { subDepth: 1 })
  const sub = await scene.proxies.mandates.subdelegate(joana.by, given.id, scene.terms(third, power))
  const listed = await call('POST', '/procuracoes/v1/consultas', { token: 'sefaz', json: { representado: maria.cpf, substabelecida_por: joana.cpf, finalidade: 'Atendimento 2' } })
  assert.deepEqual((listed.body['procuracoes'] as { id: string }[]).map(({ id }) => id), [sub.id])
  assert.equal((await change(given.id, { acao: 'cancelar-a-pedido' })).status, 422, 'not without the request')
  assert.equal((await change(given.id, { acao: 'cancelar-a-pedido', pedido: 'Requerimento 7' }, 'detran')).status, 404)
  const { status, body } = await change(given.id, { acao: 'cancelar-a-pedido', pedido: 'Requerimento 7' })
  assert.deepEqual([status, body['situacao'], body['encerradas']], [200, 'revoked', [sub.id]])
  assert.equal((await change(given.id, { acao: 'deixar-a-pedido', pedido: 'Requerimento 8' })).status, 409)
  const other = await scene.active(maria, joana, power)
  assert.equal((await change(other.id, { acao: 'deixar-a-pedido', pedido: 'Requerimento 9' })).body['situacao'], 'renounced')
  const [step] = await scene.db.query<{ official_sealed: Buffer }>('SELECT official_sealed FROM mandate_authority_step WHERE mandate_id = $1', [other.id])
  assert.ok(step && !step.official_sealed.toString('latin1').includes('Requerimento'), 'sealed')
  assert.ok(scene.told.some(({ accountId, notice }) => accountId === maria.accountId && notice === 'renounced'))
})

test('the code of an organisation belongs to the agency that named it first: nobody else renames it, or lets it be helped by', async () => {
  await scene.addRole('ipva.ajuda', { kinds: ['assistencia'], delegateKinds: ['organisation'], representedKinds: ['person'], longestDays: 1, acceptance: false })
  const citizen = { documento: maria.cpf, nome: maria.name }
  const help = (token: string, poder: string, nome: string) => call('POST', '/procuracoes/v1/assistencias', { token, json: { organizacao: { codigo: 'posto-sul', nome }, cidadao: citizen, poder, consentimento: 'Termo 1', responsavel: 'matrícula 1' } })
  const nameOf = async () => (await scene.db.query<{ name: string }>("SELECT name FROM proxy_party WHERE document = 'org:posto-sul'"))[0]?.name
  assert.equal((await help('detran', 'detran:veiculo.ajuda', 'Posto Sul')).status, 201)
  const taken = await help('sefaz', 'sefaz:ipva.ajuda', 'Sorteio do Governo')
  assert.deepEqual([taken.status, await nameOf()], [409, 'Posto Sul'])
  assert.match(String(taken.body['type']), /proxies\/organisation-not-yours$/)
  const held = await call('POST', '/procuracoes/decisao', { token: 'sefaz', json: { ator: { organizacao: 'posto-sul' }, representado: maria.cpf, poder: 'sefaz:ipva.ajuda' } })
  assert.equal(held.body['permitido'], false)
  assert.equal((await help('detran', 'detran:veiculo.ajuda', 'Posto Sul (novo)')).status, 201)
  assert.equal(await nameOf(), 'Posto Sul (novo)', 'its own agency names it')
})

test('what the law gives is not withdrawn by asking for it', async () => {
  const entry = { tipo: 'curatela', representado: { documento: maria.cpf, nome: maria.name }, representante: { documento: joana.cpf, nome: joana.name }, poderes: ['detran:veiculo.curatela'], documento: 'Processo 2', responsavel: 'matrícula 1' }
  const { body } = await call('POST', '/procuracoes/v1/representacoes', { json: entry })
  const at = `/procuracoes/v1/procuracoes/${String(body['id'])}/situacao`
  await call('POST', at, { json: { acao: 'aprovar', responsavel: 'matrícula 2' } })
  assert.equal((await call('POST', at, { json: { acao: 'cancelar-a-pedido', responsavel: 'matrícula 2', pedido: 'Requerimento 1' } })).status, 409)
  assert.equal((await call('POST', at, { json: { acao: 'deixar-a-pedido', responsavel: 'matrícula 2', pedido: 'Requerimento 1' } })).body['situacao'], 'renounced', 'a curator may give it up')
})

test('the catalogue is read anew only when it has changed', async () => {
  const read = (headers: Record<string, string> = {}) => fetch(`${site.url}/procuracoes/v1/poderes`, { headers: { Authorization: 'Bearer sefaz', ...headers } })
  const first = await read()
  const [etag, modified] = [first.headers.get('ETag') ?? '', first.headers.get('Last-Modified') ?? '']
  assert.ok(etag && modified)
  await first.text()
  assert.equal((await read({ 'If-None-Match': etag })).status, 304)
  assert.equal((await read({ 'If-Modified-Since': modified })).status, 304)
  assert.equal((await read({ 'If-None-Match': '"other"', 'If-Modified-Since': modified })).status, 200, 'the ETag comes first')
  scene.clock.advance(60_000)
  await scene.addRole('novo')
  assert.equal((await read({ 'If-None-Match': etag })).status, 200)
  assert.equal((await read({ 'If-Modified-Since': modified })).status, 200)
  await scene.proxies.roles.draft({ namespace: 'sefaz', code: 'rascunho', definition: definition() }, SYSTEM)
  assert.equal((await read()).headers.get('Last-Modified'), null, 'a draft is written over without a trace')
})
