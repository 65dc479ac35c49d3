import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Account } from '../../src/accounts/index.ts'
import type { Started } from '../../src/biometrics/index.ts'
import { agree, begin, errorOf, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import { faceEndpoints, play, showFace, tinyJpeg } from '../support/face-check-client.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { openScene, type Scene } from '../support/sign-in-scene.ts'

const JOAO = { cpf: '11144477735', name: 'João Batista Pereira', birthDate: '02/11/1978', email: 'joao@example.org' }
const PRATA = { acr_values: 'urn:mt-login:nivel:prata' }
const FACE = { acr_values: 'urn:mt-login:face', max_age: '300' }

let scene: Scene
let rp: TestRelyingParty
let maria: Account

before(async () => {
  scene = await openScene()
  rp = await scene.relyingParty()
  maria = await scene.addCitizen()
  await scene.addCitizen(JOAO)
  scene.setReference(maria.id, 1)
})
after(() => scene.close())

/** Signed in at bronze and sent to the step-up page. */
async function atStepUp(extra: Record<string, string>, cpf = '52998224725'): Promise<Journey> {
  return typePassword(await begin(rp, extra), { cpf })
}

async function openCamera(journey: Journey): Promise<Journey> {
  return { ...journey, page: await journey.browser.submit(journey.page, { agree: 'sim' }, { action: '/concordo' }) }
}

async function follow(journey: Journey, next: string): Promise<Journey> {
  const passed = await journey.browser.get(new URL(next, scene.url))
  assert.match(passed.text, /É você mesmo/, passed.text.slice(0, 300))
  return { ...journey, page: await journey.browser.submit(passed, {}, { action: '/seguir' }) }
}

test('the page says why, the camera needs a yes first, and that yes is on record', async () => {
  const journey = await atStepUp(PRATA)
  assert.match(journey.page.text, /Portal de Teste pede o nível prata para este serviço. Sua conta está no nível bronze/)
  const silent = await journey.browser.submit(journey.page, {}, { action: '/concordo' })
  assert.equal(silent.status, 422)
  assert.match(silent.text, /marque que concorda/)
  assert.equal((await scene.events('oidc/face-check-agreed')).length, 0)
  const camera = await openCamera({ ...journey, page: silent })
  assert.match(camera.page.html, /data-face-check/)
  const [event] = await scene.events('oidc/face-check-agreed')
  assert.deepEqual([event?.subject_id, event?.data], [maria.id, { reason: 'level' }])
})

test('giving up ends in unmet_authentication_requirements, never in a weaker token', async () => {
  const journey = await atStepUp(PRATA)
  const back = await journey.browser.submit(journey.page, {}, { action: '/desistir' })
  assert.equal(errorOf({ ...journey, page: back }), 'unmet_authentication_requirements')
})

test('another face and a face without life are refused with advice, and nothing rises', async () => {
  const strangers = [{ seed: 2 }, { padScore: 0.05 }] as const
  for (const persona of strangers) {
    scene.clock.advance(0)
    const journey = await openCamera(await atStepUp(PRATA))
    const outcome = await showFace(scene, journey.browser, journey.page, persona)
    assert.equal(outcome.passed, false)
    assert.ok(outcome.reasons.length > 0 && outcome.reasons.every(({ text }) => text.length > 10), JSON.stringify(outcome))
    scene.giveAttempts(maria.id)
  }
  assert.equal(await scene.assurance.levelOf(maria.id), 'bronze')
  assert.equal((await scene.events('oidc/face-check-refused')).length, strangers.length)
})

test('frames of another session are refused before anything is looked at', async () => {
  const journey = await openCamera(await atStepUp(PRATA))
  const endpoints = faceEndpoints(journey.browser, journey.page)
  const other = await openCamera(await atStepUp(PRATA))
  const theirs = await endpoints.read<Started>(
    faceEndpoints(other.browser, other.page).call('POST', '/sessao', { json: { flashes: true } }),
  )
  const stolen = await endpoints.call('POST', `/sessao/${theirs.id}/quadro`, frameRequest())
  assert.equal(stolen.status, 404, 'a check goes on only where it began')
  const own = await endpoints.read<Started>(endpoints.call('POST', '/sessao', { json: { flashes: true } }))
  const foreign = await play(scene, endpoints, { ...own, nonce: theirs.nonce, expiresAt: new Date(own.expiresAt) }, {})
  assert.equal(foreign.problem?.code, 'liveness/bad-signature')
  scene.giveAttempts(maria.id)
})

test('uploads that are no camera frame are refused with their reason, before decoding', async () => {
  const journey = await openCamera(await atStepUp(PRATA))
  const endpoints = faceEndpoints(journey.browser, journey.page)
  const { id } = await endpoints.read<Started>(endpoints.call('POST', '/sessao', { json: { flashes: true } }))
  await endpoints.read(endpoints.call('GET', `/sessao/${id}/passo?depois=-1`))
  const statusOf = async (body: Buffer, headers: Record<string, string> = {}) =>
    (await endpoints.call('POST', `/sessao/${id}/quadro`, { ...frameRequest(body), headers: { ...frameRequest().headers, ...headers } }))
      .status
  assert.equal(await statusOf(Buffer.alloc(0)), 422)
  assert.equal(await statusOf(Buffer.from('%PDF-1.7 not a picture')), 415)
  assert.equal(await statusOf(Buffer.alloc(300_000, 1)), 413)
  assert.equal(await statusOf(tinyJpeg(), { 'Content-Type': 'image/png' }), 415)
  assert.equal(await statusOf(tinyJpeg(), { 'X-CSRF-Token': 'wrong' }), 403)
  assert.equal(await statusOf(tinyJpeg(), { 'X-Step': 'one' }), 400)
  scene.giveAttempts(maria.id)
})

test('the right face raises the level, the session has its face, the ledger says so, and the portal gets its token', async () => {
  const journey = await openCamera(await atStepUp({ acr_values: 'urn:mt-login:nivel:prata urn:mt-login:face', max_age: '300' }))
  const outcome = await showFace(scene, journey.browser, journey.page)
  assert.deepEqual({ passed: outcome.passed, reasons: outcome.reasons }, { passed: true, reasons: [] })
  const claims = (await redeem(await agree(await follow(journey, outcome.next)))).claims()
  assert.equal(claims?.['acr'], 'urn:mt-login:nivel:prata')
  assert.ok([claims?.['amr']].flat().includes('face'))
  assert.equal(await scene.assurance.levelOf(maria.id), 'prata')
  const [event] = await scene.events('oidc/face-check-passed')
  assert.equal(event?.subject_id, maria.id)
  assert.equal(event?.data['grants'], 'prata')
  scene.giveAttempts(maria.id)
})

test('a fresh face is asked for again only when the one of the session is too old', async () => {
  const first = await openCamera(await atStepUp(FACE))
  assert.match(first.page.html, /data-face-check/)
  const outcome = await showFace(scene, first.browser, first.page)
  const done = await agree(await follow(first, outcome.next))
  await redeem(done)
  assert.ok((await redeem(await begin(rp, FACE, done.browser))).id_token, 'still fresh: no page')
  scene.clock.advance(301_000)
  const later = await begin(rp, FACE, done.browser)
  assert.match(later.page.text, /pede que você mostre o rosto agora/)
  scene.giveAttempts(maria.id)
})

test('a level that was raised elsewhere meanwhile lets a waiting page go on', async () => {
  const journey = await atStepUp(PRATA, JOAO.cpf)
  assert.match(journey.page.text, /ainda não tem uma foto sua/)
  assert.ok(journey.page.links.some(({ href }) => href.pathname === '/demo/foto'))
  const joao = await scene.accounts.findByCpf(JOAO.cpf as never)
  await scene.db.transaction((tx) =>
    scene.assurance.add(tx, {
      method: 'counter-documents',
      personId: joao?.personId ?? '',
      accountId: joao?.id,
      source: 'counter',
      actor: { kind: 'operator', id: 'x' },
    }),
  )
  const page = await journey.browser.get(journey.page.url)
  const claims = (await redeem(await agree({ ...journey, page }))).claims()
  assert.equal(claims?.['acr'], 'urn:mt-login:nivel:prata')
})

test('ouro is more than the camera gives here: the page says so and offers the counter', async () => {
  const journey = await atStepUp({ acr_values: 'urn:mt-login:nivel:ouro' })
  assert.match(journey.page.text, /A conferência por câmera não chega ao nível.*balcão do Ganha Tempo/)
  assert.ok(!journey.page.forms.some(({ action }) => action.pathname.endsWith('/concordo')))
})

test('without attempts left the page says when, and the way without a camera stays', async () => {
  scene.takeAttempts(maria.id)
  const journey = await atStepUp({ acr_values: 'urn:mt-login:face', max_age: '0' })
  assert.match(journey.page.text, /A câmera volta a funcionar para você em até uma hora/)
  assert.match(journey.page.text, /Sem câmera/)
  scene.giveAttempts(maria.id)
})

test('the camera cannot be reached without the agreement, nor by a stranger’s browser', async () => {
  const journey = await atStepUp(FACE)
  const base = journey.page.url.pathname
  const page = {
    ...journey.page,
    html: `<meta name="csrf-token" content="${journey.page.forms[0]?.fields.get('_csrf')?.[0]}"><div data-face-check="${base}/rosto">`,
  }
  assert.equal((await faceEndpoints(journey.browser, page).call('POST', '/sessao', { json: { flashes: true } })).status, 409)
  const stranger = newBrowser()
  const { page: theirs } = await signInPage(stranger)
  assert.equal(
    (
      await faceEndpoints(stranger, { ...page, html: page.html.replace(/content="[^"]+"/, `content="${theirs}"`) }).call(
        'POST',
        '/sessao',
        { json: { flashes: true } },
      )
    ).status,
    410,
  )
})

async function signInPage(browser = newBrowser()): Promise<{ page: string }> {
  const { page } = await begin(rp, {}, browser)
  return { page: page.forms[0]?.fields.get('_csrf')?.[0] ?? '' }
}

function frameRequest(body: Buffer = tinyJpeg()) {
  return {
    body: new Uint8Array(body),
    headers: { 'Content-Type': 'image/jpeg', 'X-Step': '0', 'X-Sequence': '1', 'X-Captured-At': '400', 'X-Signature': 'ab'.repeat(32) },
  }
}
