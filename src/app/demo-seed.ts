import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Account, parseCpf } from '../accounts/index.ts'
import { createOperators } from '../admin/index.ts'
import type { DemoCitizen, Oidc } from '../oidc/index.ts'
import { recentDemoMessages } from '../platform/outbox.ts'
import { DEMO_NAMESPACE, seedPowers } from './proxies/demo-powers.ts'
import { AGENCY_ROLES } from '../proxies/index.ts'
import type { Foundation } from './foundation.ts'
import type { Rooms } from './rooms.ts'

/** The relying party of the demonstration. */
export const PORTAL_CLIENT = 'portal-demonstracao'

/** Who works at the counter of the demonstration (`/balcao`); the first entry there sets up the second factor. */
const ATTENDANT = { name: 'Carlos Eduardo Nunes', cpf: '214.365.870-26', password: 'onca-pintada-araguaia-5' }
const SUPERVISOR = { name: 'Helena Martins Rocha', cpf: '325.476.981-37', password: 'ipe-amarelo-chapada-8' }
const MANAGER = { name: 'Paulo Sérgio Campos', cpf: '436.587.092-00', password: 'pacu-assado-cuiaba-2' }
const DESK_STAFF: readonly DemoCitizen[] = [ATTENDANT, SUPERVISOR, MANAGER]
const DESK_UNIT = { code: 'demonstracao', name: 'Balcão de demonstração', municipality: 'Cuiabá' }
const DESK_ROLE_MS = 365 * 86_400_000
const WORKDAYS = [1, 2, 3, 4, 5]
/** Eight to five, two people each half-hour. */
const DESK_HOURS = { opens: 8 * 60, closes: 17 * 60, slotMinutes: 30, capacity: 2 }

/** People of the demonstration who have an account already; more wait in `src/demo/base-register.csv` to register. */
export const DEMO_CITIZENS: readonly DemoCitizen[] = [
  { name: 'Maria Aparecida da Silva', cpf: '529.982.247-25', password: 'boi-tuiuiu-pantanal-7' },
  { name: 'Joana Batista Pereira', cpf: '111.444.777-35', password: 'arara-azul-cerrado-3' },
  ...DESK_STAFF,
]
const WITH_FACE = '111.444.777-35'
/** Whoever tries the operators' pages; the first entry there sets up the second factor. */
const OPERATOR = '529.982.247-25'
/** One person in a group picture that ships with the face library (MIT), as Joana's reference. */
const FACE = { file: 'sample6.jpg', region: { left: 1114, top: 264, width: 330, height: 410 } }

export interface DemoSeedDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly portal: { readonly url: string; readonly clientSecret: string }
  /** Stores a photograph as a person's reference; answers what is wrong with it. */
  readonly takePhoto: (personId: string, photo: Uint8Array) => Promise<readonly string[]>
}

/** Makes the relying party, the citizens and a reference face; what is there already stays as it is. */
export async function seedDemo(deps: DemoSeedDependencies): Promise<void> {
  await registerPortal(deps)
  await seedPowers(deps.rooms.proxies, PORTAL_CLIENT)
  for (const citizen of DEMO_CITIZENS) if ((await findByText(deps, citizen.cpf)) === undefined) await register(deps, citizen)
  await seedFace(deps)
  await seedOperator(deps)
  await seedDesk(deps)
  await seedAgencyTeam(deps)
}

async function registerPortal({ oidc: { clients }, portal: { url, clientSecret } }: DemoSeedDependencies): Promise<void> {
  const actor = { kind: 'system' } as const
  const metadata = {
    client_name: 'Portal de Serviços (demonstração)',
    client_uri: url,
    redirect_uris: [`${url}/retorno`],
    post_logout_redirect_uris: [`${url}/`],
    backchannel_logout_uri: `${url}/sair-por-tras`,
    backchannel_logout_session_required: true,
    subject_type: 'pairwise' as const,
  }
  const policy = {
    allowedScopes: ['openid' as const, 'profile' as const, 'email' as const, 'cpf' as const, 'representacao' as const],
    representation: true,
    representationNamespaces: [DEMO_NAMESPACE],
    allowInternalHosts: [new URL(url).host],
  }
  const known = await clients.find(PORTAL_CLIENT)
  if (known === undefined) await clients.create({ id: PORTAL_CLIENT, metadata, policy, actor, secret: clientSecret })
  else if (!known.metadata.redirect_uris.includes(`${url}/retorno`) || !known.policy.representation) await clients.change(PORTAL_CLIENT, { metadata, policy, actor })
}

async function findByText({ rooms }: DemoSeedDependencies, text: string): Promise<Account | undefined> {
  const cpf = parseCpf(text)
  return cpf && rooms.accounts.findByCpf(cpf)
}

