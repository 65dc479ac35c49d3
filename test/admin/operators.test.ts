import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Cpf } from '../../src/accounts/identity/cpf.ts'
import { adminEvents } from '../../src/admin/events.ts'
import { createOperators } from '../../src/admin/operators.ts'
import { ADMIN_PROBLEMS } from '../../src/admin/problems.ts'
import { createVault } from '../../src/admin/vault.ts'
import { createAudit } from '../../src/audit/index.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Database } from '../../src/platform/db.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { createLog } from '../../src/platform/log.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { testDatabases } from '../support/database.ts'

const CPF = '52998224725' as Cpf
const ACTOR = 'cli:maria'

async function setUp(db: Database) {
  const key = (byte: number) => new Sensitive(Buffer.alloc(32, byte))
  const open = (byte: number) => openKeyring({ db, clock: systemClock, masterKey: key(byte), dataDir: 'memory' })
  const keyring = await open(1)
  const audit = createAudit({ db, clock: systemClock, keyring, log: createLog({ level: 'silent' }), settings: { catalogs: [adminEvents] } })
  return { key, open, keyring, audit, operators: createOperators({ db, audit, actorId: ACTOR }), vault: createVault({ db, audit, keyring, actorId: ACTOR }) }
}

async function addAccount(db: Database, cpf: string, status = 'active'): Promise<string> {
  const [personId, accountId] = [randomUUID(), randomUUID()]
  await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, now())', [personId, cpf, 'Fulana', '1990-01-01'])
  await db.execute('INSERT INTO account (id, person_id, status, created_at) VALUES ($1, $2, $3, now())', [accountId, personId, status])
  return accountId
}

async function addSecondFactor(db: Database, accountId: string): Promise<void> {
  const values = [randomUUID(), accountId, Buffer.alloc(4)]
  await db.execute('INSERT INTO totp_factor (id, account_id, secret, created_at, confirmed_at) VALUES ($1, $2, $3, now(), now())', values)
}

for (const { label, open } of testDatabases()) {
  describe(`operators on ${label}`, () => {
    test('a role is given, added to, listed and taken; each change stands in the person’s ledger with who did it', async () => {
      const db = await open()
      const { operators, audit, keyring } = await setUp(db)
      const accountId = await addAccount(db, CPF)
      await addSecondFactor(db, accountId)
      await addAccount(db, '11144477735')
      assert.deepEqual(await operators.list(), [])
      await operators.grant(CPF, ['auditor'])
      await operators.grant(CPF, ['admin', 'auditor'])
      assert.deepEqual(await operators.list(), [{ accountId, roles: ['admin', 'auditor'], hasSecondFactor: true }])
      await operators.revoke(CPF)
      assert.deepEqual(await operators.list(), [])
      const ledger = await audit.ledger(accountId, { limit: 10 })
      assert.deepEqual(ledger.map(({ actor, data }) => [actor, data['after']]), [
        [{ kind: 'operator', id: ACTOR }, []],
        [{ kind: 'operator', id: ACTOR }, ['admin', 'auditor']],
        [{ kind: 'operator', id: ACTOR }, ['auditor']],
      ])
      await keyring.close()
      await db.close()
    })

    test('nobody without an active account gets a role, and nothing is recorded', async () => {
      const db = await open()
      const { operators, keyring } = await setUp(db)
      await addAccount(db, CPF, 'suspended')
      for (const cpf of [CPF, '11144477735' as Cpf]) {
        await assert.rejects(operators.grant(cpf, ['admin']), (error) => isProblem(error, ADMIN_PROBLEMS.accountUnknown))
      }
      assert.deepEqual(await db.query('SELECT 1 FROM audit_event'), [])
      await keyring.close()
      await db.close()
    })

    test('no role without a second factor, confirmed and not removed: nothing is given and nothing recorded', async () => {
      const db = await open()
      const { operators, keyring } = await setUp(db)
      const accountId = await addAccount(db, CPF)
      const refused = (error: unknown) => isProblem(error, ADMIN_PROBLEMS.secondFactorMissing)
      await assert.rejects(operators.grant(CPF, ['operator']), refused)
      await addSecondFactor(db, accountId)
      await db.execute('UPDATE totp_factor SET removed_at = now()')
      await assert.rejects(operators.grant(CPF, ['operator']), refused)
      assert.deepEqual(await operators.list(), [])
      assert.deepEqual(await db.query('SELECT 1 FROM audit_event'), [])
      await db.execute('UPDATE totp_factor SET removed_at = NULL')
      assert.deepEqual((await operators.grant(CPF, ['operator'])).roles, ['operator'])
      await db.execute('UPDATE totp_factor SET removed_at = now()')
      assert.equal((await operators.list())[0]?.hasSecondFactor, false)
      await keyring.close()
      await db.close()
    })

    test('after the master key is changed only the new one opens what was sealed, and the change is recorded', async () => {
      const db = await open()
      const { vault, keyring, key, open: openWith } = await setUp(db)
      const sealed = keyring.seal('segredo', 'teste')
      const count = await vault.changeMasterKey(key(2))
      assert.ok(count >= 2)
      await keyring.close()
      await assert.rejects(openWith(1), /master/i)
      const after = await openWith(2)
      assert.equal(after.open(sealed, 'teste').toString(), 'segredo')
      await after.close()
      const [event] = await db.query<{ type: string; actor_id: string; data: object }>('SELECT type, actor_id, data FROM audit_event')
      assert.deepEqual(event, { type: 'admin/master-key-changed', actor_id: ACTOR, data: { keys: count } })
      await db.close()
    })

    test('a new seal key is recorded by its id', async () => {
      const db = await open()
      const { vault, keyring } = await setUp(db)
      const keyId = await vault.rotate()
      const [event] = await db.query<{ type: string; data: object }>('SELECT type, data FROM audit_event')
      assert.deepEqual(event, { type: 'admin/seal-key-rotated', data: { keyId } })
      await keyring.close()
      await db.close()
    })
  })
}
