/** The room over a real database, with people who have accounts, levels and fresh sessions, and registers that a test can change. */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type BaseRecord, type Cpf, parseBirthDate, parseCpf } from '../../../src/accounts/index.ts'
import { assuranceEvents, createAssurance, type Level } from '../../../src/assurance/index.ts'
import { type Audit, createAudit } from '../../../src/audit/index.ts'
import type { Database } from '../../../src/platform/db.ts'
import { type Keyring, openKeyring } from '../../../src/platform/keyring.ts'
import { loadMessages } from '../../../src/platform/http/messages.ts'
import { Sensitive } from '../../../src/platform/sensitive.ts'
import { silentLog } from '../../../src/platform/log.ts'
import {
  type Acting, type CompanyRecord, createProxies, type Day, dayOf, type GrantTerms, type Mandate, type MandateId, type Power, type Proxies, type ProxyNotice,
  proxiesEvents, type PartyRef, rootOf,
} from '../../../src/proxies/index.ts'
import { addDays } from '../../../src/proxies/mandate/day.ts'
import { type FixedClock, fixedClock } from '../../support/clock.ts'

export const SYSTEM = { kind: 'system' } as const
const MESSAGES = fileURLToPath(new URL('../../../views/messages', import.meta.url))
/** For scenes that two processes open. */
export const SHARED_KEY = new Sensitive(Buffer.alloc(32, 7))
export const START = '2026-11-22T12:00:00Z'

export interface Person {
  readonly cpf: Cpf
  readonly name: string
  readonly ref: PartyRef
  readonly personId: string
  readonly accountId: string
  readonly by: Acting
}

export interface Told {
  readonly accountId: string
  readonly notice: ProxyNotice
  readonly everywhere: boolean
}

export interface ProxyScene {
  readonly db: Database
  readonly clock: FixedClock
  readonly audit: Audit
  readonly keyring: Keyring
  readonly proxies: Proxies
  /** Everything told so far. */
  readonly told: readonly Told[]
  /** Mandates whose tokens were ended. */
  readonly ended: readonly MandateId[]
  /** The base register; change an entry to make somebody die. */
  readonly register: Map<Cpf, BaseRecord>
  readonly companies: CompanyRecord[]
  /** The company register answers nobody, or answers again. */
  registerDown(down: boolean): void
  /** Somebody with an account, a level and a session that has just been proved twice. */
  addPerson(about?: { level?: Level; birthDate?: string; name?: string; cpf?: Cpf | undefined }): Promise<Person>
  addCompany(administrators: readonly Person[], about?: { quorum?: number; cnpj?: string; name?: string; establishments?: CompanyRecord['establishments'] }): CompanyRecord
  /** Another session of a person. */
  addSession(person: Person, about: { aal?: 1 | 2; at?: Date; faceAt?: Date }): Promise<Acting>
  /** A published role. */
  addRole(code: string, change?: Record<string, unknown>, namespace?: string): Promise<Power>
  /** Terms for one or more people, for a month. */
  terms(to: Person | readonly Person[], powers: Power | readonly Power[], change?: Partial<GrantTerms>): GrantTerms
  /** Granted and accepted. */
  active(from: Person, to: Person, powers: Power | readonly Power[], change?: Partial<GrantTerms>): Promise<Mandate>
  readonly today: Day
  close(): Promise<void>
}

/** CPFs whose digits hold, one after the other. */
export function cpfOf(number: number): Cpf {
  const nine = String(100_000_000 + number)
  for (let rest = 0; rest < 100; rest += 1) {
    const cpf = parseCpf(nine + String(rest).padStart(2, '0'))
    if (cpf !== undefined) return cpf
  }
  throw new Error('no CPF')
}

const WORDS = ['um', 'dois', 'tres', 'quatro', 'cinco', 'seis', 'sete', 'oito', 'nove', 'dez']

export const spoken = (text: string) => ({ 'pt-BR': text, en: text, es: text })

export function definition(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    title: spoken('Consultar IPVA'), description: spoken('consultar e pagar o IPVA'), representedKinds: ['person', 'company'],
    delegateKinds: ['person', 'company'], kinds: ['procuracao'], longestDays: 365, ...change,
  }
}

export interface SceneOptions {
  /** Agencies are there already: another process made this database. */
  readonly isKnown?: boolean
  /** The key under which another process opens it too. */
  readonly masterKey?: Sensitive<Buffer>
  /** Runs inside of the transaction that tells somebody. */
  readonly onNotice?: (notice: ProxyNotice) => Promise<void>
}

