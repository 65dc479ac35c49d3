import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { VALIDATION_TRANSITIONS } from '../../src/biometrics/agencies/validation/validation.ts'
import type { Started } from '../../src/biometrics/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import { type AgencyScene, openAgencyScene, PEOPLE, RETURN_URI } from '../support/agency-scene.ts'
import { BrowserClient, type Page } from '../support/browser-client.ts'
import { type FaceCheckOutcome, type FaceEndpoints, faceEndpoints, play, showFace } from '../support/face-check-client.ts'
import type { Persona } from '../support/reactive-camera/simulated-person.ts'

const API = '/api/biometria/v1/validacoes'

let scene: AgencyScene
let token: string
before(async () => {
  scene = await openAgencyScene()
  token = scene.client('detran')
})
after(() => scene.close())

const pageRequest = (cpf: string, more: object = {}) => ({ fluxo: 'pagina', cpf, finalidade: 'habilitacao', retorno: RETURN_URI, estado: 'guiche-7', ...more })
const appRequest = (cpf: string) => ({ fluxo: 'aplicativo', cpf, finalidade: 'habilitacao', pessoa_informada: true })
const result = (id: string, code?: string, by = token) => scene.call('GET', `${API}/${id}${code === undefined ? '' : `?codigo=${code}`}`, { token: by })

function newBrowser(): BrowserClient {
  const browser = new BrowserClient()
  browser.stopAt = ({ origin }) => origin !== scene.url
  return browser
}

async function askPage(cpf: string, more: object = {}): Promise<{ id: string; link: string }> {
  const { status, body } = await scene.call('POST', API, { token, json: pageRequest(cpf, more) })
  assert.equal(status, 201)
  return { id: String(body['id']), link: String(body['link']) }
}

/** From the link to the camera page. */
async function openCamera(link: string, browser = newBrowser()): Promise<{ browser: BrowserClient; page: Page }> {
  const page = await browser.submit(await browser.get(link), { agree: 'sim' }, { action: '/concordo' })
  assert.equal(page.url.pathname, '/validar')
  return { browser, page }
}

/** An application's calls with the validation's key. */
function application(id: string, key: string): FaceEndpoints {
  return {
    call: (method, path, { json, body, headers = {} } = {}) =>
      fetch(`${scene.url}${API}/${id}${path}`, {
        method,
        headers: { Accept: 'application/json', Authorization: `Bearer ${key}`, ...(json !== undefined && { 'Content-Type': 'application/json' }), ...headers },
        ...(json !== undefined ? { body: JSON.stringify(json) } : body && { body }),
      }),
    async read<T>(response: Promise<Response>): Promise<T> {
      const answer = await response
      const data = await answer.json()
      if (answer.ok) return data
      throw new Problem({ code: String(data.type).split('/').slice(-2).join('/') as `${string}/${string}`, status: answer.status, title: String(data.title) })
    },
  }
}

async function askApp(cpf: string, by = token): Promise<{ id: string; key: string; endpoints: FaceEndpoints }> {
  const { status, body } = await scene.call('POST', API, { token: by, json: appRequest(cpf) })
  assert.equal(status, 201)
  const [id, key] = [String(body['id']), String(body['chave'])]
  return { id, key, endpoints: application(id, key) }
}

async function showToApp({ call, read }: FaceEndpoints, persona: Partial<Persona> = {}): Promise<{ started: Started; end: FaceCheckOutcome }> {
  const started = await read<Started>(call('POST', '/sessao', { json: { flashes: true, slowLink: false } }))
  await play(scene, { call, read }, { ...started, expiresAt: new Date(started.expiresAt) }, persona)
  return { started, end: await read<FaceCheckOutcome>(call('POST', `/sessao/${started.id}/fim`)) }
}

const eventsOf = async (kind: string, id: string) => (await scene.events(`biometrics/agency-validation-${kind}`)).filter(({ data }) => data['validationId'] === id)

