import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Account, RegistrationStart } from '../../src/accounts/index.ts'
import { testDatabases } from '../support/database.ts'
import { addPerson, counter, CPF, cpfNumber, FORM, GOOD_PASSWORD, openRoom, parallel, registerCitizen, type Room, strangers } from './support/room.ts'

for (const database of testDatabases()) {
  describe(`registration on ${database.label}`, () => {
    let room: Room
    let failing = false
    let making: () => Promise<void> = async () => {}
    const created: string[] = []
    before(async () => {
      room = await openRoom(database, {
        ports: {
          accountCreated: async (_tx, account: Account) => {
            if (failing) throw new Error('a later room failed')
            await making()
            created.push(account.id)
          },
        },
      })
    })
    after(() => room.close())

    const next = counter()
    const elsewhere = strangers(65)
    const newCpf = () => {
      const cpf = cpfNumber(500 + next())
      addPerson(room, cpf)
      return cpf
    }
    const start = (more: Partial<typeof FORM>, facts = elsewhere()): Promise<RegistrationStart> =>
      room.accounts.registration.start({ form: { ...FORM, ...more }, locale: 'pt-BR', binding: 'browser', facts })
    async function started(more: Partial<typeof FORM>): Promise<{ id: string; code: string; link: string }> {
      const result = await start(more)
      assert.ok(result.kind === 'started', JSON.stringify(result))
      const [mail] = (await room.sent(more.email)).filter(({ purpose }) => purpose === 'registration-code').slice(-1)
      return { id: result.id, code: mail?.code ?? '', link: mail?.link ?? '' }
    }
    const count = async (table: 'person' | 'account' | 'contact') => (await room.db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n
    const confirm = (id: string, code: string, binding = 'browser') => room.accounts.registration.confirm({ id, binding, code })

    test('nothing is in the tables before the code; all of it after', async () => {
      const cpf = newCpf()
      const before = await count('person')
      const { id, code } = await started({ cpf, email: 'a1@example.org' })
      assert.equal(await count('person'), before)
      const result = await confirm(id, code)
      assert.ok(result.kind === 'confirmed' && result.sameBrowser)
      const citizen = result.account.citizen.reveal()
      assert.deepEqual([citizen.cpf, citizen.email, citizen.name, citizen.birthDate], [cpf, 'a1@example.org', 'Maria Aparecida da Silva', '1985-03-12'])
      assert.ok(created.includes(result.account.id))
      assert.equal((await room.sent('a1@example.org')).at(-1)?.purpose, 'welcome')
      assert.equal((await room.events('accounts/registered')).at(-1)?.subject_id, result.account.id)
      assert.equal((await room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b' })).kind, 'signed-in')
    })

    test('the account takes the register’s spelling and the social name', async () => {
      const cpf = newCpf()
      addPerson(room, cpf, { name: 'Lucas Gabriel de Oliveira', socialName: 'Luana de Oliveira' })
      const { id, code } = await started({ cpf, name: 'LUANA OLIVEIRA', email: 'luana@example.org' })
      const result = await confirm(id, code)
      assert.ok(result.kind === 'confirmed')
      assert.deepEqual([result.account.citizen.reveal().name, result.account.citizen.reveal().socialName], ['Lucas Gabriel de Oliveira', 'Luana de Oliveira'])
      assert.match((await room.sent('luana@example.org'))[0]?.text ?? '', /^Olá, Luana\./)
    })

    test('every wrong field is named at once', async () => {
      const result = await start({ cpf: '529.982.247-24', name: 'Maria', birthDate: '31/02/1985', email: 'maria@' })
      assert.ok(result.kind === 'invalid')
      assert.deepEqual(result.faults.map(({ field }) => field).sort(), ['birthDate', 'cpf', 'email', 'name'])
    })

    test('a weak password is named, and one made of the citizen’s own data', async () => {
      for (const [password, code] of [['curta', 'too-short'], ['mariaaparecida', 'personal'], ['12345678', 'common']] as const) {
        assert.deepEqual(await start({ cpf: newCpf(), password }), { kind: 'invalid', faults: [{ field: 'password', code }] })
      }
    })

    test('data that are not one person’s, and unknown CPFs, get one answer', async () => {
      const cpf = newCpf()
      assert.deepEqual(await start({ cpf, name: 'Outra Pessoa' }), { kind: 'mismatch' })
      assert.deepEqual(await start({ cpf, birthDate: '13/03/1985' }), { kind: 'mismatch' })
      assert.deepEqual(await start({ cpf: cpfNumber(77_777) }), { kind: 'mismatch' })
    })

    test('the dead and the cancelled do not register', async () => {
      for (const situation of ['deceased', 'cancelled', 'suspended', 'void', 'pending'] as const) {
        const cpf = newCpf()
        addPerson(room, cpf, { situation })
        assert.deepEqual(await start({ cpf }), { kind: 'irregular' })
      }
    })

    test('a CPF that has an account gets the same page, no code, and its owner a notice (checklist 6)', async () => {
      const cpf = newCpf()
      const owner = await registerCitizen(room, cpf)
      const fresh = await start({ cpf: newCpf(), email: 'fresh@example.org' })
      const again = await start({ cpf, email: 'intruder@example.org' })
      assert.deepEqual(Object.keys(again), Object.keys(fresh))
      assert.ok(again.kind === 'started' && fresh.kind === 'started')
      assert.deepEqual(await room.sent('intruder@example.org'), [])
      assert.equal((await room.sent(`c${cpf}@example.org`)).at(-1)?.purpose, 'registration-repeated')
      const wrong = { kind: 'wrong', attemptsLeft: 9 }
      assert.deepEqual(await confirm(again.id, '123456'), wrong)
      const { code } = (await room.sent('fresh@example.org'))[0] ?? { code: '' }
      assert.deepEqual(await confirm(fresh.id, code === '123456' ? '123457' : '123456'), wrong)
      assert.deepEqual(await room.accounts.registration.resend({ id: again.id, binding: 'browser' }), { kind: 'sent' })
      assert.deepEqual(await room.sent('intruder@example.org'), [])
      assert.equal((await room.accounts.get(owner.id)).citizen.reveal().email, `c${cpf}@example.org`)
    })

    test('the code is bound to the browser, the link is not but does not sign in', async () => {
      const { id, code, link } = await started({ cpf: newCpf(), email: 'link@example.org' })
      assert.equal((await confirm(id, code, 'another')).kind, 'gone')
      room.clock.advance(3_600_000)
      assert.equal((await confirm(id, code)).kind, 'gone', 'the code lived ten minutes')
      const result = await room.accounts.registration.confirmByLink({ link })
      assert.ok(result.kind === 'confirmed')
      assert.equal(result.sameBrowser, false)
      assert.equal((await room.accounts.registration.confirmByLink({ link })).kind, 'gone')
    })

    test('a link is dead after 24 hours (checklist 16)', async () => {
      const { link } = await started({ cpf: newCpf(), email: 'late@example.org' })
      room.clock.advance(86_400_001)
      assert.equal((await room.accounts.registration.confirmByLink({ link })).kind, 'gone')
    })

    test('of twenty confirmations at once exactly one makes the account', async () => {
      const cpf = newCpf()
      const { id, code, link } = await started({ cpf, email: 'race@example.org' })
      const results = await parallel(20, (index) => (index % 2 === 0 ? confirm(id, code) : room.accounts.registration.confirmByLink({ link })))
      assert.equal(results.filter(({ kind }) => kind === 'confirmed').length, 1)
      assert.equal((await room.sent('race@example.org')).filter(({ purpose }) => purpose === 'welcome').length, 1)
    })

    test('of twenty registrations of one CPF exactly one makes the account', async () => {
      const cpf = newCpf()
      const pending: { link: string }[] = []
      for (let index = 0; index < 20; index += 1) pending.push(await started({ cpf, email: `twin${index}@example.org` }))
      const results = await parallel(20, (index) => room.accounts.registration.confirmByLink({ link: pending[index]?.link ?? '' }))
      assert.equal(results.filter(({ kind }) => kind === 'confirmed').length, 1)
      assert.equal(results.filter(({ kind }) => kind === 'gone').length, 19)
      const rows = await room.db.query('SELECT 1 FROM account a JOIN person p ON p.id = a.person_id WHERE p.cpf = $1', [cpf])
      assert.equal(rows.length, 1)
    })

    test('who registers while the same CPF becomes an account is told the same as who comes later', { skip: database.label === 'PGlite' && 'has one connection' }, async () => {
      const cpf = newCpf()
      const [first, second] = [await started({ cpf, email: 'earlier@example.org' }), await started({ cpf, email: 'later@example.org' })]
      const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      making = async () => {
        making = async () => {}
        reached.resolve()
        await go.promise
      }
      const earlier = confirm(first.id, first.code)
      await reached.promise
      // Whoever asks for the record from here on waits until the first account is there: its rows were not there when they looked.
      const barrier = room.db.transaction((tx) => tx.execute('LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE'))
      await waiting(1)
      const later = confirm(second.id, second.code)
      await waiting(2)
      go.resolve()
      const [one, other] = await Promise.all([earlier, later, barrier])
      assert.deepEqual([one.kind, other.kind], ['confirmed', 'gone'])
    })

    async function waiting(statements: number): Promise<void> {
      for (;;) {
        const [row] = await room.db.query<{ n: number }>(
          'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())')
        if ((row?.n ?? 0) >= statements) return
        await setTimeout(10)
      }
    }

    test('a failure in the middle leaves nothing half-done, and the same code completes later', async () => {
      const cpf = newCpf()
      const { id, code } = await started({ cpf, email: 'failing@example.org' })
      const before = [await count('person'), await count('account'), await count('contact')]
      failing = true
      await assert.rejects(confirm(id, code))
      failing = false
      assert.deepEqual([await count('person'), await count('account'), await count('contact')], before)
      assert.equal((await room.sent('failing@example.org')).filter(({ purpose }) => purpose === 'welcome').length, 0)
      assert.equal((await confirm(id, code)).kind, 'confirmed')
    })

    test('codes are sent five times in ten minutes, then not for a while', async () => {
      const { id } = await started({ cpf: newCpf(), email: 'again@example.org' })
      const kinds: string[] = []
      for (let index = 0; index < 6; index += 1) kinds.push((await room.accounts.registration.resend({ id, binding: 'browser' })).kind)
      assert.deepEqual(kinds, ['sent', 'sent', 'sent', 'sent', 'wait', 'wait'])
      const mails = await room.sent('again@example.org')
      assert.equal(mails.length, 5)
      assert.equal((await confirm(id, mails.at(-1)?.code ?? '')).kind, 'confirmed')
    })

    test('new codes do not buy new guesses at one address for ever', async () => {
      const { id } = await started({ cpf: newCpf(), email: 'guess@example.org' })
      const kinds: string[] = []
      for (let index = 0; index < 14; index += 1) {
        if (index % 5 === 4) await room.accounts.registration.resend({ id, binding: 'browser' })
        kinds.push((await confirm(id, 'xxxxxx')).kind)
      }
      assert.deepEqual([kinds.filter((kind) => kind === 'wrong').length, kinds.at(-1)], [10, 'wait'])
    })

    test('nobody guesses a birth date: ten tries at a CPF, then a wait that grows', async () => {
      const cpf = newCpf()
      const kinds: string[] = []
      for (let day = 10; day < 22; day += 1) kinds.push((await start({ cpf, birthDate: `${day}/04/1985` })).kind)
      assert.deepEqual([kinds.filter((kind) => kind === 'mismatch').length, kinds.at(-1)], [10, 'wait'])
    })

    test('weak passwords and typing errors do not use up the mails', async () => {
      const cpf = newCpf()
      for (let index = 0; index < 8; index += 1) assert.equal((await start({ cpf, email: 'patient@example.org', password: 'curta' })).kind, 'invalid')
      assert.equal((await start({ cpf, email: 'patient@example.org' })).kind, 'started')
    })

    test('one address starts sixty registrations an hour', async () => {
      const facts = elsewhere()
      const kinds: string[] = []
      for (let index = 0; index < 62; index += 1) kinds.push((await start({ cpf: cpfNumber(60_000 + index), email: `n${index}@example.org` }, facts)).kind)
      assert.deepEqual([kinds.filter((kind) => kind === 'mismatch').length, kinds.filter((kind) => kind === 'wait').length], [60, 2])
    })

    test('a sealed registration shows nothing of the person', async () => {
      const { id } = await started({ cpf: newCpf(), email: 'sealed@example.org' })
      const [row] = await room.db.query<{ sealed: Buffer }>('SELECT sealed FROM one_time_token WHERE id = $1', [id])
      assert.ok(row)
      for (const text of ['Maria', 'sealed@example.org', 'argon2id', CPF]) assert.equal(row.sealed.includes(text), false)
    })
  })
}