export async function openScene(db: Database, { isKnown = false, masterKey, onNotice }: SceneOptions = {}): Promise<ProxyScene> {
  const clock = fixedClock(START)
  const keyring = await openKeyring({ db, clock, dataDir: 'memory', ...(masterKey && { masterKey }) })
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [assuranceEvents, proxiesEvents] } })
  const assurance = createAssurance({ db, audit, clock, demo: true })
  const register = new Map<Cpf, BaseRecord>()
  const companies: CompanyRecord[] = []
  let isDown = false
  const told: Told[] = []
  const ended: MandateId[] = []
  const proxies = createProxies({
    platform: { db, clock, keyring },
    audit,
    assurance,
    ports: {
      register: { find: async (cpf) => register.get(cpf) },
      companies: {
        find: async (root) => companies.find((one) => one.root === root),
        findByAdministrator: async (cpf) => isDown ? Promise.reject(new Error('down')) : companies.filter(({ administrators }) => administrators.includes(cpf)),
      },
      async notify(_tx, { accountId, notice, everywhere }) {
        told.push({ accountId, notice, everywhere })
        await onNotice?.(notice)
      },
      endRepresentationTokens: async (_tx, id) => void ended.push(id),
    },
    paper: { documents: { render: async (document) => Buffer.from(JSON.stringify(document)) }, texts: loadMessages({ folder: MESSAGES, strict: true }), publicUrl: 'https://login.example' },
  })
  if (!isKnown) {
    await proxies.roles.addNamespace({ code: 'sefaz', title: 'Secretaria de Fazenda', clientId: 'sefaz-client' }, SYSTEM)
    await proxies.roles.addNamespace({ code: 'saude', title: 'Secretaria de Saúde', clientId: 'saude-client' }, SYSTEM)
  }
  let count = 0
  const today = dayOf(clock.now())

  async function addSession(person: Pick<Person, 'accountId'>, { aal = 2, at = clock.now(), faceAt }: { aal?: 1 | 2; at?: Date; faceAt?: Date }): Promise<Acting> {
    const sessionId = randomUUID()
    await db.execute(
      `INSERT INTO sign_in_session (id, account_id, amr, aal, authenticated_at, face_at, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $5, $5)`,
      [sessionId, person.accountId, ['pwd', 'otp'], aal, at, faceAt ?? null],
    )
    return { accountId: person.accountId, sessionId }
  }

  const scene: ProxyScene = {
    db, clock, audit, keyring, proxies, told, ended, register, companies, addSession, today,
    registerDown: (down) => {
      isDown = down
    },
    async addPerson({ level = 'prata', birthDate: born = '1980-01-01', name, cpf: given } = {}) {
      count += 1
      const cpf = given ?? cpfOf(count)
      const birthDate = parseBirthDate(born, clock.now())
      if (birthDate === undefined) throw new Error('no birth date')
      const called = name ?? `Pessoa ${[...String(count)].map((digit) => WORDS[Number(digit)]).join(' ')}`
      register.set(cpf, { cpf, name: called, birthDate, situation: 'regular' })
      const [personId, accountId] = [randomUUID(), randomUUID()]
      const created = new Date(clock.now().getTime() - 30 * 86_400_000)
      await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5)', [personId, cpf, called, born, created])
      await db.execute(
        `INSERT INTO account (id, person_id, status, created_at, credentials_changed_at) VALUES ($1, $2, 'active', $3, $3)`,
        [accountId, personId, created],
      )
      if (level !== 'bronze') {
        await db.transaction((tx) =>
          assurance.add(tx, { method: 'govbr', federalLevel: level, personId, accountId, source: 'govbr', actor: SYSTEM }),
        )
      }
      return { cpf, name: called, ref: { kind: 'person', cpf }, personId, accountId, by: await addSession({ accountId }, {}) }
    },
    addCompany(administrators, { quorum = 1, cnpj = '12ABC34501DE35', name = 'Pantanal Sementes', establishments = [] } = {}) {
      const record: CompanyRecord = { root: rootOf(cnpj), cnpj, name, standing: 'regular', quorum, administrators: administrators.map(({ cpf }) => cpf), establishments, source: 'file' }
      companies.push(record)
      return record
    },
    async addRole(code, change, namespace = 'sefaz') {
      await proxies.roles.draft({ namespace, code, definition: definition(change) }, SYSTEM)
      return { namespace, code, version: await proxies.roles.publish({ namespace, code }, SYSTEM) }
    },
    terms(to, powers, change = {}) {
      const people = [to].flat() as Person[]
      return { delegates: people.map(({ ref, name }) => ({ ref, name })), powers: [powers].flat() as Power[], validThrough: addDays(dayOf(clock.now()), 30), ...change }
    },
    async active(from, to, powers, change) {
      const [mandate] = await proxies.mandates.grant(from.by, scene.terms(to, powers, change))
      if (!mandate) throw new Error('nothing granted')
      return mandate.state === 'active' ? mandate : proxies.mandates.accept(to.by, mandate.id)
    },
    async close() {
      await keyring.close()
      await db.close()
    },
  }
  return scene
}
