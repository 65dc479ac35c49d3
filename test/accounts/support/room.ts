import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  type Account, type Accounts, type AccountsPorts, type AccountsSettings, accountsEvents, type BaseRecord, type BaseRegister, createAccounts,
  DEFAULT_SETTINGS, type EndedSessions, type Facts, parseBirthDate, parseCpf,
} from '../../../src/accounts/index.ts'
import { createAudit } from '../../../src/audit/index.ts'
import type { Database } from '../../../src/platform/db.ts'
import { loadMessages } from '../../../src/platform/http/messages.ts'
import { type Keyring, openKeyring } from '../../../src/platform/keyring.ts'
import { silentLog } from '../../../src/platform/log.ts'
import type { Message, Outbox } from '../../../src/platform/outbox.ts'
import { Sensitive } from '../../../src/platform/sensitive.ts'
import { type FixedClock, fixedClock } from '../../support/clock.ts'
import type { TestDatabase } from '../../support/database.ts'

export const GOOD_PASSWORD = 'boi-tuiuiu-pantanal-7'
/** A tenth of a millisecond a hash: what is tested is not the hash. */
export const CHEAP = { memoryKib: 64, passes: 1, parallelism: 1 }

const TRANSLATIONS = loadMessages({ folder: fileURLToPath(new URL('../../../views/messages', import.meta.url)), strict: true })

export interface Room {
  readonly accounts: Accounts
  readonly db: Database
  readonly keyring: Keyring
  readonly clock: FixedClock
  /** Messages whose transaction committed or not; `sent()` is what a citizen would get. */
  sent(to?: string): Promise<SentMessage[]>
  readonly ended: EndedSessions[]
  readonly register: Map<string, BaseRecord>
  events(type?: string): Promise<{ type: string; subject_id: string | null; data: Record<string, unknown> }[]>
  close(): Promise<void>
}

export interface SentMessage extends Message {
  readonly code: string
  readonly link: string
}

export interface RoomOptions {
  readonly settings?: Partial<AccountsSettings>
  readonly ports?: Partial<AccountsPorts>
}

/** The whole room over a database of its own; time stands still until told otherwise. */
export async function openRoom(database: TestDatabase, options: RoomOptions = {}): Promise<Room> {
  const db = await database.open()
  const clock = fixedClock()
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [accountsEvents] } })
  const ended: EndedSessions[] = []
  const register = new Map<string, BaseRecord>()
  const base: BaseRegister = { find: async (cpf) => register.get(cpf) }
  const ports: AccountsPorts = {
    outbox: tableOutbox(), translations: TRANSLATIONS, register: base,
    endOidcSessions: async (_tx, which) => void ended.push(which),
    accountCreated: async () => {},
    verifyFace: async ({ proof }) => proof === 'right face',
    ...options.ports,
  }
  const settings: AccountsSettings = {
    ...DEFAULT_SETTINGS, publicUrl: 'http://localhost:3000',
    password: { ...DEFAULT_SETTINGS.password, cost: CHEAP }, ...options.settings,
  }
  const accounts = createAccounts({ platform: { db, clock, keyring }, audit, ports, settings })
  return {
    accounts, db, keyring, clock, ended, register,
    sent: (to) => sentMessages(db, to),
    events: (type) => db.query('SELECT type, subject_id, data FROM audit_event WHERE $1::text IS NULL OR type = $1 ORDER BY id', [type ?? null]),
    async close() {
      await accounts.close()
      await keyring.close()
      await db.close()
    },
  }
}

/** An outbox that keeps messages readable in its own table, so that a roll-back takes them back like the real one's. */
function tableOutbox(): Outbox {
  return {
    canSend: () => true,
    send: async (tx, message) => {
      await tx.execute(
        `INSERT INTO outbox_message (id, channel, sealed, purpose, created_at) VALUES (gen_random_uuid(), $1, $2, $3, clock_timestamp())`,
        [message.channel, Buffer.from(JSON.stringify(message)), message.purpose],
      )
    },
  }
}

async function sentMessages(db: Database, to?: string): Promise<SentMessage[]> {
  const rows = await db.query<{ sealed: Buffer }>('SELECT sealed FROM outbox_message ORDER BY created_at, id')
  const messages = rows.map(({ sealed }): Message => JSON.parse(sealed.toString('utf8')))
  return messages
    .filter((message) => to === undefined || message.to === to)
    .map((message) => ({ ...message, code: /\b\d{6}\b/.exec(message.text)?.[0] ?? '', link: /\?t=([\w-]+)/.exec(message.text)?.[1] ?? '' }))
}

export const CPF = '52998224725'
export const FACTS: Facts = {
  ip: '200.17.60.1', userAgent: 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36', deviceCookie: undefined,
}

/** Valid CPFs, as many as wanted. */
export function cpfNumber(index: number): string {
  const nine = String(100_000_000 + index * 7919).slice(0, 9)
  const digit = (digits: string) => {
    const sum = [...digits].reduce((total, value, at) => total + Number(value) * (digits.length + 1 - at), 0)
    const rest = (sum * 10) % 11
    return String(rest === 10 ? 0 : rest)
  }
  const first = digit(nine)
  return nine + first + digit(nine + first)
}

/** Puts a person into the base register. */
export function addPerson(room: Room, cpf = CPF, more: Partial<BaseRecord> = {}): BaseRecord {
  const parsed = parseCpf(cpf)
  const birthDate = parseBirthDate('1985-03-12', room.clock.now())
  if (parsed === undefined || birthDate === undefined) throw new Error(`not a CPF: ${cpf}`)
  const record: BaseRecord = { cpf: parsed, name: 'Maria Aparecida da Silva', birthDate, situation: 'regular', ...more }
  room.register.set(parsed, record)
  return record
}

export const FORM = { cpf: CPF, name: 'Maria Aparecida da Silva', birthDate: '12/03/1985', email: 'maria@example.org', password: GOOD_PASSWORD }

/** Registers a citizen from the form to the confirmed account. */
export async function registerCitizen(room: Room, cpf = CPF, email = `c${cpf}@example.org`): Promise<Account> {
  addPerson(room, cpf)
  const facts = { ...FACTS, ip: `10.${Number(cpf.slice(0, 3)) % 256}.${Number(cpf.slice(3, 6)) % 256}.${Number(cpf.slice(6, 9)) % 256}` }
  const started = await room.accounts.registration.start({ form: { ...FORM, cpf, email }, locale: 'pt-BR', binding: 'browser', facts })
  if (started.kind !== 'started') throw new Error(`registration: ${JSON.stringify(started)}`)
  const [mail] = await room.sent(email)
  const confirmed = await room.accounts.registration.confirm({ id: started.id, binding: 'browser', code: mail?.code ?? '' })
  if (confirmed.kind !== 'confirmed') throw new Error(`confirmation: ${confirmed.kind}`)
  return confirmed.account
}

/** Runs the same thing many times at once and returns the results. */
export function parallel<T>(times: number, run: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => run(index)))
}

/** Counts 1, 2, 3… */
export function counter(): () => number {
  let last = 0
  return () => {
    last += 1
    return last
  }
}

/** Requests each from an address that nobody has used. */
export function strangers(network: number): () => Facts {
  const next = counter()
  return () => {
    const number = next()
    return { ...FACTS, ip: `100.${network}.${number >> 8}.${number & 255}` }
  }
}