test('redirect flow: who asks and for what, agreement, camera, back with a code that opens the result once', async () => {
  const { id, link } = await askPage(PEOPLE.known)
  const browser = newBrowser()
  const start = await browser.get(link)
  assert.equal(start.status, 200)
  assert.match(start.text, /DETRAN pediu para conferir se é você/)
  assert.match(start.text, /Renovação da carteira de motorista/)
  assert.match(start.text, /segurança e prevenção de fraude \(LGPD, art\. 11, II, g\)/)
  assert.ok(!start.html.includes(PEOPLE.known), 'a link may fall into other hands')
  assert.match(start.headers.get('Content-Security-Policy') ?? '', /form-action 'self' https:\/\/servicos\.orgao\.example;/)
  assert.equal((await browser.get(link)).status, 200, 'a preview of the link spends nothing')

  const { page } = await openCamera(link, browser)
  assert.match(page.text, /Voltar para DETRAN/)
  assert.deepEqual((await result(id)).body['situacao'], 'aguardando')
  const outcome = await showFace(scene, browser, page, { seed: 1 })
  assert.equal(outcome.passed, true, JSON.stringify(outcome.reasons))
  assert.equal(outcome.next, '/validar')
  const back = await browser.get(new URL(outcome.next, scene.url))
  assert.equal(back.url.origin + back.url.pathname, RETURN_URI)
  assert.equal(back.url.searchParams.get('estado'), 'guiche-7')
  assert.equal(back.url.searchParams.get('iss'), scene.url)
  const code = back.url.searchParams.get('codigo') ?? ''

  assert.deepEqual(Object.keys((await result(id)).body), ['id', 'situacao', 'expira_em'], 'without the code nothing but that it is over')
  assert.equal((await result(id, 'x'.repeat(43))).code, 'agencies/code-refused')
  const told = await result(id, code)
  assert.equal(told.status, 200)
  const { jws, concluida_em: _, expira_em: __, ...body } = told.body
  assert.deepEqual(body, { id, situacao: 'concluida', resultado: 'conferida', motivos: [], classe: 'active', modelo: 'simulated' })
  await checkSigned(String(jws), { aud: 'detran', jti: id, resultado: 'conferida' })
  assert.equal((await result(id, code)).code, 'agencies/code-refused', 'once')

  for (const kind of ['asked', 'agreed', 'passed']) {
    const [event, second] = await eventsOf(kind, id)
    assert.ok(event && !second, kind)
    assert.deepEqual([event.subject_id, event.client_id, event.data['purpose'], event.data['legalBasis']], [scene.accountId, 'detran', 'habilitacao', 'lgpd-11-ii-g'])
  }
  assert.equal(scene.attemptsLeft(scene.personIds.known, 'detran'), 3, 'a passed check gives the tries back')
})

async function checkSigned(jws: string, wanted: Record<string, string>): Promise<void> {
  const { body } = await scene.call('GET', '/api/biometria/v1/recibos/chaves')
  const { payload } = await compactVerify(jws, createLocalJWKSet(body as unknown as JSONWebKeySet))
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload).toString())
  for (const [name, value] of Object.entries(wanted)) assert.equal(claims[name], value, name)
  assert.equal(claims['iss'], scene.url)
  assert.ok(!JSON.stringify(claims).includes(PEOPLE.known))
}

test('a wrong face, a CPF without a reference and one that nobody has are refused in the same way', async () => {
  const shapes: unknown[] = []
  for (const [who, cpf] of [['known', PEOPLE.known], ['bare', PEOPLE.bare], ['nobody', PEOPLE.nobody]] as const) {
    const asked = await scene.call('POST', API, { token, json: pageRequest(cpf) })
    const id = String(asked.body['id'])
    const { browser, page } = await openCamera(String(asked.body['link']))
    const outcome = await showFace(scene, browser, page, { seed: 77 })
    const left = await browser.submit(page, {}, { action: '/validar/sair' })
    const { body, status } = await result(id, left.url.searchParams.get('codigo') ?? '')
    const { id: _, jws: __, expira_em: ___, concluida_em: ____, ...answer } = body
    shapes.push({ asked: [asked.status, Object.keys(asked.body)], outcome, status, answer, keys: Object.keys(body) })
    const [event] = await eventsOf('refused', id)
    assert.equal(event?.subject_id ?? null, who === 'known' ? scene.accountId : who === 'bare' ? scene.personIds.bare : null)
    assert.deepEqual(answer['resultado'], 'nao_conferida')
    assert.deepEqual([answer['motivos']].flat().map(Object)[0].codigo, 'face/not-same-person')
    assert.equal('classe' in answer, false, 'a refused check is worth nothing')
  }
  assert.deepEqual(shapes[1], shapes[0])
  assert.deepEqual(shapes[2], shapes[0])
})

