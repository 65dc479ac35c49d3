/** The command line as an operator runs it: real processes, real databases. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { lockDataDir } from '../../src/platform/database/data-dir-lock.ts'
import { createPostgresDatabase } from '../support/database.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'mt-login-cli-'))

type Mt = (words: readonly string[], env?: NodeJS.ProcessEnv) => ReturnType<typeof mt>

/** A new database on the test server, and a data folder for the master key. */
async function setUp(t: TestContext): Promise<{ dataDir: string; mt: Mt }> {
  const { url, drop } = await createPostgresDatabase()
  t.after(drop)
  const dataDir = folder()
  return { dataDir, mt: (words, env = {}) => mt(dataDir, words, { DATABASE_URL: url.reveal(), ...env }) }
}

async function mt(dataDir: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { DATABASE_URL: _, MASTER_KEY: __, ...outside } = process.env
  const child = spawn(process.execPath, ['src/mt.ts', ...words], { env: { ...outside, DATA_DIR: dataDir, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let error = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (error += chunk))
  const [code] = await once(child, 'close')
  return { code, out, error }
}

test('a relying party is created, its secret shown once and kept nowhere, changed, switched off and on', async (t) => {
  const { mt } = await setUp(t)
  const created = await mt(['cliente', 'criar', '--id', 'portal', '--nome', 'Portal', '--retorno', 'https://portal.example/volta', '--json'])
  assert.equal(created.error, '')
  const { client_id: id, client_secret: secret } = JSON.parse(created.out)
  assert.equal(id, 'portal')
  assert.ok(Buffer.from(secret, 'base64url').length >= 32)

  const again = await mt(['cliente', 'criar', '--id', 'portal', '--nome', 'Outro', '--retorno', 'https://outro.example/'])
  assert.deepEqual([again.code, again.error.includes('oidc/client-taken')], [1, true])

  const changed = await mt(['cliente', 'alterar', 'portal', '--nivel-minimo', 'prata', '--escopo', 'openid', '--escopo', 'cpf', '--json'])
  assert.deepEqual([JSON.parse(changed.out).policy.minimumLevel, JSON.parse(changed.out).policy.allowedScopes], ['prata', ['openid', 'cpf']])
  assert.equal(JSON.parse(changed.out).metadata.client_name, 'Portal')

  await mt(['cliente', 'desativar', 'portal'])
  const shown = await mt(['cliente', 'mostrar', 'portal'])
  assert.notEqual(JSON.parse(shown.out).disabled_at, null)
  assert.ok(!shown.out.includes(secret))
  await mt(['cliente', 'ativar', 'portal'])

  const replaced = JSON.parse((await mt(['cliente', 'trocar-segredo', 'portal', '--json'])).out)
  assert.notEqual(replaced.client_secret, secret)
  const listed = await mt(['cliente', 'listar'])
  assert.match(listed.out, /portal\s+Portal\s+ativo/)

  const verified = await mt(['auditoria', 'checkpoint', '--json'])
  assert.equal(verified.code, 0)
  assert.ok(JSON.parse(verified.out).seq >= 6, 'each change and the first keys are in the audit record')
})

test('metadata and policy beyond the options come from files, and are checked', async (t) => {
  const { dataDir, mt } = await setUp(t)
  const file = (name: string, text: string) => {
    writeFileSync(join(dataDir, name), text)
    return join(dataDir, name)
  }
  const metadata = file('m.json', JSON.stringify({ redirect_uris: ['https://m.example/'], require_pushed_authorization_requests: true, contacts: ['ti@m.example'] }))
  const policy = file('p.json', JSON.stringify({ accessTokenSeconds: 120 }))
  const created = await mt(['cliente', 'criar', '--id', 'm', '--nome', 'M', '--metadados', metadata, '--politica', policy])
  assert.equal(created.code, 0, created.error)
  const client = JSON.parse((await mt(['cliente', 'mostrar', 'm'])).out)
  assert.deepEqual([client.metadata.require_pushed_authorization_requests, client.policy.accessTokenSeconds], [true, 120])

  const cases = [
    [['--metadados', file('bad.json', '{'), '--nome', 'X'], 'admin/file-unreadable'],
    [['--metadados', file('list.json', '[]'), '--nome', 'X'], 'admin/file-unreadable'],
    [['--politica', file('unknown.json', '{"paint":"blue"}'), '--nome', 'X', '--retorno', 'https://x.example/'], 'oidc/client-invalid'],
    [['--nome', 'X', '--retorno', 'http://x.example/'], 'oidc/client-invalid'],
    [['--nome', 'X', '--retorno', 'https://x.example/', '--fapi'], 'oidc/client-invalid'],
  ] as const
  for (const [words, code] of cases) {
    const refused = await mt(['cliente', 'criar', ...words, '--json'])
    assert.deepEqual([refused.code, JSON.parse(refused.out).error], [1, code], words.join(' '))
  }
})

test('a machine client needs no redirect address', async (t) => {
  const { mt } = await setUp(t)
  const created = await mt(['cliente', 'criar', '--id', 'robo', '--nome', 'Robô', '--concessao', 'client_credentials', '--json'])
  assert.equal(created.code, 0, created.error)
  assert.deepEqual(JSON.parse((await mt(['cliente', 'mostrar', 'robo'])).out).metadata.response_types, [])
})

test('the master key is changed: the file is replaced, the old one kept, and only the new one opens the database', async (t) => {
  const { dataDir, mt } = await setUp(t)
  await mt(['chaves', 'listar'])
  const before = readFileSync(join(dataDir, 'master.key'), 'utf8')
  const file = join(folder(), 'nova.key')
  writeFileSync(file, (await mt(['chave-mestra', 'gerar'])).out)
  const changed = await mt(['chave-mestra', 'trocar', '--arquivo', file])
  assert.equal(changed.code, 0, changed.error)
  assert.ok(!changed.out.includes(readFileSync(file, 'utf8').trim()), 'the key itself is not shown')
  assert.equal(readFileSync(join(dataDir, 'master.key'), 'utf8'), readFileSync(file, 'utf8'))
  assert.equal(readFileSync(join(dataDir, 'master.key.anterior'), 'utf8'), before)
  assert.equal((await mt(['chaves', 'listar'])).code, 0)
  const wrong = await mt(['chaves', 'listar'], { MASTER_KEY: before.trim() })
  assert.deepEqual([wrong.code, wrong.error.includes('platform/master-key-wrong')], [1, true])
})

test('the embedded database in use by another process: refused, and the message says what to do', async () => {
  const dataDir = folder()
  const release = lockDataDir(dataDir)
  const refused = await mt(dataDir, ['cliente', 'listar'])
  release()
  assert.equal(refused.code, 1)
  assert.match(refused.error, /platform\/database-in-use/)
  assert.match(refused.error, /pare-o e repita/)
})

test('faults of the configuration are all told, and nothing runs', async () => {
  const refused = await mt(folder(), ['cliente', 'listar'], { PORT: 'x', LOG_LEVEL: 'loud' })
  assert.equal(refused.code, 1)
  assert.match(refused.error, /PORT[\s\S]*LOG_LEVEL/)
})

test('saude asks the server and exits by its answer', async () => {
  const server = createServer((_req, res) => res.writeHead(status).end('{}'))
  let status = 200
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  assert.equal((await mt(folder(), ['saude', '--endereco', address])).code, 0)
  status = 503
  assert.equal((await mt(folder(), ['saude', '--endereco', address])).code, 1)
  server.close()
  await once(server, 'close')
  const silent = await mt(folder(), ['saude', '--endereco', address, '--json'])
  assert.deepEqual([silent.code, JSON.parse(silent.out).ready], [1, false])
})
