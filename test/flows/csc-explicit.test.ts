/** Signatures without a redirect: the system waits with a handle, the citizen answers in their own area, and nobody but the system can use the answer. */
import assert from 'node:assert/strict'
import { randomBytes, verify, X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { openByHandle, publicKeyOf, sealToHandle } from '../../src/signatures/lending/handle-box.ts'
import { assertHeading } from '../portal/support/area.ts'
import { prove, signer, signInWithCode } from '../portal/support/signing.ts'
import { type CscScene, digestOf, ES_256, openCscScene, SHA_256, SIGNING_PASSWORD } from '../support/csc-scene.ts'

let scene: CscScene
before(async () => {
  scene = await openCscScene()
})
after(() => scene.area.close())

const request = (text: string, more: object = {}) => ({
  credentialID: scene.credentialID, numSignatures: 1, hashes: [digestOf(text).toString('base64')], hashAlgorithmOID: SHA_256, authData: [{ id: 'conta' }], description: `${text}.pdf`, ...more,
})
const authorize = (token: string, text: string, more: object = {}) => scene.post('credentials/authorize', request(text, more), token)
const check = (token: string, handle: unknown) => scene.post('credentials/authorizeCheck', { handle }, token)
const explicitSystem = (id: string) => scene.system(id, ['--sem-redirecionar'])
/** The question's own address, from the list in the citizen's area. */
async function questionWith(challenge: unknown) {
  const list = await scene.area.open(scene.mine, '/conta/autorizar')
  assertHeading(list, /Pedidos de assinatura/)
  const row = list.html.split('href="').find((part) => part.startsWith('/conta/autorizar/') && part.includes(`número ${challenge}`))
  return scene.area.open(scene.mine, row?.slice(0, row.indexOf('"')) ?? assert.fail(list.text))
}

test('a system that was let shows a number, waits, and signs once what the citizen confirmed beside the same number', async () => {
  await explicitSystem('espera')
  const token = await scene.serviceToken('espera')
  const { json: about } = await scene.post('credentials/info', { credentialID: scene.credentialID, authInfo: true }, token)
  assert.deepEqual([(about['auth'] as Record<string, unknown>)['mode'], (about['auth'] as { objects: { type: string }[] }).objects[0]?.type], ['explicit', 'ChallengeResponseOOB'])
  const { json: number } = await scene.post('credentials/getChallenge', { credentialID: scene.credentialID, authObjectID: 'conta' }, token)
  assert.match(String(number['challenge']), /^\d{4}$/)
  const { status, json: waiting } = await authorize(token, 'acordo', { authData: [{ id: 'conta', value: number['challenge'] }] })
  assert.equal(status, 202, JSON.stringify(waiting))
  assert.equal(waiting['challenge'], number['challenge'])
  assert.deepEqual(await check(token, waiting['handle']), { status: 202, json: { handle: waiting['handle'] } })
  assert.match((await scene.area.mailsTo(scene.rosa.email))[0]?.text ?? '', /\/conta\/autorizar/)

  const page = await questionWith(number['challenge'])
  assert.match(page.text, new RegExp(`O número deste pedido é ${number['challenge']}`))
  assert.match(page.text, new RegExp(`acordo\\.pdf SHA-256 ${digestOf('acordo').toString('hex')}`))
  const asksPassword = await prove(scene.area, scene.mine, page, scene.rosa)
  assert.equal((await check(token, waiting['handle'])).status, 202, 'not before the password')
  const done = await scene.mine.submit(asksPassword, { senha: SIGNING_PASSWORD }, { action: '/pronto' })
  assertHeading(done, /Você assinou/)
  assert.equal(done.headers.get('refresh'), null)
  assert.doesNotMatch(done.html, /code=/)

  const { status: ready, json: got } = await check(token, waiting['handle'])
  assert.equal(ready, 200, JSON.stringify(got))
  assert.equal((await check(token, waiting['handle'])).json['error_description'], 'Invalid parameter handle', 'given out once')
  const hashes = [digestOf('acordo').toString('base64')]
  const other = await scene.post('signatures/signHash', { credentialID: scene.credentialID, SAD: got['SAD'], hashes: [digestOf('outro').toString('base64')], signAlgo: ES_256 }, token)
  assert.equal(other.status, 400)
  const signed = await scene.post('signatures/signHash', { credentialID: scene.credentialID, SAD: got['SAD'], hashes, signAlgo: ES_256 }, token)
  const [kept] = await scene.area.app.rooms.signing.credentials.list(scene.rosa.accountId)
  assert.ok(verify('sha256', Buffer.from('acordo'), new X509Certificate(kept?.certificates[0] ?? '').publicKey, Buffer.from(String((signed.json['signatures'] as string[])[0]), 'base64')))
  assert.equal((await scene.post('signatures/signHash', { credentialID: scene.credentialID, SAD: got['SAD'], hashes, signAlgo: ES_256 }, token)).status, 400, 'replayed')
})

test('a handle is worth nothing to another system, a question nothing to another person, and a refusal is told', async () => {
  await explicitSystem('recusado')
  await explicitSystem('curioso')
  const [token, curious] = [await scene.serviceToken('recusado'), await scene.serviceToken('curioso')]
  const { json: waiting } = await authorize(token, 'recusar')
  const page = await questionWith(waiting['challenge'])
  assert.equal((await check(curious, waiting['handle'])).status, 400)
  const { browser } = await signInWithCode(scene.area, await signer(scene.area))
  assert.equal((await scene.area.open(browser, page.url.pathname)).status, 410)
  assert.doesNotMatch((await scene.area.open(browser, '/conta/autorizar')).text, /Sigadoc/)
  assertHeading(await scene.mine.submit(page, {}, { action: '/negar' }), /Pedido recusado/)
  assert.deepEqual([(await check(token, waiting['handle'])).status, (await check(token, waiting['handle'])).json['error']], [400, 'access_denied'])
  assert.equal((await scene.area.open(scene.mine, page.url.pathname)).status, 410)
  assert.equal((await check(token, 'x')).json['error_description'], 'Invalid parameter handle')
  assert.equal((await scene.post('credentials/authorizeCheck', { handle: waiting['handle'] })).status, 401)
})

test('what an operator takes away asks nobody any more, and collects nothing', async () => {
  await explicitSystem('retirado')
  const token = await scene.serviceToken('retirado')
  const { json: waiting } = await authorize(token, 'retirar')
  const page = await questionWith(waiting['challenge'])
  await scene.grant('retirado')
  assert.equal((await scene.area.open(scene.mine, page.url.pathname)).status, 410)
  assert.doesNotMatch((await scene.area.open(scene.mine, '/conta/autorizar')).text, new RegExp(`número ${waiting['challenge']}`))
  assert.equal((await check(token, waiting['handle'])).json['error_description'], 'Invalid parameter handle')
})

test('few requests at a time, also when they come at once; what is malformed, or of a system that must redirect, asks nobody', async () => {
  await explicitSystem('insistente')
  const [token, plain] = [await scene.serviceToken('insistente'), await scene.serviceToken()]
  const before = (await scene.area.mailsTo(scene.rosa.email)).length
  const refused: [string, object, RegExp][] = [
    [plain, {}, /auth\/mode is oauth2code/],
    [token, { credentialID: 'outro' }, /Invalid parameter credentialID/],
    [token, { numSignatures: 2 }, /Invalid value for parameter numSignatures/],
    [token, { numSignatures: 101 }, /Numbers of signatures is too high/],
    [token, { hashes: ['AAAA'] }, /Invalid digest value length/],
    [token, { authData: [{ id: 'senha', value: SIGNING_PASSWORD }] }, /authentication data is invalid/],
    [token, { authData: [{ id: 'conta', value: '99999' }] }, /authentication data is invalid/],
  ]
  for (const [by, more, expected] of refused) {
    const { status, json } = await authorize(by, 'nada', more)
    assert.equal(status, 400)
    assert.match(String(json['error_description']), expected)
  }
  assert.equal((await scene.post('credentials/getChallenge', { credentialID: scene.credentialID, authObjectID: 'senha' }, token)).status, 400)
  assert.equal((await scene.area.mailsTo(scene.rosa.email)).length, before)
  const statuses = (await Promise.all(['1', '2', '3', '4', '5', '6'].map((text) => authorize(token, text)))).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [202, 202, 202, 429, 429, 429])
  assert.equal((await scene.area.mailsTo(scene.rosa.email)).length, before + 3)
})

test('an answer opens by its own handle alone, and for its own request', () => {
  const [handle, other] = [randomBytes(32), randomBytes(32)]
  const box = sealToHandle(publicKeyOf(handle), Buffer.from('code'), 'request')
  assert.equal(openByHandle(handle, box, 'request').toString(), 'code')
  for (const [secret, terms] of [[other, 'request'], [handle, 'another']] as const) assert.throws(() => openByHandle(secret, box, terms), (error) => isProblem(error, PLATFORM_PROBLEMS.sealBroken))
  // A key of small order would make a secret that everybody knows.
  assert.throws(() => sealToHandle(Buffer.concat([publicKeyOf(handle).subarray(0, 12), Buffer.alloc(32)]), Buffer.from('code'), 'request'))
})
