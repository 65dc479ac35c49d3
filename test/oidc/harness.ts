/** The protocol server with a trivial citizen in place of pages, for tests that speak to it as a browser and as a relying party. */
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import type { InteractionInstance, JsonObject } from 'oidc-provider'
import * as client from 'openid-client'
import type { Level } from '../../src/assurance/index.ts'
import type { ArtifactStore } from '../../src/oidc/adapter/artifact.ts'
import { createOidc, type Oidc, type OidcPorts, type Representation, type RepresentationUse, type Standing, type Subject } from '../../src/oidc/index.ts'
import type { AuditEntry } from '../../src/oidc/ports.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import type { Database } from '../../src/platform/db.ts'
import { createCookies, createRequestFacts } from '../../src/platform/http/request-facts.ts'
import { createSecurityHeaders } from '../../src/platform/http/security-headers.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { openPgliteTestDatabase } from '../support/database.ts'

export const OPERATOR = { kind: 'operator', id: 'test' } as const
export const REDIRECT = 'http://127.0.0.1:9/cb'

/** What the fake rooms answer; tests change it in between. */
export interface World {
  level: Level
  aal: 1 | 2
  faceAt: Date | undefined
  active: boolean
  amr: string[]
  authenticatedAt: Date
  /** What the citizen does at a prompt; the default agrees to everything. */
  atStepUp: () => 'give-up' | 'done'
  atConsent: () => 'agree' | 'refuse'
  ledgerDown: boolean
  /** For whom the citizen may act now, and for whom they choose to: an id, or `self`. */
  representations: Representation[]
  chosen: string
  readonly uses: RepresentationUse[]
  readonly prompts: string[]
  readonly details: JsonObject[]
  readonly events: AuditEntry[]
  readonly endedSessions: string[]
  readonly accountId: string
  readonly errors: unknown[]
}

export interface Harness {
  readonly oidc: Oidc
  readonly db: Database
  readonly world: World
  readonly issuer: string
  readonly server: Server
  close(): Promise<void>
}

export interface HarnessOptions {
  readonly db?: Database
  readonly store?: (db: Database, clock: Clock) => ArtifactStore
  readonly clock?: Clock
  readonly policy?: object
  /** What a proxy in front passes on, and which peers are one. */
  readonly proxy?: { readonly trusted: readonly string[]; readonly certificate: string; readonly verified?: string }
}

const CPF = '52998224725'

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const db = options.db ?? (await openPgliteTestDatabase())
  const clock = options.clock ?? systemClock
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(Buffer.alloc(32, 7)), dataDir: 'unused' })
  const world = createWorld(clock)
  await addPerson(db, world.accountId)
  const app = new Koa()
  app.silent = true
  let listener: ReturnType<Koa['callback']> | undefined
  const server = createServer((req, res) => void listener?.(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const oidc = await createOidc({
    settings: {
      issuer,
      keyRotationDays: 90,
      trustedProxies: options.proxy?.trusted ?? [],
      accessTokenSeconds: 300,
      idTokenSeconds: 300,
      refreshTokenSeconds: 1_209_600,
      sessionIdleSeconds: 3600,
      sessionAbsoluteSeconds: 86_400,
      certificateHeaders: options.proxy,
    },
    platform: { db, clock, keyring, log: { error: (fields) => void world.errors.push(fields) }, store: options.store?.(db, clock) },
    audit: {
      async record(_sql, event) {
        if (world.ledgerDown) throw new Error('no ledger')
        world.events.push(event)
      },
      prepare(event) {
        if (world.ledgerDown) throw new Error('no ledger')
        world.events.push(event)
        const { type, actor, subject, clientId, data } = event
        return [clock.now(), type, actor.kind, actor.id ?? null, subject ?? null, clientId ?? null, JSON.stringify(data), Buffer.alloc(16)]
      },
    },
    ports: createPorts(world, db),
    html: (_ctx, view, data) => `<title>${view}</title><pre>${JSON.stringify(data).replaceAll('<', '&lt;')}</pre>`,
  })
  app.use(
    createRequestFacts({
      trustedProxies: [],
      cookies: createCookies({ secure: false }),
      csrf: { token: () => '', check: () => true } as never,
    }),
  )
  app.use(createSecurityHeaders({ secure: false }))
  app.use(problems)
  app.use(citizen(oidc, world))
  app.use(oidc.middleware)
  app.use(oidc.representation.routes.routes())
  listener = app.callback()
  return {
    oidc,
    db,
    world,
    issuer,
    server,
    async close() {
      await oidc.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await keyring.close()
      if (!options.db) await db.close()
    },
  }
}

const problems: Koa.Middleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    const status: unknown = Reflect.get(Object(error), 'status')
    ctx.status = typeof status === 'number' ? status : 500
    ctx.body = { message: error instanceof Error ? error.message : 'failed' }
  }
}

