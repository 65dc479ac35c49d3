import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, suite, test } from 'node:test'
import { prepareTemplate } from '../../src/platform/database/pglite.ts'
import { copyTemplate, makeTemplate, templateFolder } from '../../src/platform/database/template.ts'
import { openDatabase } from '../../src/platform/db.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-template-'))
after(() => rmSync(folder, { recursive: true, force: true }))

suite('the prepared empty database', () => {
  test('it appears whole or not at all, and only once', async () => {
    const template = path.join(folder, 'cache', 'template')
    const failing = makeTemplate(async (made) => {
      writeFileSync(path.join(made, 'half'), '')
      throw new Error('stopped on the way')
    }, template)
    await assert.rejects(failing, /stopped on the way/)
    assert.deepEqual(readdirSync(path.dirname(template)), [])

    const make = async (made: string) => writeFileSync(path.join(made, 'whole'), '1')
    assert.deepEqual([await makeTemplate(make, template), await makeTemplate(() => assert.fail('made twice'), template)], ['made', 'present'])
    assert.deepEqual(readdirSync(template), ['whole'])
  })

  test('without one a first start goes its own way', () => {
    assert.equal(copyTemplate(path.join(folder, 'none'), path.join(folder, 'missing')), false)
    assert.equal(existsSync(path.join(folder, 'none')), false)
  })

  test('a first start takes its copy, which nobody else may read, and leaves the template as it was', async () => {
    await prepareTemplate()
    const control = path.join(templateFolder(), 'global/pg_control')
    const before = readFileSync(control)
    const [one, other] = ['one', 'other'].map((name) => path.join(folder, name))
    for (const dataDir of [one, other]) mkdirSync(dataDir ?? '')
    const db = await openDatabase({ dataDir: one ?? '' })
    await db.execute('CREATE TABLE mark (id int)')
    const [row] = await db.query<{ identifier: string }>('SELECT system_identifier::text AS identifier FROM pg_control_system()')
    await db.close()
    assert.equal(row?.identifier, before.readBigUInt64LE(0).toString(), 'it is the template’s cluster')
    assert.deepEqual(readFileSync(control), before)
    assert.equal(statSync(path.join(one ?? '', 'pg')).mode & 0o077, 0)

    const second = await openDatabase({ dataDir: other ?? '' })
    assert.deepEqual(await second.query("SELECT to_regclass('mark') AS found"), [{ found: null }])
    await second.close()
  })
})
