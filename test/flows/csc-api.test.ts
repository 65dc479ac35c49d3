/** Signatures by the Cloud Signature Consortium's API: the citizen sees the hashes, proves it and types their password; the SAD signs these, once. */
import assert from 'node:assert/strict'
import { verify, X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { assertHeading } from '../portal/support/area.ts'
import { prove } from '../portal/support/signing.ts'
import { BACK, codeOf, type CscScene, digestOf, ES_256, openCscScene, SHA_256, SIGNING_PASSWORD } from '../support/csc-scene.ts'

let scene: CscScene
before(async () => {
  scene = await openCscScene()
})
after(() => scene.area.close())

const details = (...texts: string[]) => ({
  authorization_details: JSON.stringify([{
    type: 'credential', credentialID: scene.credentialID, hashAlgorithmOID: SHA_256, documentDigests: texts.map((text) => ({ hash: digestOf(text).toString('base64'), label: `${text}.pdf` })),
  }]),
})
const signing = (...texts: string[]) => ({ credentialID: scene.credentialID, hashes: texts.map((text) => digestOf(text).toString('base64')), hashAlgorithmOID: SHA_256, signAlgo: ES_256 })

test('info says how; certificates are shown to whom the citizen let, and to nobody else', async () => {
  const { json: info } = await scene.post('info', {})
  assert.deepEqual([info['specs'], info['authType'], info['oauth2']], ['2.0.0.2', ['oauth2code'], scene.base])
  assert.deepEqual((await scene.post('credentials/list', {})).json['error'], 'invalid_token')
  const token = await scene.serviceToken()
  assert.deepEqual((await scene.post('credentials/list', {}, token)).json, { credentialIDs: [scene.credentialID] })
  assert.match((await scene.area.open(scene.mine, '/conta/historico')).text, /Você mostrou seus certificados a um sistema.*Sigadoc/)
  const { json } = await scene.post('credentials/info', { credentialID: scene.credentialID, certificates: 'chain', certInfo: true, authInfo: true }, token)
  assert.deepEqual([json['SCAL'], json['auth'], (json['key'] as Record<string, unknown>)['algo']], ['2', { mode: 'oauth2code' }, [ES_256]])
  assert.match(String((json['cert'] as Record<string, unknown>)['subjectDN']), /Rosa Maria dos Santos/)
  assert.deepEqual((await scene.post('credentials/info', { credentialID: 'x' }, token)).json, { error: 'invalid_request', error_description: 'Invalid parameter credentialID' })
  assert.equal((await scene.post('signatures/signHash', signing('a'), token)).status, 401, 'with this nobody signs')
})

test('the citizen sees name and hash, proves it, types the password; the SAD signs these hashes once', async () => {
  const page = await scene.question(details('contrato', 'anexo'))
  assertHeading(page, /Confirmar assinatura/)
  assert.match(page.text, new RegExp(`contrato\\.pdf SHA-256 ${digestOf('contrato').toString('hex')}`))
  const asksPassword = await prove(scene.area, scene.mine, page, scene.rosa)
  assertHeading(asksPassword, /Senha de assinatura/)
  const wrong = await scene.mine.submit(asksPassword, { senha: 'errada-mesmo' }, { action: '/pronto' })
  assert.match(wrong.text, /A senha de assinatura não é esta/)
  const { access_token: sad, expires_in: seconds, scope } = await scene.exchange(codeOf(await scene.mine.submit(wrong, { senha: SIGNING_PASSWORD }, { action: '/pronto' })))
  assert.ok(Number(seconds) <= 300)
  assert.equal(scope, 'credential')
  assert.deepEqual((await scene.post('signatures/signHash', signing('outro'), String(sad))).json, { error: 'invalid_request', error_description: 'Hash is not authorized by the SAD' })
  const { status, json } = await scene.post('signatures/signHash', signing('contrato', 'anexo'), String(sad))
  assert.equal(status, 200, JSON.stringify(json))
  const [kept] = await scene.area.app.rooms.signing.credentials.list(scene.rosa.accountId)
  const { publicKey } = new X509Certificate(kept?.certificates[0] ?? '')
  for (const [index, text] of ['contrato', 'anexo'].entries()) {
    assert.ok(verify('sha256', Buffer.from(text), publicKey, Buffer.from(String((json['signatures'] as string[])[index]), 'base64')))
  }
  assert.equal((await scene.post('signatures/signHash', signing('contrato'), String(sad))).status, 401, 'replayed')
})

test('what is not asked in the standard way goes back with its error', async () => {
  const refused: [Record<string, string>, string][] = [
    [{ scope: 'tudo' }, 'invalid_scope'],
    [{ scope: 'credential', credentialID: scene.credentialID, numSignatures: '2', hashes: digestOf('a').toString('base64url'), hashAlgorithmOID: SHA_256 }, 'invalid_request'],
    [{ scope: 'credential', credentialID: scene.credentialID, numSignatures: '1', hashes: 'abc', hashAlgorithmOID: SHA_256 }, 'invalid_request'],
    [{ authorization_details: '[]' }, 'invalid_authorization_details'],
  ]
  scene.mine.stopAt = (url) => url.href.startsWith(BACK)
  for (const [asked, error] of refused) assert.equal((await scene.question(asked)).url.searchParams.get('error'), error)
  assertHeading(await scene.question({ authorization_details: details('a').authorization_details.replace(scene.credentialID, '00000000-0000-4000-8000-000000000000') }), /certificado não pode ser usado/)
})
