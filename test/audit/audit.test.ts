import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { z } from 'zod'
import type { Audit, FirstBad } from '../../src/audit/index.ts'
import { createAudit, defineEvents, headFile } from '../../src/audit/index.ts'
import type { Database } from '../../src/platform/db.ts'
import type { Keyring } from '../../src/platform/keyring.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { createLog } from '../../src/platform/log.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { until } from '../support/until.ts'

const events = defineEvents({
  'test/signed-in': z.object({ sessionId: z.string(), amr: z.array(z.string()) }),
  'test/left': z.object({}),
})
const TABLES = ['audit_event', 'audit_seal', 'audit_checkpoint']

for (const { label, open } of testDatabases()) {
  describe(`audit on ${label}`, () => {
    const clock = fixedClock()
    const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-audit-'))
    const lines: string[] = []
    let db: Database
    let keyring: Keyring
    let audit: Audit

    const openAudit = () =>
      createAudit({
        db,
        clock,
        keyring,
        log: createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
        settings: { catalogs: [events], head: headFile(folder) },
      })
    const record = (subject = randomUUID(), sessionId = 's') =>
      db.transaction((tx) =>
        audit.record(tx, { type: 'test/signed-in', actor: { kind: 'citizen', id: subject }, subject, data: { sessionId, amr: ['pwd'] } }),
      )
    const asOwner = async (sql: string) => {
      for (const table of TABLES) await db.execute(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)
      await db.execute(sql)
      for (const table of TABLES) await db.execute(`ALTER TABLE ${table} ENABLE TRIGGER ALL`)
    }
    const found = async (): Promise<Partial<FirstBad>> => {
      const verdict = await audit.verify()
      return verdict.ok ? {} : { seq: verdict.firstBad.seq, fault: verdict.firstBad.fault }
    }
    const chainOf = async (length: number) => {
      for (let index = 0; index < length; index++) await record(undefined, `s${index}`)
      assert.equal(await audit.seal(), length)
    }

    before(async () => {
      db = await open()
      keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
    })
    beforeEach(async () => {
      await asOwner('TRUNCATE audit_event, audit_seal, audit_checkpoint RESTART IDENTITY')
      rmSync(path.join(folder, 'audit-head.json'), { force: true })
      lines.length = 0
      audit = openAudit()
    })
    after(async () => {
      await keyring.close()
      await db.close()
      rmSync(folder, { recursive: true })
    })

    test('an event commits with what it tells, or not at all', async () => {
      const subject = randomUUID()
      await assert.rejects(
        db.transaction(async (tx) => {
          await audit.record(tx, { type: 'test/left', actor: { kind: 'system' }, subject, data: {} })
          throw new Error('rolled back')
        }),
      )
      assert.deepEqual(await audit.ledger(subject, { limit: 10 }), [])
      await record(subject)
      assert.equal((await audit.ledger(subject, { limit: 10 })).length, 1)
    })

    test('a type or a member that no catalog knows is refused, and the refusal does not quote it', async () => {
      const put = (type: string, data: Record<string, unknown>) =>
        db.transaction((tx) => audit.record(tx, { type, actor: { kind: 'system' }, data }))
      await assert.rejects(put('test/unknown', {}), /no catalog knows/)
      await assert.rejects(
        put('test/left', { cpf: '52998224725' }),
        (error) => error instanceof Error && !/52998224725/.test(error.message + error.stack),
      )
      await assert.rejects(put('test/signed-in', { sessionId: 5, amr: [] }), /sessionId/)
    })

    test('a ledger has the person’s own events only, newest first, page by page', async () => {
      const [maria, joao] = [randomUUID(), randomUUID()]
      for (let index = 0; index < 5; index++) {
        clock.advance(1000)
        await record(maria, `m${index}`)
        await record(joao, `j${index}`)
      }
      const first = await audit.ledger(maria, { limit: 2 })
      assert.deepEqual(
        first.map(({ data }) => data['sessionId']),
        ['m4', 'm3'],
      )
      const rest = await audit.ledger(maria, { limit: 10, before: first.at(-1)?.id })
      assert.deepEqual(
        rest.map(({ data }) => data['sessionId']),
        ['m2', 'm1', 'm0'],
      )
      assert.deepEqual(first[0]?.actor, { kind: 'citizen', id: maria })
      assert.deepEqual(first[0]?.at, clock.now())
    })

    test('the three tables refuse UPDATE, DELETE and TRUNCATE', async () => {
      await chainOf(1)
      for (const table of TABLES) {
        for (const sql of [`DELETE FROM ${table}`, `TRUNCATE ${table} CASCADE`]) await assert.rejects(db.execute(sql), /append-only/, sql)
      }
      await assert.rejects(db.execute("UPDATE audit_event SET type = 'x'"), /append-only/)
    })

    test('an untouched chain verifies, across restarts and new events', async () => {
      assert.deepEqual(await found(), {})
      await chainOf(3)
      audit = openAudit()
      await chainOf(2)
      await record()
      const verdict = await audit.verify()
      assert.ok(verdict.ok)
      assert.deepEqual([verdict.rows, verdict.unsealed], [5, 1])
    })

    const changes: [string, string, Partial<FirstBad>][] = [
      [
        'a changed datum',
        `UPDATE audit_event SET data = jsonb_set(data, '{sessionId}', '"other"') WHERE id = 3`,
        { seq: 3, fault: 'event-changed' },
      ],
      ['a changed time', "UPDATE audit_event SET at = at + interval '1 microsecond' WHERE id = 2", { seq: 2, fault: 'event-changed' }],
      ['another person', 'UPDATE audit_event SET subject_id = gen_random_uuid() WHERE id = 5', { seq: 5, fault: 'event-changed' }],
      ['a deleted event', 'DELETE FROM audit_event WHERE id = 2', { seq: 2, fault: 'event-missing' }],
      [
        'a deleted event with its seal',
        'DELETE FROM audit_event WHERE id = 2; DELETE FROM audit_seal WHERE seq = 2',
        { seq: 2, fault: 'seal-missing' },
      ],
      [
        'the first row deleted with its seal',
        'DELETE FROM audit_event WHERE id = 1; DELETE FROM audit_seal WHERE seq = 1',
        { seq: 1, fault: 'seal-missing' },
      ],
      [
        'two swapped events',
        `UPDATE audit_event e SET data = o.data, at = o.at, subject_id = o.subject_id, actor_id = o.actor_id, salt = o.salt
         FROM audit_event o WHERE (e.id, o.id) IN ((2, 4), (4, 2))`,
        { seq: 2, fault: 'event-changed' },
      ],
      [
        'two swapped seals',
        `UPDATE audit_seal SET event_id = -event_id WHERE seq IN (2, 4);
         UPDATE audit_seal SET event_id = CASE seq WHEN 2 THEN 4 ELSE 2 END WHERE seq IN (2, 4)`,
        { seq: 2, fault: 'event-changed' },
      ],
      ['a rewritten hash', `UPDATE audit_seal SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 4`, { seq: 4, fault: 'chain-broken' }],
      ['the tail cut off', 'DELETE FROM audit_event WHERE id > 4; DELETE FROM audit_seal WHERE seq > 4', { seq: 5, fault: 'cut-off' }],
      ['everything cut off', 'TRUNCATE audit_event, audit_seal, audit_checkpoint', { seq: 1, fault: 'cut-off' }],
      [
        'a forged checkpoint',
        "INSERT INTO audit_checkpoint SELECT seq, hash, now(), '\\x00', 'x' FROM audit_seal WHERE seq = 3",
        { seq: 3, fault: 'checkpoint-forged' },
      ],
    ]
    for (const [name, sql, expected] of changes) {
      test(`the owner of the database is caught: ${name}`, async () => {
        await chainOf(6)
        await asOwner(sql)
        assert.deepEqual(await found(), expected)
      })
    }

    test('a chain rewritten from one row on, hashes and all, does not match its checkpoint', async () => {
      await chainOf(4)
      await audit.checkpoint()
      rmSync(path.join(folder, 'audit-head.json'))
      await asOwner(`UPDATE audit_event SET type = 'test/left' WHERE id = 2; TRUNCATE audit_seal`)
      await createAudit({ db, clock, keyring, log: createLog({ level: 'silent' }), settings: { catalogs: [events] } }).seal()
      assert.deepEqual(await found(), { seq: 4, fault: 'checkpoint-mismatch' })
    })

    test('a head that was noted outside betrays a rewritten chain', async () => {
      await chainOf(4)
      const noted = readFileSync(path.join(folder, 'audit-head.json'), 'utf8')
      await asOwner(`UPDATE audit_event SET type = 'test/left' WHERE id = 2; TRUNCATE audit_seal`)
      await audit.seal()
      assert.deepEqual(await found(), {})
      writeFileSync(path.join(folder, 'audit-head.json'), noted)
      assert.deepEqual(await found(), { seq: 4, fault: 'checkpoint-mismatch' })
    })

    test('a checkpoint is signed once for each head, logged, and checkable with the public key', async () => {
      assert.equal(await audit.checkpoint(), false)
      await chainOf(2)
      assert.equal(await audit.checkpoint(), true)
      assert.equal(await audit.checkpoint(), false)
      const [row] = await db.query<{ hash: Buffer }>('SELECT hash FROM audit_checkpoint')
      assert.ok(lines.some((line) => line.includes(row?.hash.toString('hex') ?? '?')))
      assert.match(audit.checkpointKey.pem, /BEGIN PUBLIC KEY/)
      assert.deepEqual(await found(), {})
    })

    test('many processes that seal at once make one chain', async () => {
      for (let index = 0; index < 40; index++) await record()
      const counts = await Promise.all(Array.from({ length: 6 }, () => openAudit().seal()))
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        40,
      )
      const verdict = await audit.verify()
      assert.ok(verdict.ok && verdict.rows === 40 && verdict.unsealed === 0)
    })

    test('the loop seals within a second or so, and the rest at the stop', async () => {
      audit.start()
      await record()
      await until(async () => (await db.query('SELECT 1 FROM audit_seal')).length === 1, 4000)
      await record()
      await audit.stop()
      assert.equal((await db.query('SELECT 1 FROM audit_seal')).length, 2)
    })
  })
}

