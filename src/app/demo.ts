import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { z } from 'zod'
import { parseCpf } from '../accounts/index.ts'
import { createDemoRoutes } from '../demo/demo.routes.ts'
import { createPortal } from '../demo/portal.routes.ts'
import { takeReferencePhoto } from '../demo/reference-photo.ts'
import type { DemoCitizen } from '../oidc/index.ts'
import { startServer } from '../platform/http/server.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import { recentDemoMessages } from '../platform/outbox.ts'
import { type AreaData, createRelyingParty, findCitizen } from '../portal/index.ts'
import type { CitizenAreaDependencies } from './citizen-area.ts'

const CLIENT_ID = 'portal-demonstracao'
const SCOPE = 'openid profile email cpf'
const LOOPBACK = '127.0.0.1'

/** People of the demonstration who have an account already; more wait in `src/demo/base-register.csv` to register. */
export const DEMO_CITIZENS: readonly DemoCitizen[] = [
  { name: 'Maria Aparecida da Silva', cpf: '529.982.247-25', password: 'boi-tuiuiu-pantanal-7' },
  { name: 'João Batista Pereira', cpf: '111.444.777-35', password: 'arara-azul-cerrado-3' },
]
const WITH_FACE = '111.444.777-35'

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
export async function openDemo(deps: CitizenAreaDependencies, sessions: PageSessions<AreaData>): Promise<Demo> {
  const { foundation, rooms, oidc, web, look } = deps
  const { platform, demo } = foundation.config
  const portal = { app: undefined as ReturnType<typeof createPortal> | undefined }
  const running = await startServer({ host: LOOPBACK, port: demo.port, handler: (request, response) => void portal.app?.callback()(request, response) })
  const portalUrl = `http://${LOOPBACK}:${running.port}`
  const clientSecret = await readSecret(platform.dataDir)
  const relyingParty = createRelyingParty({
    issuer: platform.publicUrl, clientId: CLIENT_ID, clientSecret, scope: SCOPE, redirectUri: `${portalUrl}/retorno`, postLogoutRedirectUri: `${portalUrl}/`,
  })
  portal.app = createPortal({ client: relyingParty, issuer: platform.publicUrl })
  const photo = { db: foundation.db, faces: rooms.faces, images: rooms.images, clock: foundation.clock }
  const routes = createDemoRoutes({
    views: web.views, messages: look.messages, portalUrl,
    pages: {
      recentMessages: () => recentDemoMessages(platform.dataDir),
      findCitizen: (ctx) => findCitizen(sessions, ctx),
      takePhoto: async (accountId, bytes) => takeReferencePhoto(photo, (await rooms.accounts.get(accountId)).personId, bytes),
    },
  })
  web.app.use(routes.routes())
  return {
    portalUrl, clientId: CLIENT_ID, clientSecret,
    async seed() {
      await registerPortal(oidc, portalUrl, clientSecret)
      for (const citizen of DEMO_CITIZENS) await seedCitizen(deps, citizen)
      await seedFace(deps, (personId, bytes) => takeReferencePhoto(photo, personId, bytes))
    },
    stop: () => running.stop(1000),
  }
}

const savedSecret = z.object({ clientSecret: z.string().min(40) })

/** The demo relying party's secret, kept beside the data so that a second start has the same. */
async function readSecret(dataDir: string): Promise<string> {
  const fresh = randomBytes(32).toString('base64url')
  if (dataDir === 'memory') return fresh
  const file = join(dataDir, 'demo-portal.json')
  try {
    return savedSecret.parse(JSON.parse(await readFile(file, 'utf8'))).clientSecret
  } catch {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, JSON.stringify({ clientId: CLIENT_ID, clientSecret: fresh }), { mode: 0o600 })
    return fresh
  }
}

async function registerPortal({ clients }: CitizenAreaDependencies['oidc'], portalUrl: string, secret: string): Promise<void> {
  const actor = { kind: 'system' } as const
  const metadata = {
    client_name: 'Portal de Serviços (demonstração)', client_uri: portalUrl, redirect_uris: [`${portalUrl}/retorno`], post_logout_redirect_uris: [`${portalUrl}/`],
    backchannel_logout_uri: `${portalUrl}/sair-por-tras`, backchannel_logout_session_required: true, subject_type: 'pairwise' as const,
  }
  const policy = { allowedScopes: ['openid' as const, 'profile' as const, 'email' as const, 'cpf' as const], allowInternalHosts: [new URL(portalUrl).host] }
  const known = await clients.find(CLIENT_ID)
  if (known === undefined) await clients.create({ id: CLIENT_ID, metadata, policy, actor, secret })
  else if (!known.metadata.redirect_uris.includes(`${portalUrl}/retorno`)) await clients.change(CLIENT_ID, { metadata, policy, actor })
}

/** Registers a citizen of the demonstration as they would themselves, with the code read from what would have been mailed. */
async function seedCitizen({ foundation, rooms }: CitizenAreaDependencies, { cpf: text, password }: DemoCitizen): Promise<void> {
  const cpf = parseCpf(text)
  const record = cpf && (await rooms.register.find(cpf))
  if (cpf === undefined || record === undefined || (await rooms.accounts.findByCpf(cpf))) return
  const { registration } = rooms.accounts
  const email = `${cpf}@demonstracao.mt-login.localhost`
  const form = { cpf, name: record.name, birthDate: record.birthDate, email, password }
  const started = await registration.start({ form, locale: 'pt-BR', binding: cpf, facts: { ip: LOOPBACK, userAgent: '', deviceCookie: undefined } })
  if (started.kind !== 'started') throw new Error(`a citizen of the demonstration was refused: ${started.kind}`)
  await foundation.outbox.flush()
  const mail = (await recentDemoMessages(foundation.config.platform.dataDir)).find(({ to }) => to === email)
  const code = /\b\d{6}\b/.exec(mail?.text ?? '')?.[0] ?? ''
  const confirmed = await registration.confirm({ id: started.id, binding: cpf, code })
  if (confirmed.kind !== 'confirmed') throw new Error(`a citizen of the demonstration was not confirmed: ${confirmed.kind}`)
}

/** One person in a group picture that ships with the face library (MIT), as João's reference. */
const FACE = { file: 'sample6.jpg', region: { left: 1114, top: 264, width: 330, height: 410 } }

async function seedFace({ rooms }: CitizenAreaDependencies, take: (personId: string, photo: Uint8Array) => Promise<readonly string[]>): Promise<void> {
  const cpf = parseCpf(WITH_FACE)
  const account = cpf && (await rooms.accounts.findByCpf(cpf))
  if (account === undefined || (await rooms.images.findReference(account.personId, rooms.faces.rule.modelId))) return
  const sample = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'demo', FACE.file)
  const reasons = await take(account.personId, await sharp(sample).extract(FACE.region).jpeg({ quality: 95 }).toBuffer())
  if (reasons.length > 0) throw new Error(`the demonstration's face was refused: ${reasons.join(', ')}`)
}