test('asking takes the same time for somebody, for somebody without a reference and for nobody', async () => {
  const quick = scene.client('relogio', { perMinute: 10_000 })
  const times: Record<string, number[]> = { known: [], bare: [], nobody: [] }
  const order = ['known', 'bare', 'nobody'] as const
  for (let round = 0; round < 50; round += 1) {
    // Each is first, second and last as often: whatever one request leaves to do is not always the same one's to wait for.
    for (const who of [...order.slice(round % 3), ...order.slice(0, round % 3)]) {
      const start = performance.now()
      assert.equal((await scene.call('POST', API, { token: quick, json: appRequest(PEOPLE[who]) })).status, 201)
      if (round >= 5) times[who]?.push(performance.now() - start)
    }
  }
  // The quickest but one: a machine that is busy with something else adds time by chance, and never takes any away.
  const quickest = (values: readonly number[] = []) => [...values].sort((a, b) => a - b)[1] ?? 0
  const [known, bare, nobody] = [quickest(times['known']), quickest(times['bare']), quickest(times['nobody'])]
  const allowed = Math.max(5, known * 0.25)
  assert.ok(Math.abs(known - nobody) < allowed && Math.abs(known - bare) < allowed, `${known} ${bare} ${nobody} ms`)
})

test('somebody known from an imported base only: passes, and the line waits in their own ledger', async () => {
  const { id, endpoints } = await askApp(PEOPLE.accountless)
  assert.equal((await showToApp(endpoints, { seed: 2 })).end.passed, true)
  const [event] = await eventsOf('passed', id)
  assert.equal(event?.subject_id, scene.personIds.accountless)
})

test('a suspended account passes no check', async () => {
  await scene.db.execute("UPDATE account SET status = 'suspended' WHERE id = $1", [scene.accountId])
  try {
    const { endpoints } = await askApp(PEOPLE.known)
    const { end } = await showToApp(endpoints, { seed: 1 })
    assert.equal(end.passed, false)
    assert.equal(end.reasons[0]?.code, 'face/not-same-person')
  } finally {
    await scene.db.execute("UPDATE account SET status = 'active' WHERE id = $1", [scene.accountId])
    scene.clock.advance(1000)
  }
})

test('the link: one browser only, half an hour only, and no page without it', async () => {
  const { link } = await askPage(PEOPLE.known)
  await openCamera(link)
  const second = await newBrowser().get(link)
  assert.deepEqual([second.status, /Este link já não vale/.test(second.text)], [410, true])
  assert.equal((await newBrowser().get(`${scene.url}/validar`)).status, 410)
  const late = await askPage(PEOPLE.known)
  scene.clock.advance(31 * 60_000)
  assert.equal((await newBrowser().get(late.link)).status, 410)
  assert.deepEqual((await result(late.id)).body['resultado'], 'expirada')
})

test('without agreement no camera; without a face the way back is open, on the first page and at the camera', async () => {
  const first = await askPage(PEOPLE.known)
  const browser = newBrowser()
  const page = await browser.submit(await browser.get(first.link), {}, { action: '/concordo' })
  assert.equal(page.status, 422)
  const back = await browser.submit(page, {}, { action: '/recusar' })
  assert.equal(back.url.origin + back.url.pathname, RETURN_URI)
  assert.equal((await result(first.id, back.url.searchParams.get('codigo') ?? '')).body['resultado'], 'desistiu')
  const second = await askPage(PEOPLE.known, { estado: undefined })
  const camera = await openCamera(second.link)
  const left = await camera.browser.submit(camera.page, {}, { action: '/validar/sair' })
  assert.equal(left.url.searchParams.get('estado'), null)
  assert.equal((await result(second.id, left.url.searchParams.get('codigo') ?? '')).body['resultado'], 'desistiu')
  assert.equal((await eventsOf('declined', second.id)).length, 1)
  assert.equal((await camera.browser.get(`${scene.url}/validar`)).status, 410, 'nothing is left of it in the browser')
})

test('the return address must be a registered one, letter by letter', async () => {
  for (const retorno of [`${RETURN_URI}/`, `${RETURN_URI}?x=1`, 'https://golpe.example/', RETURN_URI.toUpperCase()]) {
    const { status, code } = await scene.call('POST', API, { token, json: pageRequest(PEOPLE.known, { retorno }) })
    assert.deepEqual([status, code], [422, 'agencies/return-not-registered'], retorno)
  }
})