test('an event whose transaction commits late is sealed after younger ones', async (t) => {
  const postgres = testDatabases().find(({ label }) => label === 'PostgreSQL')
  if (!postgres) return t.skip('no PostgreSQL')
  const db = await postgres.open()
  const clock = fixedClock()
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: createLog({ level: 'silent' }), settings: { catalogs: [events] } })
  const write = (sql: Parameters<Audit['record']>[0]) => audit.record(sql, { type: 'test/left', actor: { kind: 'system' }, data: {} })
  const [wrote, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const late = db.transaction(async (tx) => {
    await write(tx)
    wrote.resolve()
    await mayCommit.promise
  })
  await wrote.promise
  await db.transaction(write)
  assert.equal(await audit.seal(), 1)
  mayCommit.resolve()
  await late
  assert.equal(await audit.seal(), 1)
  assert.deepEqual(await db.query('SELECT event_id FROM audit_seal ORDER BY seq'), [{ event_id: 2 }, { event_id: 1 }])
  assert.ok((await audit.verify()).ok)
  await keyring.close()
  await db.close()
})

test('two rooms cannot define the same event', () => {
  const again = defineEvents({ 'test/left': z.object({}) })
  assert.throws(
    () =>
      createAudit({
        db: undefined as never,
        clock: fixedClock(),
        keyring: { hash: () => Buffer.alloc(32) },
        log: createLog({ level: 'silent' }),
        settings: { catalogs: [events, again] },
      }),
    /two rooms/,
  )
})

test('heads that are noted at the same time do not take each other’s draft away, and the newest stands', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-head-'))
  const file = headFile(folder)
  const heads = Array.from({ length: 20 }, (_, index) => ({ seq: index + 1, hash: Buffer.alloc(32, index) }))
  await Promise.all([...heads.slice(10), ...heads.slice(0, 10)].map((head) => file.write(head)))
  assert.equal((await file.read())?.seq, 20)
  rmSync(folder, { recursive: true, force: true })
})
