/** Puts the bench's people and relying parties into the database of the environment. Run as a child process, before the server. */
import { randomUUID } from 'node:crypto'
import { hashPassword } from '../../src/accounts/password/argon2id.ts'
import { type App, startApp } from '../../src/app.ts'
import { loadConfig } from '../../src/platform/config.ts'
import { costFor } from './free-hash.ts'
import { cpfOf, emailOf, MACHINE, PASSWORD, PEOPLE, PORTAL } from './setting.ts'

async function addClients({ oidc }: App): Promise<void> {
  const actor = { kind: 'system' } as const
  const signing = { id_token_signed_response_alg: 'ES256' } as const
  const portal = { ...signing, client_name: 'Portal', redirect_uris: [PORTAL.redirectUri] }
  const machine = { ...signing, client_name: 'Robô', grant_types: ['client_credentials' as const], response_types: [] }
  await oidc.clients.create({ id: PORTAL.id, secret: PORTAL.secret, metadata: portal, actor })
  await oidc.clients.create({ id: MACHINE.id, secret: MACHINE.secret, metadata: machine, actor })
}

async function addPerson({ foundation: { db }, rooms }: App, person: number, passwordHash: string): Promise<void> {
  const [personId, accountId] = [randomUUID(), randomUUID()]
  const now = new Date()
  const name = `Pessoa ${person}`
  await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5)', [personId, cpfOf(person), name, '1990-01-01', now])
  const account = 'INSERT INTO account (id, person_id, status, password_hash, password_changed_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)'
  await db.execute(account, [accountId, personId, 'active', passwordHash, now])
  const contact = 'INSERT INTO contact (id, account_id, kind, value, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)'
  await db.execute(contact, [randomUUID(), accountId, 'email', emailOf(person), now])
  await db.transaction((tx) => rooms.assurance.add(tx, { method: 'registration', personId, accountId, source: 'base-register', actor: { kind: 'citizen', id: accountId } }))
}

const config = loadConfig()
const app = await startApp({ config, accounts: costFor(process.env['BENCH_HASH']) })
const passwordHash = hashPassword(PASSWORD, app.rooms.settings.password.cost)
await addClients(app)
for (let person = 0; person < PEOPLE; person += 1) await addPerson(app, person, passwordHash)
await app.stop()