/** As the citizen would register, with the code read from what would have been mailed. */
async function register({ foundation, rooms }: DemoSeedDependencies, { cpf: text, password }: DemoCitizen): Promise<void> {
  const cpf = parseCpf(text)
  const record = cpf && (await rooms.register.find(cpf))
  // An operator's own register need not know the people of the demonstration.
  if (cpf === undefined || record === undefined) return
  const { registration } = rooms.accounts
  const email = `${cpf}@demonstracao.mt-login.localhost`
  const form = { cpf, name: record.name, birthDate: record.birthDate, email, password }
  const started = await registration.start({
    form,
    locale: 'pt-BR',
    binding: cpf,
    facts: { ip: '127.0.0.1', userAgent: '', deviceCookie: undefined },
  })
  if (started.kind !== 'started') throw new Error(`a citizen of the demonstration was refused: ${started.kind}`)
  await foundation.outbox.flush()
  const mail = (await recentDemoMessages(foundation.config.platform.dataDir)).find(({ to }) => to === email)
  const code = /\b\d{6}\b/.exec(mail?.text ?? '')?.[0] ?? ''
  const confirmed = await registration.confirm({ id: started.id, binding: cpf, code })
  if (confirmed.kind !== 'confirmed') throw new Error(`a citizen of the demonstration was not confirmed: ${confirmed.kind}`)
}

async function seedFace(deps: DemoSeedDependencies): Promise<void> {
  const { rooms, takePhoto } = deps
  const account = await findByText(deps, WITH_FACE)
  if (account === undefined || (await rooms.images.findReference(account.personId, rooms.faces.rule.modelId))) return
  const sample = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'demo', FACE.file)
  const { default: sharp } = await import('sharp')
  const reasons = await takePhoto(account.personId, await sharp(sample).extract(FACE.region).jpeg({ quality: 95 }).toBuffer())
  if (reasons.length > 0) throw new Error(`the demonstration's face was refused: ${reasons.join(', ')}`)
}

async function seedOperator(deps: DemoSeedDependencies): Promise<void> {
  const account = await findByText(deps, OPERATOR)
  const cpf = parseCpf(OPERATOR)
  if (account === undefined || cpf === undefined || account.roles.length > 0) return
  await createOperators({ db: deps.foundation.db, audit: deps.rooms.audit, actorId: 'demo', isDemo: true }).grant(cpf, ['operator'])
}

/** A unit with its manager, who gives the other roles; the supervisor's level comes from an earlier visit, as it were. */
async function seedDesk(deps: DemoSeedDependencies): Promise<void> {
  const { foundation, rooms: { staff, assurance, line } } = deps
  const [attendant, supervisor, manager] = [parseCpf(ATTENDANT.cpf), parseCpf(SUPERVISOR.cpf), parseCpf(MANAGER.cpf)]
  const [head, approver] = [await findByText(deps, MANAGER.cpf), await findByText(deps, SUPERVISOR.cpf)]
  const isThere = (await staff.listUnits()).some(({ code }) => code === DESK_UNIT.code)
  if (isThere || !attendant || !supervisor || !manager || !head || !approver) return
  const by = { actorId: 'demo', isDemo: true }
  const { id: unitId } = await staff.openUnit(DESK_UNIT, by)
  await staff.setRules(DESK_UNIT.code, { faceProfile: 'reference', matchPoint: 'fmr1e-4' }, by)
  const endsAt = new Date(foundation.clock.now().getTime() + DESK_ROLE_MS)
  await staff.grantFirst({ unitCode: DESK_UNIT.code, cpf: manager, endsAt }, by)
  const evidence = { method: 'attended', livenessClass: 'attended', dualControl: true, source: 'demo', actor: { kind: 'system' } } as const
  await foundation.db.transaction((tx) => assurance.add(tx, { ...evidence, personId: approver.personId, accountId: approver.id }))
  await staff.grant({ unitId, cpf: attendant, role: 'attendant', endsAt }, head.id, by)
  await staff.grant({ unitId, cpf: supervisor, role: 'supervisor', endsAt }, head.id, by)
  for (const weekday of WORKDAYS) await line.appointments.changeHours(unitId, { weekday, opening: { weekday, ...DESK_HOURS } }, head.id)
}

/** Two people of the agency, so that what one writes another publishes; the second needs prata first. */
async function seedAgencyTeam(deps: DemoSeedDependencies): Promise<void> {
  const { team } = deps.rooms.proxies
  if ((await team.listOf(DEMO_NAMESPACE)).length > 0) return
  const giver = { actorId: 'demo', isDemo: true }
  const places = [[SUPERVISOR, AGENCY_ROLES], [ATTENDANT, ['editor', 'registrar']]] as const
  for (const [{ cpf: text }, roles] of places) {
    const cpf = parseCpf(text)
    // Over an operator's own register they need not be there.
    if (cpf && (await findByText(deps, text))) for (const role of roles) await team.add({ namespace: DEMO_NAMESPACE, cpf, role }, giver)
  }
}
