/** A whole server whose every log line is kept, with one invented citizen in its base register and a relying party of the tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createLog } from '../../src/platform/log.ts'
import { startTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { type FixedClock, movableClock } from './clock.ts'
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
