/** Wires the rooms: the only place that knows all of them, and hands each what it needs from later ones. */
import type { Server } from 'node:http'
import { openAgencies } from './app/agencies.ts'
import { baseRegisterFileOf } from './demo/sample-register.ts'
import { createBackground } from './app/background.ts'
import { AREA_CLIENT, openCitizenArea } from './app/citizen-area.ts'
import { type Demo, openDemo } from './app/demo.ts'
import { DEMO_CITIZENS } from './app/demo-seed.ts'
import { openDeskArea } from './app/desk-area.ts'
import { openFaceThreads } from './app/face-threads.ts'
import { type Foundation, openFoundation } from './app/foundation.ts'
import { openImageService } from './app/points/imaging.ts'
import { surveyRoutes } from './app/helpdesk/management.ts'
import { publicLineRoutes } from './app/helpdesk/waiting-line.ts'
import { openOperatorArea } from './app/operator-area.ts'
import { openCertificateHost } from './app/signatures/certificate-host.ts'
import { openSignatures } from './app/signatures/signatures.ts'
import { createOidcPorts } from './app/oidc-ports.ts'
import { createRepresentationPort } from './app/proxies/representation.ts'
import { openAgencyArea } from './app/proxies/agency-area.ts'
import { openProxyPages } from './app/proxies/pages.ts'
import { type AccountsOverrides, openRooms, type Rooms } from './app/rooms.ts'
import { addPages, createWeb, httpLog, type Look, readLook, type Web } from './app/web.ts'
import { createOidc, createRedisArtifactStore, createSqlArtifactStore, type Oidc } from './oidc/index.ts'
import type { Clock } from './platform/clock.ts'
import type { Config } from './platform/config.ts'
import { startServer } from './platform/http/server.ts'
import type { Log } from './platform/log.ts'

export { DEMO_CITIZENS }

export interface AppOptions {
  readonly config: Config
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** For tests and benches: settings that the environment cannot weaken. */
  readonly accounts?: AccountsOverrides | undefined
}

/** A running server. */
export interface App {
  /** Where browsers and relying parties reach it. */
  readonly publicUrl: string
  readonly port: number
  readonly metricsPort: number
  /** The demonstration's relying party, when there is a demonstration. */
  readonly demo: Demo | undefined
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  /** Application and views; its routers tell every route that there is. */
  readonly web: Web
  readonly server: Server
  /** Takes no new requests, finishes what runs, closes everything. */
  stop(): Promise<void>
}

/**
 * Starts a whole server: database and rooms, pages, background work, metrics, and the demonstration where it is asked for.
 *
 * Resolves when it takes requests; a failure on the way closes what was opened.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const registerFile = baseRegisterFileOf(options.config)
  const look = readLook()
  const closers: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    // First, so that the nets load in their threads while the database opens.
    const faceThreads = await openFaceThreads(options.config)
    closers.push(faceThreads.faces.close)
    const foundation = await openFoundation(options)
    closers.push(foundation.close)
    let oidc: Oidc | undefined
    const issuer = { keys: () => oidc?.keys.current().jwks ?? [], findSignIn: async (accountId: string, sid: string) => oidc?.sessions.findUid(accountId, AREA_CLIENT, sid) }
    const rooms = await openRooms(foundation, { messages: look.messages, faceThreads, registerFile, issuer, override: options.accounts })
    closers.push(rooms.close)
    const web = createWeb(foundation, look)
    oidc = await openOidc(foundation, rooms, web, closers)
    return { ...(await open({ foundation, rooms, look, web, oidc }, closers)), stop }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

interface Opened {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly look: Look
  readonly web: Web
  readonly oidc: Oidc
}

async function open({ foundation, rooms, look, web, oidc }: Opened, closers: (() => Promise<void>)[]): Promise<Omit<App, 'stop'>> {
  const { config, log, metrics } = foundation
  addPages({ foundation, rooms, oidc, web, look }, config.demo.enabled ? DEMO_CITIZENS : undefined)

  const local = { host: config.platform.host, port: 0 }
  const area = await openCitizenArea({ foundation, rooms, oidc, web, look }, () => local)
  web.app.use(area.routes.routes())
  for (const router of publicLineRoutes({ foundation, rooms, oidc, web, look }, area)) web.app.use(router.routes())
  web.app.use(surveyRoutes({ foundation, rooms, oidc, web, look }).routes())
  web.app.use((await openDeskArea({ foundation, rooms, oidc, web, look }, area, () => local)).routes())
  web.app.use((await openOperatorArea({ foundation, rooms, oidc, web, look }, () => local)).routes())
  openImageService({ foundation, rooms, oidc, web, look }, openAgencies({ foundation, rooms, oidc, web, look }))
  await openSignatures({ foundation, rooms, oidc, web })
  web.app.use((await openAgencyArea({ foundation, rooms, oidc, web, look }, () => local)).routes())
  openProxyPages({ foundation, rooms, oidc, web })
  const certificateHost = await openCertificateHost(foundation, rooms.icp, look)
  if (certificateHost) closers.push(certificateHost.stop)
  const demo = config.demo.enabled ? await openDemo({ foundation, rooms, oidc, web, look }, area) : undefined
  if (demo) closers.push(demo.stop)

  const background = createBackground(foundation, rooms, oidc)
  closers.push(background.stop)
  await Promise.all([background.start(), rooms.accounts.ready(), rooms.faces.ready()])
  await demo?.seed()
  const running = await startServer({ handler: web.app.callback(), host: config.platform.host, port: config.platform.port })
  local.port = running.port
  closers.push(() => running.stop())
  const metricsServer = await metrics.listen(config.platform.metricsHost, config.platform.metricsPort)
  closers.push(metricsServer.close)
  log.info('ready', { address: config.platform.publicUrl })
  return { publicUrl: config.platform.publicUrl, port: running.port, metricsPort: metricsServer.port, demo, foundation, rooms, oidc, web, server: running.server }
}

async function openOidc(foundation: Foundation, rooms: Rooms, web: Web, closers: (() => Promise<void>)[]): Promise<Oidc> {
  const { config, db, clock, keyring, log } = foundation
  const { redisUrl, publicUrl, trustedProxies } = config.platform
  const { clientCertHeader: certificate, clientCertVerifyHeader: verified, ...protocol } = config.oidc
  const store = redisUrl && createRedisArtifactStore({ url: redisUrl, clock, durable: createSqlArtifactStore({ db, clock }) })
  if (store) closers.push(store.close)
  const representation = createRepresentationPort({ db, keyring, audit: rooms.audit, accounts: rooms.accounts, proxies: rooms.proxies })
  const oidc = await createOidc({
    settings: {
      ...protocol, issuer: publicUrl, trustedProxies, certificateHeaders: certificate === undefined ? undefined : { certificate, verified },
      sessionIdleSeconds: config.accounts.sessionIdleSeconds, sessionAbsoluteSeconds: config.accounts.sessionAbsoluteSeconds,
    },
    platform: { db, clock, keyring, log: httpLog(log), ...(store && { store }) },
    audit: rooms.audit,
    ports: createOidcPorts({ accounts: () => rooms.accounts, assurance: rooms.assurance, representation, db, clock }),
    html: web.views.html,
  })
  closers.push(oidc.close)
  return oidc
}
