import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Database } from '../../src/platform/db.ts'
import { ACTIVATION_SECONDS, equalSecrets, openKeyring, openWith, sealWith } from '../../src/platform/keyring.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { until } from '../support/until.ts'

const newMaster = () => new Sensitive(randomBytes(32))
const broken = (error: unknown) => isProblem(error, PLATFORM_PROBLEMS.sealBroken)
const wrongMaster = (error: unknown) => isProblem(error, PLATFORM_PROBLEMS.masterKeyWrong)

for (const { label, open } of testDatabases()) {
  describe(`keyring on ${label}`, () => {
    let db: Database
    before(async () => {
      db = await open()
    })
    beforeEach(() => db.execute('DELETE FROM keyring_key'))
    after(() => db.close())

    test('what is sealed opens with its context only', async () => {
      const keyring = await openKeyring({ db, clock: fixedClock(), masterKey: newMaster(), dataDir: 'memory' })
      const sealed = keyring.seal('Maria ç', 'person:1')
      assert.equal(keyring.open(sealed, 'person:1').toString(), 'Maria ç')
      assert.throws(() => keyring.open(sealed, 'person:2'), broken)
      assert.doesNotMatch(sealed.toString('latin1'), /Maria/)
      assert.notDeepEqual(keyring.seal('Maria ç', 'person:1'), sealed)
      await keyring.close()
    })

    test('any changed byte is refused', async () => {
      const keyring = await openKeyring({ db, clock: fixedClock(), masterKey: newMaster(), dataDir: 'memory' })
      const sealed = keyring.seal(Buffer.from([1, 2, 3]), 'x')
      for (let index = 0; index < sealed.length; index++) {
        const changed = Buffer.from(sealed)
        changed[index] = (changed[index] ?? 0) ^ 1
        assert.throws(() => keyring.open(changed, 'x'), broken, `byte ${index}`)
      }
      for (const length of [0, 1, 8, 9, 20, sealed.length - 1]) assert.throws(() => keyring.open(sealed.subarray(0, length), 'x'), broken)
      await keyring.close()
    })

    test('keys are kept across openings; parallel first openings agree', async () => {
      const masterKey = newMaster()
      const [one, two] = await Promise.all([1, 2].map(() => openKeyring({ db, clock: fixedClock(), masterKey, dataDir: 'memory' })))
      assert.ok(one && two)
      assert.equal(two.open(one.seal('a', 'c'), 'c').toString(), 'a')
      assert.deepEqual(one.hash('52998224725', 'cpf'), two.hash('52998224725', 'cpf'))
      assert.notDeepEqual(one.hash('52998224725', 'cpf'), one.hash('52998224725', 'token'))
      await Promise.all([one.close(), two.close()])
    })

    test('another master key is refused at the opening, with its id and not its bytes', async () => {
      const masterKey = newMaster()
      const keyring = await openKeyring({ db, clock: fixedClock(), masterKey, dataDir: 'memory' })
      await keyring.close()
      const other = newMaster()
      await assert.rejects(openKeyring({ db, clock: fixedClock(), masterKey: other, dataDir: 'memory' }), (error) => {
        assert.ok(wrongMaster(error))
        assert.ok(!String(error).includes(other.reveal().toString('hex')))
        return true
      })
    })

    test('a rotated key seals once every process had time to learn it, and old seals still open', async () => {
      const clock = fixedClock()
      const masterKey = newMaster()
      const keyring = await openKeyring({ db, clock, masterKey, dataDir: 'memory' })
      const other = await openKeyring({ db, clock, masterKey, dataDir: 'memory' })
      clock.advance(1)
      const old = keyring.seal('old', 'c')
      await keyring.rotate()
      assert.ok(keyring.isCurrent(old))
      clock.advance(ACTIVATION_SECONDS * 1000)
      assert.equal(keyring.isCurrent(old), false)
      const fresh = keyring.seal('new', 'c')
      assert.equal(keyring.open(old, 'c').toString(), 'old')
      await until(() => {
        try {
          return other.open(fresh, 'c').toString() === 'new'
        } catch {
          return false
        }
      })
      await Promise.all([keyring.close(), other.close()])
    })

    test('after a rewrap only the new master key opens, and everything sealed before still does', async () => {
      const old = newMaster()
      const next = newMaster()
      const keyring = await openKeyring({ db, clock: fixedClock(), masterKey: old, dataDir: 'memory' })
      const sealed = keyring.seal('kept', 'c')
      assert.equal(await keyring.rewrap(next), 2)
      await keyring.close()
      await assert.rejects(openKeyring({ db, clock: fixedClock(), masterKey: old, dataDir: 'memory' }), wrongMaster)
      const again = await openKeyring({ db, clock: fixedClock(), masterKey: next, dataDir: 'memory' })
      assert.equal(again.open(sealed, 'c').toString(), 'kept')
      await again.close()
    })

    test('a data key opens for its owner only', async () => {
      const keyring = await openKeyring({ db, clock: fixedClock(), masterKey: newMaster(), dataDir: 'memory' })
      const { key, wrapped } = keyring.dataKey('person:1')
      const image = sealWith(key, Buffer.from('jpeg'), 'image:1')
      assert.equal(openWith(keyring.openDataKey(wrapped, 'person:1'), image, 'image:1').toString(), 'jpeg')
      assert.throws(() => keyring.openDataKey(wrapped, 'person:2'), broken)
      assert.throws(() => openWith(keyring.dataKey('person:1').key, image, 'image:1'), broken)
      await keyring.close()
    })

    test('the master key file is made once, for its owner only, and never beside existing keys', async () => {
      const dataDir = mkdtempSync(path.join(tmpdir(), 'mt-login-keys-'))
      const file = path.join(dataDir, 'master.key')
      const keyring = await openKeyring({ db, clock: fixedClock(), dataDir })
      assert.equal(statSync(file).mode & 0o777, 0o600)
      const text = readFileSync(file, 'utf8')
      const again = await openKeyring({ db, clock: fixedClock(), dataDir })
      assert.equal(readFileSync(file, 'utf8'), text)
      await Promise.all([keyring.close(), again.close()])
      rmSync(file)
      await assert.rejects(openKeyring({ db, clock: fixedClock(), dataDir }), wrongMaster)
      assert.throws(() => statSync(file))
      rmSync(dataDir, { recursive: true })
    })
  })
}

test('secrets are equal only when all of them is', () => {
  assert.ok(equalSecrets('abc', Buffer.from('abc')))
  assert.ok(!equalSecrets('abc', 'abcd'))
  assert.ok(!equalSecrets('', 'a'))
})
