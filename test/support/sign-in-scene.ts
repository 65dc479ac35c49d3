/** The citizen's way in, with every real room below it, a mailbox that can be read, and a face engine that sees what a test says. */
import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  type Account,
  type Accounts,
  accountsEvents,
  type BaseRecord,
  createAccounts,
  DEFAULT_SETTINGS,
  parseBirthDate,
  parseCpf,
} from '../../src/accounts/index.ts'
import { createOidcPorts } from '../../src/app/oidc-ports.ts'
import { type Assurance, assuranceEvents, createAssurance, type Level } from '../../src/assurance/index.ts'
import { createAudit } from '../../src/audit/index.ts'
import type { FrameObservation } from '../../src/biometrics/index.ts'
import { createLiveness } from '../../src/biometrics/index.ts'
import { createOidc, type Oidc, oidcEvents } from '../../src/oidc/index.ts'
import { interactionEvents } from '../../src/oidc/interactions/events.ts'
import { createInteractionRoutes } from '../../src/oidc/interactions/interactions.routes.ts'
import { recoveryCaller } from '../../src/oidc/interactions/recovery/recovery-face.routes.ts'
import type { Database } from '../../src/platform/db.ts'
import { createHttpApp } from '../../src/platform/http/app.ts'
import { createAssets } from '../../src/platform/http/assets.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { startServer } from '../../src/platform/http/server.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { Message } from '../../src/platform/outbox.ts'
import { Problem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { type FixedClock, movableClock } from './clock.ts'
import { openPgliteTestDatabase } from './database.ts'
import { faceOf, SIMULATED_RULE } from './reactive-camera/simulated-person.ts'
import { createTestRelyingParty, type TestRelyingParty } from './relying-party.ts'

export const PASSWORD = 'boi-tuiuiu-pantanal-7'
export const CITIZEN = {
  cpf: '52998224725',
  name: 'Maria Aparecida da Silva',
  birthDate: '12/03/1985',
  email: 'maria@example.org',
  password: PASSWORD,
}
const VIEWS = fileURLToPath(new URL('../../views', import.meta.url))
const CHEAP_HASH = { memoryKib: 64, passes: 1, parallelism: 1 }
const ATTEMPTS = 3

export interface Scene {
  readonly url: string
  readonly clock: FixedClock
  readonly db: Database
  readonly accounts: Accounts
  readonly assurance: Assurance
  readonly oidc: Oidc
  /** Everything sent to an address so far, the newest last. */
  mailsTo(address: string): readonly Message[]
  /** Registers an account without any page. */
  addCitizen(form?: Partial<typeof CITIZEN>): Promise<Account>
  /** Gives a person a reference face, by the seed of the simulated persons; `undefined` takes it away. */
  setReference(accountId: string, seed: number | undefined): void
  giveAttempts(accountId: string): void
  takeAttempts(accountId: string): void
  /** What the engine is to see in a picture. */
  see(jpeg: Buffer, observation: FrameObservation): void
  events(type?: string): Promise<{ type: string; subject_id: string | null; client_id: string | null; data: Record<string, unknown> }[]>
  relyingParty(options?: { policy?: object; name?: string; redirectUri?: string }): Promise<TestRelyingParty>
  logged(): string
  close(): Promise<void>
}

export const REDIRECT_URI = 'http://127.0.0.1:9/retorno'

/** Starts the scene on a free port; `faceGrants` is what a face check from home is said to give. */
export async function openScene(options: { faceGrants?: Level | undefined; demo?: boolean; host?: 'localhost' } = {}): Promise<Scene> {
  const { faceGrants = 'prata', demo = true } = options
  const clock = movableClock()
  const db = await openPgliteTestDatabase()
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
  const audit = createAudit({
    db,
    clock,
    keyring,
    log: silentLog,
    settings: { catalogs: [accountsEvents, assuranceEvents, oidcEvents, interactionEvents] },
  })
  const messages = loadMessages({ folder: `${VIEWS}/messages`, strict: true })
  const assets = createAssets({ folder: `${VIEWS}/assets` })
  const assurance = createAssurance({ db, audit, clock, demo })
  const sent: Message[] = []
  const log: string[] = []
  const write = (fields: object, text: string): void =>
    void log.push(`${text} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}`)
  let handler: ReturnType<ReturnType<typeof createHttpApp>['app']['callback']> | undefined
  const server = await startServer({ host: '127.0.0.1', port: 0, handler: (request, response) => void handler?.(request, response) })
  const url = `http://${options.host ?? '127.0.0.1'}:${server.port}`
  const http = createHttpApp({
    settings: { publicUrl: url, trustedProxies: ['127.0.0.1'], demo, viewsFolder: VIEWS },
    keyring,
    messages,
    assets,
    log: { info: write, warn: write, error: write },
  })

  const references = new Map<string, number>()
  const pictures = new Map<string, FrameObservation>()
  const attempts = new Map<string, number>()
  const referenceOf = (seed: number | undefined) =>
    seed === undefined ? undefined : { modelId: 'simulated', template: faceOf(seed), inPerson: false }
  const people = {
    findReference: async (accountId: string) => referenceOf(references.get(accountId)),
    attemptsLeft: async (accountId: string) => ATTEMPTS - (attempts.get(accountId) ?? 0),
    async claimAttempt(accountId: string): Promise<void> {
      const used = attempts.get(accountId) ?? 0
      if (used >= ATTEMPTS)
        throw new Problem({ code: 'liveness/too-many-checks', status: 429, title: 'Too many' }, { retryAfterSeconds: 3600 })
      attempts.set(accountId, used + 1)
    },
  }
  const engine = {
    rule: SIMULATED_RULE,
    observe: async (jpeg: Uint8Array) => pictures.get(Buffer.from(jpeg).toString('latin1')) ?? Promise.reject(new Error('unknown picture')),
  }
  const liveness = createLiveness({ db, clock, keyring, engine, people })
  const nobody = { ...people, findReference: async (id: string) => referenceOf(references.get(id) ?? 999_983) }
  const recoveryLiveness = createLiveness({ db, clock, keyring, engine, people: nobody })

  const register = new Map<string, BaseRecord>()
  addRecord(register, CITIZEN.cpf, CITIZEN.name, CITIZEN.birthDate)
  addRecord(register, '16899535009', 'Ana Clara Souza', '23/07/1999')
  addRecord(register, '11144477735', 'João Batista Pereira', '02/11/1978')
  addRecord(register, '98765432100', 'Benedito Nunes de Arruda', '14/02/1931', 'deceased')
  const accounts: Accounts = createAccounts({
    platform: { db, clock, keyring },
    audit,
    ports: {
      outbox: { canSend: () => true, send: async (_tx, message) => void sent.push(message) },
      translations: messages,
      register: { find: async (cpf) => register.get(cpf) },
      endOidcSessions: async (_tx, { accountId, sessionIds, reason }) => {
        for (const sessionUid of sessionIds) ended.push({ accountId, sessionUid, reason })
      },
      accountCreated: async (tx, account) => {
        const actor = { kind: 'citizen', id: account.id } as const
        await assurance.add(tx, {
          method: 'registration',
          personId: account.personId,
          accountId: account.id,
          source: 'base-register',
          actor,
        })
      },
      verifyFace: async ({ accountId, recoveryId, proof }) =>
        (await recoveryLiveness.result(recoveryCaller(accountId, recoveryId), proof)).passed,
    },
    settings: { ...DEFAULT_SETTINGS, publicUrl: url, password: { ...DEFAULT_SETTINGS.password, cost: CHEAP_HASH, slots: 1 } },
  })
  const ended: { accountId: string; sessionUid: string; reason: string }[] = []

  const oidc = await createOidc({
    settings: {
      issuer: url,
      keyRotationDays: 90,
      trustedProxies: [],
      accessTokenSeconds: 300,
      idTokenSeconds: 300,
      refreshTokenSeconds: 1_209_600,
      sessionIdleSeconds: 3600,
      sessionAbsoluteSeconds: 86_400,
    },
    platform: { db, clock, keyring, log: { error: write } },
    audit,
    ports: {
      ...createOidcPorts({ accounts: () => accounts, assurance, representation: { list: async () => [], find: async () => undefined, noteUse: async () => false }, db, clock }),
      sessionEnded: async () => {},
    },
    html: (ctx, view, data) => http.views.html(ctx, view, data),
  })
  http.app.use(
    createInteractionRoutes({
      platform: {
        db,
        clock,
        keyring,
        audit,
        pages: {
          views: http.views,
          messages,
          settings: { minPasswordLength: 8, recentSeconds: 1200, demoCitizens: demo ? [CITIZEN] : undefined },
        },
      },
      oidc: { server: oidc.provider, giveConsent: oidc.consents.give, optionalScopesOf: async () => ['phone'], parties: oidc.representation },
      accounts,
      assurance,
      face: {
        liveness,
        recoveryLiveness,
        opensAccounts: demo,
        grants: () => faceGrants,
        attempts: { left: people.attemptsLeft, clear: async (accountId) => void attempts.delete(accountId) },
        findReference: async (accountId) => {
          const account = references.has(accountId) ? await accounts.find(accountId) : undefined
          return account && { personId: account.personId, imageId: await imageOf(db, account.personId), inPerson: false }
        },
      },
    }).routes(),
  )
  http.app.use(oidc.middleware)
  handler = http.app.callback()

  return {
    url,
    clock,
    db,
    accounts,
    assurance,
    oidc,
    mailsTo: (address) => sent.filter(({ to }) => to === address),
    addCitizen: (form = {}) => addCitizen(accounts, sent, { ...CITIZEN, ...form }),
    setReference: (accountId, seed) => void (seed === undefined ? references.delete(accountId) : references.set(accountId, seed)),
    giveAttempts: (accountId) => void attempts.delete(accountId),
    takeAttempts: (accountId) => void attempts.set(accountId, ATTEMPTS),
    see: (jpeg, observation) => void pictures.set(jpeg.toString('latin1'), observation),
    events: (type) =>
      db.query('SELECT type, subject_id, client_id, data FROM audit_event WHERE $1::text IS NULL OR type = $1 ORDER BY id', [type ?? null]),
    relyingParty: (about) => addRelyingParty(oidc, url, about),
    logged: () => log.join('\n'),
    async close() {
      await server.stop(50)
      await oidc.close()
      await accounts.close()
      await keyring.close()
      await db.close()
    },
  }
}

function addRecord(
  register: Map<string, BaseRecord>,
  cpfText: string,
  name: string,
  born: string,
  situation: BaseRecord['situation'] = 'regular',
): void {
  const cpf = parseCpf(cpfText)
  const birthDate = parseBirthDate(born, new Date())
  if (cpf === undefined || birthDate === undefined) throw new Error('bad record')
  register.set(cpf, { cpf, name, birthDate, situation })
}

async function addCitizen(accounts: Accounts, sent: readonly Message[], form: typeof CITIZEN): Promise<Account> {
  const facts = { ip: '10.9.8.7', userAgent: 'test', deviceCookie: undefined }
  const binding = randomUUID()
  const started = await accounts.registration.start({ form, locale: 'pt-BR', binding, facts })
  if (started.kind !== 'started') throw new Error(`registration: ${JSON.stringify(started)}`)
  const code = codeIn(sent.findLast(({ to }) => to === form.email))
  const confirmed = await accounts.registration.confirm({ id: started.id, binding, code })
  if (confirmed.kind !== 'confirmed') throw new Error(`confirmation: ${confirmed.kind}`)
  return confirmed.account
}

/** The six digits of a message. */
export function codeIn(message: Message | undefined): string {
  return /\b\d{6}\b/.exec(message?.text ?? '')?.[0] ?? ''
}

/** The link of a message. */
export function linkIn(message: Message | undefined): string {
  return /https?:\/\/\S+\?t=[\w-]+/.exec(message?.text ?? '')?.[0] ?? ''
}

/** An image row for the evidence to point at; its bytes are nobody's. */
async function imageOf(db: Database, personId: string): Promise<string> {
  const [known] = await db.query<{ id: string }>('SELECT id FROM stored_image WHERE person_id = $1', [personId])
  if (known) return known.id
  const id = randomUUID()
  await db.execute(
    `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, content_type, width, height, sealed, captured_at, created_at)
     VALUES ($1, $2, 'face', 'test', 'import', true, 'image/jpeg', 1, 1, $3, now(), now())`,
    [id, personId, Buffer.alloc(1)],
  )
  return id
}

async function addRelyingParty(
  oidc: Oidc,
  issuer: string,
  { policy = {}, name = 'Portal de Teste', redirectUri = REDIRECT_URI }: { policy?: object; name?: string; redirectUri?: string } = {},
): Promise<TestRelyingParty> {
  const { client, secret } = await oidc.clients.create({
    metadata: {
      client_name: name,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      client_uri: 'http://127.0.0.1:9/',
      policy_uri: 'http://127.0.0.1:9/privacidade',
    },
    policy: { allowedScopes: ['openid', 'profile', 'cpf', 'email', 'phone', 'offline_access'], ...policy },
    actor: { kind: 'operator', id: 'test' },
  })
  return createTestRelyingParty({ issuer, clientId: client.id, clientSecret: secret ?? '', redirectUri })
}