test('another client knows nothing of a validation, its code is worth nothing to it, nor is another’s code', async () => {
  const other = scene.client('outro')
  const { id, link } = await askPage(PEOPLE.known)
  const camera = await openCamera(link)
  const left = await camera.browser.submit(camera.page, {}, { action: '/validar/sair' })
  const code = left.url.searchParams.get('codigo') ?? ''
  assert.equal((await result(id, code, other)).code, 'agencies/validation-not-found')
  const second = await askPage(PEOPLE.known)
  const back = await newBrowser().get(second.link).then(async (page) => page.status)
  assert.equal(back, 200)
  const twenty = await Promise.all(Array.from({ length: 20 }, () => result(id, code)))
  assert.equal(twenty.filter(({ status }) => status === 200).length, 1, 'of twenty redemptions at once one succeeds')
  scene.clock.advance(61_000)
})

test('a code is good for five minutes', async () => {
  const { id, link } = await askPage(PEOPLE.known)
  const camera = await openCamera(link)
  const left = await camera.browser.submit(camera.page, {}, { action: '/validar/sair' })
  scene.clock.advance(5 * 60_000 + 1000)
  assert.equal((await result(id, left.url.searchParams.get('codigo') ?? '')).code, 'agencies/code-refused')
})

test('API flow: the application drives the protocol with the validation’s key; the agency reads the result', async () => {
  const { id, key, endpoints } = await askApp(PEOPLE.known)
  assert.match(key, /^mtv_[\w-]{43}$/)
  const { started, end } = await showToApp(endpoints, { seed: 1 })
  assert.deepEqual([end.passed, end.next], [true, `${API}/${id}`])
  const { body } = await result(id)
  assert.deepEqual([body['resultado'], body['classe']], ['conferida', 'active'])
  const again = await endpoints.call('POST', `/sessao/${started.id}/fim`)
  assert.equal(again.status, 409, 'judged once')
  assert.equal((await endpoints.read<FaceCheckOutcome>(endpoints.call('GET', `/sessao/${started.id}/resultado`))).passed, true)
  const other = await endpoints.call('POST', '/sessao', { json: { flashes: true } })
  assert.equal(other.status, 410, 'a validation that is over starts nothing')
})

test('API flow: a refusal ends the validation; its reasons are the answer', async () => {
  const { id, endpoints } = await askApp(PEOPLE.known)
  assert.equal((await showToApp(endpoints, { seed: 55 })).end.passed, false)
  const { body } = await result(id)
  assert.deepEqual([body['situacao'], body['resultado']], ['concluida', 'nao_conferida'])
})

test('keys: of this validation only, no link’s secret, nobody else’s token', async () => {
  const [one, other] = [await askApp(PEOPLE.known), await askApp(PEOPLE.bare)]
  const stranger = scene.client('outro')
  for (const key of [other.key, 'mtv_x', `mtv_${'a'.repeat(43)}`, stranger]) {
    const response = await application(one.id, key).call('POST', '/sessao', { json: { flashes: true } })
    assert.equal(response.status, 404, key.slice(0, 10))
  }
  assert.equal((await application(one.id, '').call('POST', '/sessao', { json: { flashes: true } })).status, 401)
  const page = await askPage(PEOPLE.known)
  const secret = page.link.split('/').at(-1) ?? ''
  for (const key of [`mtv_${secret}`, token]) {
    const response = await application(page.id, key).call('POST', '/sessao', { json: { flashes: true } })
    assert.equal(response.status, 404, 'the page’s flow has no application')
  }
  const bare = one.key.slice('mtv_'.length)
  assert.equal((await newBrowser().get(`${scene.url}/validar/pedido/${bare}`)).status, 410, 'nor the application’s a page')
})

test('the agency’s own server may drive the protocol too, and a session is no other validation’s', async () => {
  const [one, other] = [await askApp(PEOPLE.accountless), await askApp(PEOPLE.accountless)]
  const own = application(one.id, token)
  const started = await own.read<Started>(own.call('POST', '/sessao', { json: { flashes: false } }))
  assert.equal((await application(other.id, token).call('GET', `/sessao/${started.id}/passo?depois=-1`)).status, 404)
  assert.equal((await own.call('GET', `/sessao/${started.id}/passo?depois=-1`)).status, 200)
  assert.equal((await own.call('POST', `/sessao/${started.id}/cancelar`)).status, 204)
})