function createWorld(clock: Clock): World {
  return {
    level: 'bronze',
    aal: 1,
    faceAt: undefined,
    active: true,
    amr: ['pwd'],
    authenticatedAt: clock.now(),
    atStepUp: () => 'give-up',
    atConsent: () => 'agree',
    ledgerDown: false,
    representations: [],
    chosen: 'self',
    uses: [],
    prompts: [],
    details: [],
    events: [],
    endedSessions: [],
    accountId: randomUUID(),
    errors: [],
  }
}

function createPorts(world: World, db: Database): OidcPorts {
  return {
    async findPerson(accountId) {
      const standing: Standing = {
        level: world.level,
        aal: world.aal,
        amr: world.amr,
        authenticatedAt: world.authenticatedAt,
        faceAt: world.faceAt,
        isLive: true,
      }
      if (!world.active || accountId !== world.accountId) return { subject: undefined, standing }
      const subject: Subject = {
        accountId,
        cpf: CPF,
        name: 'Maria Aparecida da Silva',
        socialName: undefined,
        birthDate: '1985-03-12',
        email: { address: 'maria@example.org', verified: true },
        phone: undefined,
      }
      return { subject, standing }
    },
    listEvidence: async () => [{ method: 'face-match', source: 'mt', grants: world.level, obtainedAt: world.authenticatedAt }],
    representation: {
      list: async () => world.representations,
      find: async (_account, id) => world.representations.find((one) => one.id === id),
      async noteUse(use, also) {
        if (world.ledgerDown) throw new Error('no ledger')
        // As the register does: the mandate is judged in the transaction of the use.
        return db.transaction(async (tx) => {
          const isBorne = world.representations.some(({ id }) => id === use.representation.id)
          if (isBorne) await also(tx)
          if (isBorne) world.uses.push(use)
          return isBorne
        })
      },
    },
    sessionEnded: async (uid) => void world.endedSessions.push(uid),
  }
}

async function addPerson(db: Database, accountId: string): Promise<void> {
  const personId = randomUUID()
  await db.execute(
    'INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, now()) ON CONFLICT (cpf) DO NOTHING',
    [personId, accountId.slice(0, 11), 'Maria Aparecida da Silva', '1985-03-12'],
  )
  await db.execute("INSERT INTO account (id, person_id, status, created_at) VALUES ($1, $2, 'active', now())", [accountId, personId])
}

/** Stands in for the pages: answers every prompt at once, as the world says. */
function citizen(oidc: Oidc, world: World): Koa.Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith('/interacao/')) return next()
    const interaction = await oidc.provider.interactionDetails(ctx.req, ctx.res)
    world.prompts.push(interaction.prompt.name)
    world.details.push(interaction.prompt.details)
    const result = await answer(oidc, world, interaction)
    ctx.status = 303
    ctx.redirect(await oidc.provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }))
  }
}

async function answer(oidc: Oidc, world: World, { prompt, session, params, grantId }: InteractionInstance): Promise<JsonObject> {
  if (prompt.name === 'login') {
    world.authenticatedAt = new Date()
    const { accountId, amr } = world
    return {
      login: {
        accountId,
        amr,
        ts: Math.floor(Date.now() / 1000),
        sessionId: session?.accountId === accountId ? session.uid : randomUUID(),
      },
    }
  }
  if (prompt.name === 'select_account') return { select_account: { id: world.chosen } }
  if (prompt.name === 'step_up') return world.atStepUp() === 'done' ? { step_up: {} } : { error: 'unmet_authentication_requirements' }
  if (world.atConsent() === 'refuse') return { error: 'access_denied' }
  const {
    missingOIDCScope: scopes = [],
    missingOIDCClaims: claims = [],
    missingResourceScopes: resources = {},
  } = prompt.details as Partial<Record<string, never>>
  const clientId = params['client_id'] ?? ''
  return {
    consent: {
      grantId: await oidc.consents.give({ accountId: world.accountId, clientId, grantId, wanted: { scopes, claims, resources } }),
    },
  }
}

