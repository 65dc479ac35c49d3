/** The image commands as an operator runs them: a real process on a real database. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { SAMPLE_REGISTER } from '../../src/demo/sample-register.ts'
import { openDatabase } from '../../src/platform/db.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { writeImportBase } from '../support/import-base.ts'
import { until } from '../support/until.ts'

const CPF = '52998224725'

test('holds, deadlines, erasure, verification and export from the command line', async (t) => {
  const { url, drop } = await createPostgresDatabase()
  t.after(drop)
  const dataDir = mkdtempSync(join(tmpdir(), 'mt-login-cli-images-'))
  const mt = async (...words: string[]) => {
    const { DATABASE_URL: _, MASTER_KEY: __, ...outside } = process.env
    const child = spawn(process.execPath, ['src/mt.ts', 'imagens', ...words], { env: { ...outside, DATA_DIR: dataDir, DATABASE_URL: url.reveal(), BASE_REGISTER_FILE: SAMPLE_REGISTER }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, error] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (error += chunk))
    const [code] = await once(child, 'close')
    return { code, out, error }
  }
  const db = await openDatabase({ url, dataDir: 'memory' })
  await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, now())', [randomUUID(), CPF, 'Fulana', '1980-01-01'])
  await db.close()

  const help = await mt('importar', '--help')
  assert.match(help.out, /--manifesto ARQUIVO[\s\S]*--confiar/)
  assert.equal((await mt('verificar')).out.split('\n')[0], '0 pessoas, 0 imagens: tudo como foi guardado.')
  assert.match((await mt('prazos')).out, /retirada\s+1825/)
  assert.equal((await mt('prazo', '--tipo', 'face', '--fonte', 'demo', '--conta', 'guardada', '--dias', '30', '--motivo', 'Portaria 1')).code, 0)
  assert.match((await mt('prazos')).out, /face\s+demo\s+guardada\s+30\s+apagar\s+Portaria 1/)
  assert.match((await mt('prazos')).out, /sem-uso\s+3652\s+conferir[\s\S]*confirmar pelo jurídico/)
  assert.equal((await mt('prazo', '--tipo', 'face', '--fonte', 'demo', '--conta', 'sem-uso', '--dias', '900', '--motivo', 'Portaria 2')).code, 0)
  assert.match((await mt('prazos')).out, /face\s+demo\s+sem-uso\s+900\s+conferir\s+Portaria 2/, 'nothing that stands goes unless the operator says so')
  assert.match((await mt('a-conferir')).out, /Nada a conferir/)
  assert.equal((await mt('conferir', randomUUID())).code, 2, 'kept or erased, one of them')
  assert.equal((await mt('prazo', '--tipo', 'foto', '--fonte', 'demo', '--conta', 'guardada')).code, 2)
  assert.equal((await mt('aplicar-prazos', '--simular')).code, 0)

  assert.equal((await mt('reter', '--cpf', CPF, '--motivo', 'Processo 1', '--ate', '2999-12-31')).code, 0)
  const refused = await mt('apagar', '--cpf', CPF, '--sim', '--json')
  assert.deepEqual([refused.code, JSON.parse(refused.out).error], [1, 'biometrics/legal-hold'])
  assert.equal(JSON.parse((await mt('liberar', '--cpf', CPF, '--json')).out).released, 1)
  assert.equal((await mt('apagar', '--cpf', CPF)).code, 2, 'an erasure is confirmed')
  assert.equal((await mt('apagar', '--cpf', CPF, '--sim')).code, 0)
  assert.equal((await mt('apagar', '--cpf', '11144477735', '--sim')).code, 1)

  const [secret, target] = [join(dataDir, 'senha'), join(dataDir, 'saida.mtl')]
  writeFileSync(secret, 'cerrado pantanal amazônia\n')
  assert.equal((await mt('exportar', '--saida', target)).code, 2, 'nothing goes out open by accident')
  chmodSync(secret, 0o644)
  assert.equal((await mt('exportar', '--saida', target, '--senha-arquivo', secret)).code, 2, 'a passphrase that others can read is refused')
  chmodSync(secret, 0o600)
  const exported = await mt('exportar', '--saida', target, '--senha-arquivo', secret)
  assert.deepEqual([exported.code, statSync(target).mode & 0o777], [0, 0o600], exported.error)
  // What imports that were killed left: the process of one is gone, that of the other runs.
  const [left, running] = [`${target}.4999999.aberto`, `${target}.${process.pid}.aberto`]
  for (const path of [left, running]) writeFileSync(path, 'pictures', { mode: 0o600 })
  const imported = await mt('importar', '--tar', target, '--origem', 'x', '--senha-arquivo', secret, '--json')
  assert.deepEqual([imported.code, JSON.parse(imported.out).lines], [0, 0], imported.error)
  assert.deepEqual(readdirSync(dataDir).filter((name) => name.endsWith('.aberto')), [basename(running)], 'the opened archive is gone, and what was left of another')
  assert.match(imported.error, /Uma importação interrompida deixou um arquivo aberto, sem cifra, que foi apagado: .*\.4999999\.aberto/)
})

test('kill -9 in the middle of an import: nothing that was committed is lost, and the same command again ends with the counts of the base', async (t) => {
  const { url, drop } = await createPostgresDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'mt-login-import-'))
  const base = await writeImportBase(join(folder, 'base'), 24)
  const db = await openDatabase({ url, dataDir: 'memory' })
  t.after(async () => {
    await db.close()
    await drop()
    rmSync(folder, { recursive: true, force: true })
  })
  const { DATABASE_URL: _, MASTER_KEY: __, ...outside } = process.env
  const env = { ...outside, DATA_DIR: join(folder, 'data'), DATABASE_URL: url.reveal(), BASE_REGISTER_FILE: base.register, FACE_MODELS: 'builtin' }
  const start = () => {
    const words = ['--manifesto', base.manifest, '--pasta', base.folder, '--origem', 'base', '--confiar', '--json']
    const child = spawn(process.execPath, ['src/mt.ts', 'imagens', 'importar', ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.resume()
    return { child, ended: once(child, 'close').then(([code, signal]) => ({ code, signal, out })) }
  }
  const onRecord = async () => {
    const [lines] = await db.query<{ lines: number; images: number }>(
      "SELECT (SELECT count(*)::int FROM image_import_line WHERE outcome = 'stored') AS lines, (SELECT count(*)::int FROM stored_image) AS images",
    ).catch(() => [])
    return lines ?? { lines: 0, images: 0 }
  }
  const first = start()
  let isOver = false
  void first.ended.then(() => (isOver = true))
  await until(async () => isOver || (await onRecord()).lines >= 5, 60_000)
  first.child.kill('SIGKILL')
  assert.equal((await first.ended).signal, 'SIGKILL', 'it was in the middle')
  const before = await onRecord()
  assert.equal(before.images, before.lines, 'no image without its line, nor a line without its image')

  const second = await start().ended
  assert.equal(second.code, 0, second.out)
  const result = JSON.parse(second.out)
  assert.deepEqual(result.counts, { ...base.expected, known: 0 })
  assert.ok(result.looked <= 24 - before.lines && result.looked > 0)
  assert.deepEqual(await onRecord(), { lines: base.expected.stored, images: base.expected.stored })
  assert.equal(JSON.parse((await start().ended).out).looked, 0, 'a third run has nothing to do')
})