test('three tries an hour for one person, whoever exists', async () => {
  for (const cpf of ['529.982.247-25', '390.533.447-05']) {
    const statuses: number[] = []
    for (let tries = 0; tries < 5; tries += 1) {
      const { endpoints } = await askApp(cpf)
      statuses.push((await endpoints.call('POST', '/sessao', { json: { flashes: true } })).status)
    }
    assert.equal(statuses.at(-1), 429, `${cpf}: ${statuses}`)
  }
})

test('one agency’s tries and starts touch nothing at another', async () => {
  const [here, there] = [scene.client('hospital'), scene.client('junta')]
  const running = await askApp(PEOPLE.accountless, there)
  const started = await running.endpoints.read<Started>(running.endpoints.call('POST', '/sessao', { json: { flashes: true } }))
  const statuses: number[] = []
  for (let tries = 0; tries < 4; tries += 1) {
    const { endpoints } = await askApp(PEOPLE.accountless, here)
    statuses.push((await endpoints.call('POST', '/sessao', { json: { flashes: true } })).status)
  }
  assert.deepEqual(statuses, [201, 201, 201, 429])
  await play(scene, running.endpoints, { ...started, expiresAt: new Date(started.expiresAt) }, { seed: 2 })
  assert.equal((await running.endpoints.read<FaceCheckOutcome>(running.endpoints.call('POST', `/sessao/${started.id}/fim`))).passed, true, 'the check of another agency went on')
  const again = await askApp(PEOPLE.accountless, there)
  assert.equal((await again.endpoints.call('POST', '/sessao', { json: { flashes: true } })).status, 201, 'nobody waits at one for what was tried at another')
})

test('a disabled client’s running checks stop at once, on the page and in its application', async () => {
  const lost = scene.client('extinto')
  const page = String((await scene.call('POST', API, { token: lost, json: pageRequest(PEOPLE.known) })).body['link'])
  const unopened = String((await scene.call('POST', API, { token: lost, json: pageRequest(PEOPLE.known) })).body['link'])
  const camera = await openCamera(page)
  const { endpoints } = await askApp(PEOPLE.known, lost)
  const started = await endpoints.read<Started>(endpoints.call('POST', '/sessao', { json: { flashes: true } }))
  scene.disable('extinto')
  for (const [method, path] of [['GET', `/sessao/${started.id}/passo?depois=-1`], ['POST', `/sessao/${started.id}/fim`], ['POST', '/sessao']] as const) {
    assert.equal((await endpoints.call(method, path, method === 'POST' ? { json: path === '/sessao' ? { flashes: true } : {} } : {})).status, 404, path)
  }
  const { call } = faceEndpoints(camera.browser, camera.page)
  assert.equal((await call('POST', '/sessao', { json: { flashes: true } })).status, 410)
  for (const address of [`${scene.url}/validar`, unopened]) assert.equal((await camera.browser.get(address)).status, 410)
})

test('the check’s endpoints on the page want the page’s own token', async () => {
  const { link } = await askPage(PEOPLE.bare)
  const { browser, page } = await openCamera(link)
  const { call } = faceEndpoints(browser, page)
  const forged = await browser.fetch(new URL('/validar/rosto/sessao', scene.url), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"flashes":true}' })
  assert.equal(forged.status, 403)
  assert.ok([201, 429].includes((await call('POST', '/sessao', { json: { flashes: true } })).status))
})

test('validations that nobody finished end by themselves, and are forgotten after 90 days', async () => {
  const { id } = await askPage(PEOPLE.nobody)
  scene.clock.advance(31 * 60_000)
  await scene.sweep()
  const [row] = await scene.db.query<{ state: string }>('SELECT state FROM agency_validation WHERE id = $1', [id])
  assert.equal(row?.state, 'expired')
  scene.clock.advance(91 * 86_400_000)
  await scene.sweep()
  assert.deepEqual(await scene.db.query('SELECT id FROM agency_validation'), [])
})

test('every state is reached, and what is over stays over', () => {
  const reached = new Set(Object.values(VALIDATION_TRANSITIONS).flatMap((row) => Object.values(row)))
  for (const state of Object.keys(VALIDATION_TRANSITIONS)) assert.ok(state === 'asked' || reached.has(state as never), state)
  for (const state of ['passed', 'refused', 'declined', 'expired'] as const) assert.deepEqual(VALIDATION_TRANSITIONS[state], {})
})

test('nothing of the person, the link or the codes is in the log', () => {
  assert.doesNotMatch(scene.logged(), /52998224725|529\.982|mtv_|codigo=/)
})
