/** What goes and what stays beside the counter's rows, on both databases; the audit record and the statements say the same before and after. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { AccountId } from '../src/accounts/index.ts'
import { adminEvents } from '../src/admin/index.ts'
import { openRetention } from '../src/app/retention/retention.ts'
import { createAudit, type Audit } from '../src/audit/index.ts'
import { createMetering } from '../src/biometrics/index.ts'
import { loadConfig } from '../src/platform/config.ts'
import type { Database } from '../src/platform/db.ts'
import { type Keyring, openKeyring } from '../src/platform/keyring.ts'
import { createLog } from '../src/platform/log.ts'
import type { Retention } from '../src/platform/retention/retention.ts'
import { Sensitive } from '../src/platform/sensitive.ts'
import { addAccount } from './helpdesk/support/people.ts'
import { type FixedClock, fixedClock } from './support/clock.ts'
import { testDatabases } from './support/database.ts'

const BEGAN = new Date('2026-01-12T12:00:00Z')
const DAY_MS = 86_400_000

for (const { label, open } of testDatabases()) {
  describe(`rows of every room on ${label}`, () => {
    let db: Database
    let clock: FixedClock
    let keyring: Keyring
    let audit: Audit
    let retention: Retention
    let account: AccountId

    before(async () => {
      db = await open()
      clock = fixedClock(BEGAN.toISOString())
      keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
      audit = createAudit({ db, clock, keyring, log: createLog({ level: 'silent' }), settings: { catalogs: [adminEvents] } })
      retention = openRetention({ db, clock, config: loadConfig({}), audit })
      account = await addAccount(db)
    })
    after(async () => {
      await keyring.close()
      await db.close()
    })

    const later = (days: number) => clock.advance(days * DAY_MS)
    const count = async (sql: string, values: unknown[] = []) => (await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`, values))[0]?.n
    const apply = async () => Object.fromEntries((await retention.apply()).filter(({ rows }) => rows > 0).map(({ key, rows }) => [key, rows]))
    const hold = (personId: string, id = randomUUID()) => db.execute(`INSERT INTO image_hold (id, person_id, reason, placed_by, placed_at) VALUES ($1, $2, 'inquérito', 'op', $3)`, [id, personId, clock.now()])

    test('what an owner took out of the account goes after a year, what they use stays, and a legal hold keeps both', async () => {
      for (const removedAt of [null, clock.now()]) {
        await db.execute(`INSERT INTO contact (id, account_id, kind, value, is_primary, created_at, removed_at) VALUES ($1, $2, 'email', $3, false, $4, $5)`, [randomUUID(), account, `${randomUUID()}@example.org`, clock.now(), removedAt])
        await db.execute(
          `INSERT INTO passkey (id, account_id, credential_id, public_key, counter, transports, backed_up, label, created_at, removed_at) VALUES ($1, $2, $3, $4, 0, '{}', false, 'Chave', $5, $6)`,
          [randomUUID(), account, randomBytes(32), randomBytes(64), clock.now(), removedAt],
        )
      }
      const [{ person_id: personId } = assert.fail()] = await db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [account])
      await hold(personId)
      later(366)
      assert.deepEqual(await apply(), {})
      await db.execute('UPDATE image_hold SET released_at = $1', [clock.now()])
      assert.deepEqual(await apply(), { 'contact-removed': 1, 'passkey-removed': 1 })
      assert.deepEqual([await count('contact'), await count('passkey')], [1, 1])
      later(1827)
      assert.deepEqual(await apply(), { 'legal-hold': 1 })
    })

    test('requests and uses of proxies go by their terms; a use of a power that is in force stays', async () => {
      const party = async () => {
        const id = randomUUID()
        await db.execute(`INSERT INTO proxy_party (id, kind, document, name, standing, standing_at, created_at) VALUES ($1, 'company', $3, 'Empresa', 'regular', $2, $2)`, [id, clock.now(), id])
        return id
      }
      const [represented, delegate] = [await party(), await party()]
      const mandate = async (endedAt: Date | null) => {
        const id = randomUUID()
        await db.execute(
          `INSERT INTO mandate (id, kind, state, represented_id, grantor_id, delegate_id, root_id, path, sub_depth, valid_from, effective_at, signatures, origin, origin_sealed, created_at, ended_at)
           VALUES ($1, 'simples', 'active', $2, $2, $3, $1, ARRAY[$1::uuid], 0, $4::date, $4, 1, 'local', '\\x01', $4, $5)`,
          [id, represented, delegate, clock.now(), endedAt],
        )
        await db.execute(`INSERT INTO mandate_use (mandate_id, represented_id, actor_id, client_id, at, official_sealed) VALUES ($1, $2, $3, 'x', $4, '\\x01')`, [id, represented, delegate, clock.now()])
        return id
      }
      const [live, over] = [await mandate(null), await mandate(clock.now())]
      for (const state of ['asked', 'refused'])
        await db.execute(
          `INSERT INTO proxy_request (id, state, represented_id, delegate_id, powers, valid_through, created_at, decide_by, decided_at) VALUES ($1, $2, $3, $4, '[]', $5::date, $5, $5, $6)`,
          [randomUUID(), state, represented, delegate, clock.now(), state === 'asked' ? null : clock.now()],
        )
      later(366)
      assert.deepEqual(await apply(), { 'proxy-request': 1 })
      later(1827)
      assert.deepEqual(await apply(), { 'mandate-use': 1, 'mandate-use-official': 1, 'mandate-origin': 1 })
      assert.equal(await count('mandate_use WHERE mandate_id = $1 AND official_sealed IS NULL', [live]), 1)
      assert.equal(await count('mandate WHERE id = $1 AND origin_sealed IS NULL', [over]), 1)
    })

    test('a legal hold on whoever acted, or gave or has the power, keeps requests, uses and origins as one on whom it is over does', async () => {
      const party = async (cpf: string) => {
        const id = randomUUID()
        await db.execute(`INSERT INTO proxy_party (id, kind, document, name, standing, standing_at, created_at) VALUES ($1, 'person', $3, 'Pessoa', 'regular', $2, $2)`, [id, clock.now(), cpf])
        return id
      }
      const [owner, giver, actor] = [await addAccount(db), await addAccount(db), await addAccount(db)]
      const people = await db.query<{ id: string; cpf: string }>('SELECT p.id, p.cpf FROM person p JOIN account a ON a.person_id = p.id WHERE a.id = ANY ($1::uuid[]) ORDER BY array_position($1::uuid[], a.id)', [[owner, giver, actor]])
      const [over, gave, has] = [await party(people[0]?.cpf ?? ''), await party(people[1]?.cpf ?? ''), await party(people[2]?.cpf ?? '')]
      const mandate = randomUUID()
      await db.execute(
        `INSERT INTO mandate (id, kind, state, represented_id, grantor_id, delegate_id, root_id, path, sub_depth, valid_from, effective_at, signatures, origin, origin_sealed, created_at, ended_at)
         VALUES ($1, 'simples', 'active', $2, $3, $4, $1, ARRAY[$1::uuid], 0, $5::date, $5, 1, 'local', '\\x01', $5, $5)`,
        [mandate, over, gave, has, clock.now()],
      )
      await db.execute(`INSERT INTO mandate_use (mandate_id, represented_id, actor_id, client_id, at, official_sealed) VALUES ($1, $2, $3, 'x', $4, '\\x01')`, [mandate, over, has, clock.now()])
      await db.execute(
        `INSERT INTO proxy_request (id, state, represented_id, delegate_id, powers, valid_through, created_at, decide_by, decided_at) VALUES ($1, 'refused', $2, $3, '[]', $4::date, $4, $4, $4)`,
        [randomUUID(), over, has, clock.now()],
      )
      later(1828)
      for (const [index, left] of [[0, {}], [2, {}], [1, { 'proxy-request': 1 }]] as const) {
        const id = randomUUID()
        await hold(people[index]?.id ?? '', id)
        assert.deepEqual(await apply(), left, `held: ${index}`)
        await db.execute('DELETE FROM image_hold WHERE id = $1', [id])
      }
      assert.deepEqual(await apply(), { 'mandate-use': 1, 'mandate-origin': 1 })
    })

    test('of capture points the lists that name people go, and signs of life only after their statement; journal and statements stay', async () => {
      const [point, process, now] = [randomUUID(), randomUUID(), clock.now()]
      await db.execute(
        `INSERT INTO capture_point (id, code, unit_code, title, device, maintainer, contract, client_id, vouched, state, created_at, changed_at) VALUES ($1, $3, 'u', 't', 'd', 'm', 'c', 'x', true, 'active', $2, $2)`,
        [point, now, point],
      )
      await db.execute(`INSERT INTO capture_batch (id, point_id, sequence, digest, manifest, key_id, clock, signed_at, received_at) VALUES ($1, $2, 1, '\\x01', '\\x02', 'k', 'fits', $3, $3)`, [randomUUID(), point, now])
      const [held, holdId] = [randomUUID(), randomUUID()]
      const [{ person_id: personId } = assert.fail()] = await db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [account])
      await hold(personId, holdId)
      await db.execute(`INSERT INTO capture_batch (id, point_id, sequence, digest, manifest, key_id, clock, signed_at, received_at) VALUES ($1, $2, 2, '\\x01', '\\x02', 'k', 'fits', $3, $3)`, [held, point, now])
      await db.execute(
        `INSERT INTO capture_process (id, point_id, client_id, person_id, batch_id, request_key, request_hash, purpose, legal_basis, operator, device, clock, state, captured_at, received_at, expires_at)
         VALUES ($1, $2, 'x', $3, $4, 'r', '\\x01', 'p', 'b', 'o', 'd', 'fits', 'captured', $5, $5, $5)`,
        [randomUUID(), point, personId, held, now],
      )
      await db.execute(`INSERT INTO metering_journal (process_id, point_id, contract, month, offline, counted_at) VALUES ($1, $2, 'c', '2030-01', false, $3)`, [process, point, now])
      const month = (at: Date) => new Date(at.getTime() - 4 * 3_600_000).toISOString().slice(0, 7)
      const next = new Date(now.getTime() + 40 * DAY_MS)
      for (const slot of [now, next]) await db.execute('INSERT INTO metering_heart_beat (point_id, slot, ready) VALUES ($1, $2, true)', [point, slot])
      await db.execute(`INSERT INTO metering_statement (contract, month, body, closed_by, closed_at) VALUES ('c', $1, '{}', 'op', $2)`, [month(now), next])
      const metering = createMetering({ db, clock, audit })
      const before = [await metering.verify(), await count('metering_journal'), await count('metering_statement')]
      later(800)
      assert.deepEqual(await apply(), { 'capture-manifest': 1, 'heart-beat': 1 })
      assert.equal(await count('capture_batch WHERE id = $1 AND manifest IS NOT NULL', [held]), 1, 'it names somebody who is under a hold')
      await db.execute('DELETE FROM image_hold WHERE id = $1', [holdId])
      assert.deepEqual(await apply(), { 'capture-manifest': 1 })
      assert.equal(await count('metering_heart_beat WHERE slot = $1', [next]), 1, 'its month is not closed')
      assert.equal(await count('capture_batch WHERE point_id = $1 AND manifest IS NULL AND digest IS NOT NULL', [point]), 2)
      assert.deepEqual([await metering.verify(), await count('metering_journal'), await count('metering_statement')], before)
    })

    test('every batch is a line of the audit record with a name and a number and nothing else, and the record is sound', async () => {
      const rows = await db.query<{ type: string; subject_id: string | null; data: { term: string; rows: number } }>(`SELECT type, subject_id, data FROM audit_event ORDER BY id`)
      assert.ok(rows.length >= 8)
      for (const { type, subject_id: subject, data } of rows) {
        assert.deepEqual([type, subject, Object.keys(data).sort()], ['admin/retention-applied', null, ['days', 'ending', 'rows', 'term']])
      }
      await audit.seal()
      assert.equal((await audit.verify()).ok, true)
    })
  })
}
