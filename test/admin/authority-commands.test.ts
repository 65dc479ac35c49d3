/** The ceremony as two people at a terminal live it, and the server that takes its answer into use. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, test } from 'node:test'
import { createAuthorityCommands, createCeremonyCommands, createSecretPrompt, runCommandLine } from '../../src/admin/index.ts'
import { createSignatures, fingerprintOf } from '../../src/signatures/index.ts'
import { openSignatureScene, openssl, type SignatureScene } from '../support/signature-scene.ts'

const HALVES = ['primeira metade 123', 'segunda metade 456'] as const
const CREATE = [HALVES[0], HALVES[0], HALVES[1], HALVES[1]]

let scene: SignatureScene
let folder: string
before(async () => {
  scene = await openSignatureScene({ demo: false })
  folder = mkdtempSync(path.join(tmpdir(), 'mt-ceremony-'))
})
after(async () => {
  await scene.close()
  rmSync(folder, { recursive: true, force: true })
})

const at = (...parts: string[]) => path.join(folder, ...parts)

async function type(secrets: readonly string[], ...words: string[]) {
  const typed = [...secrets]
  const commands = [
    ...createAuthorityCommands({ authority: async () => scene.signatures.authority, actor: { kind: 'operator', id: 'cli:test' } }),
    ...createCeremonyCommands({ clock: scene.clock, askSecret: async () => typed.shift() ?? '' }),
  ]
  const [out, error]: [string[], string[]] = [[], []]
  const code = await runCommandLine(commands, [...words, '--json'], { out: (text) => void out.push(text), error: (text) => void error.push(text) })
  return { code, json: (code === 0 ? JSON.parse(out.join('')) : {}) as Record<string, string>, error: error.join('') }
}

const install = (fingerprint: string) =>
  type([], 'ac', 'instalar', '--emissora', at('saida', 'emissora.cer.pem'), '--raiz', at('saida', 'raiz.cer.pem'), '--lista', at('saida', 'raiz.crl.pem'), '--impressao', fingerprint)

test('from nothing to an authority in use: two halves, a request, a fingerprint', async () => {
  assert.match((await type([], 'ac', 'mostrar')).error, /^$/)
  await assert.rejects(scene.signatures.authority.active(), { name: 'Problem' })

  for (const [secrets, why] of [
    [['curta', 'curta'], /Curta demais/],
    [[HALVES[0], 'outra metade 999'], /não são iguais/],
    [[HALVES[0], HALVES[0], HALVES[0], HALVES[0]], /cada pessoa escolhe a sua/],
  ] as const) {
    const refused = await type(secrets, 'ac', 'raiz-criar', '--pasta', at('raiz'), '--organizacao', 'Estado de Teste')
    assert.equal(refused.code, 2)
    assert.match(refused.error, why)
  }
  const made = await type(CREATE, 'ac', 'raiz-criar', '--pasta', at('raiz'), '--organizacao', 'Estado de Teste')
  assert.equal(made.code, 0, made.error)
  assert.equal(statSync(at('raiz', 'raiz.chave.json')).mode & 0o077, 0)
  assert.equal((await type(CREATE, 'ac', 'raiz-criar', '--pasta', at('raiz'), '--organizacao', 'X')).code, 2, 'a root is never written over')

  assert.equal((await type([], 'ac', 'pedir', '--organizacao', 'Estado de Teste', '--saida', at('pedido.pem'))).code, 0)
  assert.match((await openssl('req', '-in', at('pedido.pem'), '-noout', '-verify')).text, /verify OK/)
  for (const wrong of [[HALVES[0], HALVES[0]], [HALVES[1], HALVES[0]], [HALVES[0], '']]) {
    assert.match((await type(wrong, 'ac', 'raiz-assinar', at('pedido.pem'), '--pasta', at('raiz'), '--saida', at('saida'))).error, /não abrem esta chave/)
  }
  const signed = await type(HALVES, 'ac', 'raiz-assinar', at('pedido.pem'), '--pasta', at('raiz'), '--saida', at('saida'))
  assert.equal(signed.code, 0, signed.error)
  assert.equal(signed.json['root'], made.json['fingerprint'])
  const verified = await openssl('verify', '-x509_strict', '-crl_check', '-CRLfile', at('saida', 'raiz.crl.pem'), '-CAfile', at('saida', 'raiz.cer.pem'), at('saida', 'emissora.cer.pem'))
  assert.match(verified.text, /OK/)

  assert.match((await install('AA:BB')).error, /não é a desta raiz/)
  const installed = await install(made.json['fingerprint'] ?? '')
  assert.equal(installed.code, 0, installed.error)
  const { demo, isActive } = await scene.signatures.authority.active()
  assert.deepEqual({ demo, isActive }, { demo: false, isActive: true })
  assert.equal((await scene.signatures.authority.service('seal')).certificates.length, 2)
  assert.doesNotMatch((await scene.get('/ac')).toString(), /demonstração/)
  assert.equal((await install(made.json['fingerprint'] ?? '')).code, 1, 'an answer serves once')
})

test('an answer for another key, by another root, or with the list of another is refused', async () => {
  const before = await scene.signatures.authority.active()
  await type([], 'ac', 'pedir', '--organizacao', 'Estado de Teste', '--saida', at('pedido-2.pem'))
  assert.match((await install(fingerprintOf(before.root))).error, /another key/)
  await type(CREATE, 'ac', 'raiz-criar', '--pasta', at('raiz-2'), '--organizacao', 'Outro')
  await type(HALVES, 'ac', 'raiz-assinar', at('pedido-2.pem'), '--pasta', at('raiz-2'), '--saida', at('saida-2'))
  const mixed = await type([], 'ac', 'instalar', '--emissora', at('saida-2', 'emissora.cer.pem'), '--raiz', at('saida', 'raiz.cer.pem'), '--lista', at('saida', 'raiz.crl.pem'), '--impressao', fingerprintOf(before.root))
  assert.match(mixed.error, /not signed by this root/)
  assert.deepEqual((await scene.signatures.authority.active()).id, before.id)
})

test('a second issuing authority takes over; the first goes on answering for its own', async () => {
  const first = await scene.signatures.authority.active()
  const { serial } = await scene.signatures.authority.service('seal')
  await type([], 'ac', 'pedir', '--organizacao', 'Estado de Teste', '--saida', at('pedido-3.pem'))
  await type(HALVES, 'ac', 'raiz-assinar', at('pedido-3.pem'), '--pasta', at('raiz'), '--saida', at('saida'))
  assert.equal((await install(fingerprintOf(first.root))).code, 0)
  const second = await scene.signatures.authority.active()
  assert.notEqual(second.id, first.id)
  assert.equal((await scene.get(`/ac/${first.id}/lcr/0.crl`)).length > 100, true)
  assert.equal((await type([], 'ac', 'revogar', serial, '--motivo', 'superseded')).code, 0)
  assert.equal((await type([], 'ac', 'revogar', serial, '--motivo', 'superseded')).code, 1)
  assert.equal((await type([], 'ac', 'revogar', 'ff', '--motivo', 'superseded')).code, 1)
  assert.equal((await type([], 'ac', 'revogar', serial, '--motivo', 'porque sim')).code, 2)

  const listed = await type(HALVES, 'ac', 'raiz-lista', '--pasta', at('raiz'), '--saida', at('nova.crl.pem'), '--revogar', at('saida', 'emissora.cer.pem'))
  assert.equal(listed.json['revoked'], 1)
  assert.equal((await type([], 'ac', 'instalar-lista', at('nova.crl.pem'))).code, 0)
  const checked = await openssl('verify', '-crl_check', '-CRLfile', at('nova.crl.pem'), '-CAfile', at('saida', 'raiz.cer.pem'), at('saida', 'emissora.cer.pem'))
  assert.match(checked.text, /certificate revoked/)
  assert.equal((await type([], 'ac', 'instalar-lista', at('saida-2', 'raiz.crl.pem'))).code, 1, 'the list of another root')
})

test('no key and no half stands in what a ceremony leaves or an audit records', async () => {
  const files = ['raiz/raiz.chave.json', 'saida/emissora.cer.pem', 'pedido.pem'].map((name) => readFileSync(at(name), 'utf8')).join('')
  for (const half of HALVES) assert.ok(!files.includes(half))
  assert.doesNotMatch(files, /PRIVATE KEY/)
  assert.equal((await scene.events('signatures/authority-installed')).length, 2)
})

test('another process knows the authority and its keys', async () => {
  const { db, clock, keyring } = scene
  const other = createSignatures({ db, clock, keyring, audit: { record: async () => {} }, publicUrl: scene.site.url })
  assert.equal((await other.authority.active()).id, (await scene.signatures.authority.active()).id)
  assert.ok((await other.stamping.stamp(Buffer.alloc(32))).length > 500)
})

test('the prompt takes lines from a pipe one after the other, and shows nothing of them', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const ask = createSecretPrompt(input, output)
  input.write('primeira metade\r\nsegun')
  const first = ask('Primeira: ')
  assert.equal(await first, 'primeira metade')
  const second = ask('Segunda: ')
  input.write('da metade\n')
  assert.equal(await second, 'segunda metade')
  assert.equal(output.read()?.toString(), 'Primeira: \nSegunda: \n')
  const third = ask('Terceira: ')
  input.end()
  await assert.rejects(third, /interrupted/)
})