/** A browser as far as redirects and cookies go. */
export class Browser {
  readonly #cookies = new Map<string, { value: string; path: string }>()

  /** Follows redirects within the server and returns the first answer that leaves it, or is a page. */
  async go(address: string | URL, init: RequestInit = {}): Promise<{ url: URL; response: Response }> {
    let url = new URL(address)
    const { origin } = url
    let request = init
    for (let step = 0; step < 20; step += 1) {
      const response = await fetch(url, { ...request, redirect: 'manual', headers: { ...request.headers, cookie: this.#header(url) } })
      this.#store(response)
      const location = response.headers.get('location')
      if (location === null) return { url, response }
      await response.body?.cancel()
      url = new URL(location, url)
      if (url.origin !== origin) return { url, response }
      request = {}
    }
    throw new Error('too many redirects')
  }

  cookies(): Map<string, string> {
    return new Map([...this.#cookies].map(([name, { value }]) => [name, value]))
  }

  /** Puts back cookies of an earlier moment, as a thief would. */
  restore(cookies: Map<string, string>): void {
    for (const [name, value] of cookies) this.#cookies.set(name, { value, path: '/' })
  }

  #header(url: URL): string {
    const sent = [...this.#cookies].filter(
      ([, { path }]) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
    )
    return sent.map(([name, { value }]) => `${name.split('@')[0]}=${value}`).join('; ')
  }

  #store(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(pair.indexOf('=') + 1)
      const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='))?.slice(5) ?? '/'
      const key = path === '/' ? name : `${name}@${path}`
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(key)
      else this.#cookies.set(key, { value, path })
    }
  }
}

export interface RelyingParty {
  readonly id: string
  readonly secret: string | undefined
  readonly config: client.Configuration
}

/** Registers a relying party and prepares openid-client for it. */
export async function registerClient(
  harness: Harness,
  metadata: object = {},
  policy: object = {},
  authentication?: client.ClientAuth,
): Promise<RelyingParty> {
  const { client: record, secret } = await harness.oidc.clients.create({
    metadata: { client_name: 'Portal', redirect_uris: [REDIRECT], grant_types: ['authorization_code', 'refresh_token'], ...metadata },
    policy,
    actor: OPERATOR,
  })
  const auth = authentication ?? (secret === undefined ? client.None() : client.ClientSecretBasic(secret))
  const config = await client.discovery(
    new URL(harness.issuer),
    record.id,
    { ...(secret !== undefined && { client_secret: secret }) },
    auth,
    {
      execute: [client.allowInsecureRequests],
    },
  )
  return { id: record.id, secret, config }
}

export interface Asked {
  readonly url: URL
  readonly verifier: string
  readonly state: string
  readonly nonce: string
}

export async function authorizationUrl(rp: RelyingParty, parameters: Record<string, string> = {}): Promise<Asked> {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(rp.config, {
    redirect_uri: REDIRECT,
    scope: 'openid profile email',
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  return { url, verifier, state, nonce }
}

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers

/** The whole way: authorize as the citizen, redeem as the relying party. */
export async function signIn(
  rp: RelyingParty,
  browser: Browser,
  parameters: Record<string, string> = {},
  checks: object = {},
): Promise<Tokens> {
  const asked = await authorizationUrl(rp, parameters)
  const { url } = await browser.go(asked.url)
  return redeem(rp, asked, url, checks)
}

export async function redeem(rp: RelyingParty, asked: Asked, callback: URL, checks: object = {}): Promise<Tokens> {
  return client.authorizationCodeGrant(rp.config, callback, {
    pkceCodeVerifier: asked.verifier,
    expectedState: asked.state,
    expectedNonce: asked.nonce,
    ...checks,
  })
}
