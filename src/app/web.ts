import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Koa from 'koa'
import type { Level } from '../assurance/index.ts'
import { findPolicyRow } from '../assurance/index.ts'
import { createAddressLimit, networkOf } from '../accounts/index.ts'
import { createInteractionRoutes, createVisitLimit, type DemoCitizen, type Oidc } from '../oidc/index.ts'
import { createHttpApp, type HttpLog } from '../platform/http/app.ts'
import { type Assets, createAssets } from '../platform/http/assets.ts'
import { loadMessages, type Messages } from '../platform/http/messages.ts'
import { createPlatformPages } from '../platform/http/pages.ts'
import type { HttpMiddleware } from '../platform/http/request-facts.ts'
import { createHealth } from '../platform/health.ts'
import type { Log, LogFields } from '../platform/log.ts'
import type { Views } from '../platform/http/views.ts'
import type { Foundation } from './foundation.ts'
import { describeFaceModels, describeFaceSearch, type FaceModels } from '../biometrics/index.ts'
import type { Rooms } from './rooms.ts'

export const VIEWS_FOLDER = fileURLToPath(new URL('../../views/', import.meta.url))

/** Texts and files of the pages, read once. */
export interface Look {
  readonly messages: Messages
  readonly assets: Assets
}

/** @throws {Error} when the languages do not have the same texts. */
export function readLook(): Look {
  const messages = loadMessages({ folder: join(VIEWS_FOLDER, 'messages'), strict: false })
  if (messages.faults.length > 0) throw new Error(`views/messages: ${messages.faults.join('; ')}`)
  return { messages, assets: createAssets({ folder: join(VIEWS_FOLDER, 'assets') }) }
}

/** The application with everything that comes before routes, and its views. */
export interface Web {
  readonly app: Koa
  readonly views: Views
}

export function createWeb({ config, keyring, log, metrics }: Foundation, { messages, assets }: Look): Web {
  const { publicUrl, trustedProxies } = config.platform
  const settings = { publicUrl, trustedProxies, demo: config.demo.enabled, viewsFolder: VIEWS_FOLDER }
  const { app, views, onRequest } = createHttpApp({ settings, keyring, messages, assets, log: httpLog(log) })
  onRequest(({ room, route, status, ms }) => metrics.request({ room, route, method: 'any', status, seconds: ms / 1000 }))
  return { app, views }
}

/** The HTTP layer says fields first; the log says the sentence first. */
export function httpLog(log: Log): HttpLog {
  return {
    info: (fields: LogFields, text) => log.info(text, fields),
    warn: (fields: LogFields, text) => log.warn(text, fields),
    error: (fields: LogFields, text) => log.error(text, fields),
  }
}

/** What an occasion adds to the nets: a device key of more than a day, and a reference taken in person under dual control. */
export interface FaceOccasion {
  readonly boundDevice: boolean
  readonly referenceInPerson: boolean
}

/** The level that a face check from home gives here, by the class that the installed nets reach; `undefined` = it only confirms. */
export function faceCheckGrants(isDemo: boolean, { pad }: Pick<FaceModels, 'pad'>, occasion: FaceOccasion): Level | undefined {
  const { boundDevice, referenceInPerson } = occasion
  const livenessClass = !pad ? 'basic' : boundDevice && referenceInPerson ? 'active+bound' : 'active'
  return findPolicyRow({ method: 'face-match', livenessClass, referenceTrusted: true, referenceInPerson }, { demo: isDemo })?.grants
}

export interface PagesDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly web: Web
  readonly look: Look
}

/** Health, the protocol, and the pages of signing in; the citizen's area and the demo are added by their own parts. */
export function addPages({ foundation, rooms, oidc, web, look }: PagesDependencies, demoCitizens: readonly DemoCitizen[] | undefined): void {
  const { app, views } = web
  const { db, clock, keyring, config } = foundation
  const checks = [
    { name: 'database', check: async () => void (await db.query('SELECT 1')) },
    ...(config.platform.redisUrl ? [{ name: 'redis', check: oidc.checkStore }] : []),
  ]
  app.use(createHealth(checks, () => healthNotes(foundation, rooms)))
  app.use(visitLimit(foundation, rooms, oidc))
  app.use(oidc.middleware)
  app.use(oidc.representation.routes.routes())
  app.use(createPlatformPages({ views, messages: look.messages }).routes())
  const interactions = createInteractionRoutes({
    platform: {
      db, clock, keyring, audit: rooms.audit,
      pages: {
        views, messages: look.messages,
        settings: { minPasswordLength: rooms.settings.password.minLength, recentSeconds: rooms.settings.session.recentSeconds, demoCitizens },
      },
    },
    oidc: {
      server: oidc.provider,
      giveConsent: oidc.consents.give,
      optionalScopesOf: async (clientId) => (await oidc.clients.find(clientId))?.policy.optionalScopes ?? [],
      parties: oidc.representation,
    },
    accounts: rooms.accounts,
    assurance: rooms.assurance,
    face: {
      liveness: rooms.liveness,
      recoveryLiveness: rooms.recoveryLiveness,
      opensAccounts: config.demo.enabled || rooms.faces.models.pad,
      async findReference(accountId) {
        const account = await rooms.accounts.find(accountId)
        const found = account && (await rooms.images.findReference(account.personId, rooms.faces.rule.modelId))
        return found && { personId: account.personId, imageId: found.imageId, inPerson: found.inPerson }
      },
      attempts: rooms.accounts.faceAttempts,
      grants: (occasion) => faceCheckGrants(config.demo.enabled, rooms.faces.models, occasion),
    },
  })
  app.use(interactions.routes())
}

/** Pages that begin a sign-in of ours: each visit is remembered before anybody is known. */
const ENTRANCES = ['/conta/entrar', '/balcao/entrar', '/operacao/entrar']

/** What strangers can make this server remember, by address; counted and shown as numbers. */
function visitLimit({ metrics }: Foundation, { settings }: Rooms, { provider }: Oidc): HttpMiddleware {
  const limit = createAddressLimit({ allowance: settings.throttle.visitsPerAddress, networkOf })
  metrics.watch('visit_addresses', 'Addresses whose visits are counted now', limit.size)
  return createVisitLimit({ provider, limit, pages: ENTRANCES, onRefused: (path) => metrics.count('visits_refused', { path }) })
}

function healthNotes({ config, db }: Foundation, { faces, faceSearch }: Rooms): string[] {
  const notes = [describeFaceModels(faces.models), describeFaceSearch(faceSearch.state)]
  if (db.kind === 'pglite') notes.push('database: embedded; one process only')
  if (config.demo.enabled) notes.push('demo: not for real data')
  return notes
}
