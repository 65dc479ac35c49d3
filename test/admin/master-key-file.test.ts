import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newMasterKey, readMasterKeyFile, storeMasterKey } from '../../src/admin/master-key-file.ts'
import { ADMIN_PROBLEMS } from '../../src/admin/problems.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'mt-login-key-'))

test('a new master key is 32 bytes and never the same', () => {
  const keys = new Set(Array.from({ length: 20 }, newMasterKey))
  assert.equal(keys.size, 20)
  for (const key of keys) assert.equal(Buffer.from(key, 'base64url').length, 32)
})

test('a key file is read with or without a line end', () => {
  const key = newMasterKey()
  for (const text of [key, `${key}\n`, ` ${key} \n`]) {
    const file = join(folder(), 'key')
    writeFileSync(file, text)
    assert.equal(readMasterKeyFile(file).reveal().toString('base64url'), key)
  }
})

test('anything else is refused, and what the file holds is not quoted', () => {
  for (const text of ['', 'segredo', newMasterKey().slice(4), `${newMasterKey()}AAAA`, '!'.repeat(43)]) {
    const file = join(folder(), 'key')
    writeFileSync(file, text)
    assert.throws(
      () => readMasterKeyFile(file),
      (error: unknown) => isProblem(error, ADMIN_PROBLEMS.masterKeyUnreadable) && (text === '' || !String(error.message).includes(text)),
    )
  }
  assert.throws(() => readMasterKeyFile(join(folder(), 'none')), (error: unknown) => isProblem(error, ADMIN_PROBLEMS.masterKeyUnreadable))
})

test('a stored key waits beside the current one until it is put in place, and the old one is kept', () => {
  const dataDir = folder()
  const old = newMasterKey()
  const key = newMasterKey()
  writeFileSync(join(dataDir, 'master.key'), old)
  const stored = storeMasterKey(dataDir, new Sensitive(Buffer.from(key, 'base64url')))
  assert.equal(readFileSync(join(dataDir, 'master.key'), 'utf8'), old)
  assert.equal(stored.install(), join(dataDir, 'master.key'))
  assert.equal(readFileSync(join(dataDir, 'master.key'), 'utf8').trim(), key)
  assert.equal(readFileSync(join(dataDir, 'master.key.anterior'), 'utf8'), old)
  assert.equal(statSync(join(dataDir, 'master.key')).mode & 0o777, 0o600)
})
