/** A whole server whose every log line is kept, with one invented citizen in its base register and a relying party of the tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generateSync } from 'otplib'
import type { Account } from '../../src/accounts/index.ts'
import { createLog } from '../../src/platform/log.ts'
import { startTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { cpfOfNobody } from './citizen-journey.ts'
import { type FixedClock, leaveEndOfStep, movableClock } from './clock.ts'
import { FAKE_REGISTER } from './fake-citizen.ts'
import { createTestRelyingParty, type TestRelyingParty } from './relying-party.ts'
import { REDIRECT_URI } from './sign-in-scene.ts'

const CHEAP_HASH = { memoryKib: 64, passes: 1, parallelism: 1 }

export interface WatchedApp extends TestApp {
  readonly clock: FixedClock
  /** Every line of the log so far, at level trace. */
  logged(): string
}

/** Starts it; hashes are cheap, the rest is as in production. */
export async function startWatchedApp({ env = {}, register = FAKE_REGISTER, ...options }: TestAppOptions & { register?: string } = {}): Promise<WatchedApp> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt-login-register-'))
  const file = path.join(folder, 'register.csv')
  await writeFile(file, register)
  const lines: string[] = []
  const clock = movableClock()
  const app = await startTestApp({
    clock,
    log: createLog({ level: 'trace', destination: { write: (line) => void lines.push(line) } }),
    accounts: (settings) => ({ ...settings, password: { ...settings.password, cost: CHEAP_HASH } }),
    ...options,
    env: { BASE_REGISTER_FILE: file, TRUSTED_PROXIES: '127.0.0.1', ...env },
  })
  return {
    ...app,
    clock,
    logged: () => lines.join(''),
    async stop() {
      await app.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Registers a relying party and speaks for it by openid-client. */
export async function addRelyingParty(app: TestApp, { name = 'Portal de Teste', policy = {}, metadata = {} }: { name?: string; policy?: object; metadata?: object } = {}): Promise<TestRelyingParty> {
  const { client, secret } = await app.oidc.clients.create({
    metadata: {
      client_name: name, redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'], client_uri: 'http://127.0.0.1:9/',
      post_logout_redirect_uris: ['http://127.0.0.1:9/saiu'], ...metadata,
    },
    policy: { allowedScopes: ['openid', 'profile', 'cpf', 'email', 'phone', 'offline_access'], ...policy },
    actor: { kind: 'operator', id: 'test' },
  })
  return createTestRelyingParty({ issuer: app.publicUrl, clientId: client.id, clientSecret: secret ?? '', redirectUri: REDIRECT_URI })
}

export interface Person {
  readonly cpf: string
  readonly name: string
  readonly birthDate: string
  readonly email: string
  readonly password: string
}

/** Registers somebody of the base register without any page. */
export async function addCitizen(app: TestApp, form: Person): Promise<Account> {
  const facts = { ip: '10.9.8.7', userAgent: 'test', deviceCookie: undefined }
  const started = await app.rooms.accounts.registration.start({ form, locale: 'pt-BR', binding: form.cpf, facts })
  if (started.kind !== 'started') throw new Error(`registration: ${JSON.stringify(started)}`)
  const confirmed = await app.rooms.accounts.registration.confirm({ id: started.id, binding: form.cpf, code: await app.lastCode(form.email) })
  if (confirmed.kind !== 'confirmed') throw new Error(`confirmation: ${confirmed.kind}`)
  return confirmed.account
}

/** People who exist in the base register only, as many as wanted. */
export function people(count: number): { readonly register: string; readonly all: readonly Person[] } {
  const all = Array.from({ length: count }, (_, index) => ({
    cpf: cpfOfNobody(index + 500), name: `Pessoa Inventada ${SURNAMES[index % SURNAMES.length]}`, birthDate: '1970-01-01',
    email: `pessoa-${index}@example.org`, password: 'jaburu-sucuri-piquizeiro-8',
  }))
  const lines = all.map(({ cpf, name, birthDate }) => `${cpf},${name},,${birthDate},regular`)
  return { all, register: ['cpf,name,social_name,birth_date,situation', ...lines, ''].join('\n') }
}

const SURNAMES = ['Arruda', 'Botelho', 'Campos', 'Duarte', 'Esteves', 'Figueiredo', 'Godoy']

/** An authenticator app for an account; `codeAt(-1)` was used to set it up. */
export async function addTotp(app: WatchedApp, account: Account): Promise<{ codeAt: (steps: number) => string; recoveryCodes: readonly string[] }> {
  leaveEndOfStep(app.clock)
  const facts = { ip: '10.0.0.1', userAgent: 'test', deviceCookie: undefined }
  const changer = { accountId: account.id, authenticatedAt: app.foundation.clock.now(), facts }
  const { totp, recoveryCodes } = app.rooms.accounts.factors
  const { factorId, secret } = await totp.start(changer)
  const codeAt = (steps: number) => generateSync({ secret, epoch: Math.floor(app.foundation.clock.now().getTime() / 1000) + steps * 30 })
  await totp.confirm(changer, { factorId, code: codeAt(-1) })
  return { codeAt, recoveryCodes: await recoveryCodes.make(changer) }
}

/** Makes a picture the reference face of a person, as an import would. */
export async function setReferenceFace(app: TestApp, { personId }: Account, bytes: Buffer): Promise<void> {
  const seen = await app.rooms.faces.describe(bytes)
  const descriptor = seen.faces[0]?.descriptor
  if (descriptor === undefined) throw new Error('no face on the picture')
  const provenance = { source: 'test', method: 'import', trusted: true, inPerson: false, capturedAt: app.foundation.clock.now() } as const
  const image = { personId, kind: 'face', bytes, contentType: 'image/jpeg', width: seen.width, height: seen.height, provenance } as const
  await app.foundation.db.transaction((tx) => app.rooms.images.put(tx, image, { modelId: seen.modelId, k: 1, descriptor }))
}
