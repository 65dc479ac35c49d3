import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDemoRoutes } from '../demo/demo.routes.ts'
import { createPortal } from '../demo/portal.routes.ts'
import { takeReferencePhoto } from '../demo/reference-photo.ts'
import { startServer } from '../platform/http/server.ts'
import { recentDemoMessages } from '../platform/outbox.ts'
import { createRelyingParty } from '../portal/index.ts'
import type { CitizenArea, CitizenAreaDependencies } from './citizen-area.ts'
import { PORTAL_CLIENT, seedDemo } from './demo-seed.ts'

const SCOPE = 'openid profile email cpf'
const LOOPBACK = '127.0.0.1'
const STOP_MS = 1000

/** The demonstration's relying party and what `main.ts` prints of it. */
export interface Demo {
  readonly portalUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** Citizens, their reference face, and the relying party; what is there already stays as it is. */
  seed(): Promise<void>
  stop(): Promise<void>
}

/** Opens the demonstration: a portal on its own port and the pages that stand in for a counter and a mail box. */
export async function openDemo(deps: CitizenAreaDependencies, area: CitizenArea): Promise<Demo> {
  const { foundation, rooms, oidc, web, look } = deps
  const { platform, demo } = foundation.config
  const portal: { app?: ReturnType<typeof createPortal> } = {}
  const running = await startServer({
    host: LOOPBACK,
    port: demo.port,
    handler: (request, response) => void portal.app?.callback()(request, response),
  })
  const portalUrl = `http://${LOOPBACK}:${running.port}`
  // Derived, so that every start has the same.
  const clientSecret = foundation.keyring.hash(PORTAL_CLIENT, 'demo-client').toString('base64url')
  const relyingParty = createRelyingParty({
    issuer: platform.publicUrl,
    clientId: PORTAL_CLIENT,
    clientSecret,
    scope: SCOPE,
    redirectUri: `${portalUrl}/retorno`,
    postLogoutRedirectUri: `${portalUrl}/`,
  })
  await noteCredentials(platform.dataDir, { clientId: PORTAL_CLIENT, clientSecret })
  portal.app = createPortal({ client: relyingParty, issuer: platform.publicUrl, clock: foundation.clock })
  const photo = { db: foundation.db, faces: rooms.faces, images: rooms.images, clock: foundation.clock }
  const takePhoto = (personId: string, bytes: Uint8Array) => takeReferencePhoto(photo, personId, bytes)
  const routes = createDemoRoutes({
    views: web.views,
    messages: look.messages,
    portalUrl,
    pages: {
      recentMessages: () => recentDemoMessages(platform.dataDir),
      findPerson: async (ctx) => (await area.findAccount(ctx))?.personId,
      takePhoto,
    },
  })
  web.app.use(routes.routes())
  return {
    portalUrl,
    clientId: PORTAL_CLIENT,
    clientSecret,
    seed: () => seedDemo({ foundation, rooms, oidc, portal: { url: portalUrl, clientSecret }, takePhoto }),
    stop: () => running.stop(STOP_MS),
  }
}

/** For whoever tries the protocol in the portal's place; the server itself never reads it. */
async function noteCredentials(dataDir: string, credentials: { clientId: string; clientSecret: string }): Promise<void> {
  if (dataDir === 'memory') return
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await writeFile(join(dataDir, 'demo-portal.json'), JSON.stringify(credentials), { mode: 0o600 })
}
