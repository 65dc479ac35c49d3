import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import type { Provider } from 'oidc-provider'
import { z } from 'zod'
import { createQuotas, type Quotas } from '../../biometrics/index.ts'
import type { Clock } from '../../platform/clock.ts'
import { readBearer } from '../../platform/http/credentials.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { ClientDirectory } from '../clients/directory.ts'
import type { OidcPorts, Representation, Subject } from '../ports.ts'
import { numberOf } from './representation.store.ts'
import type { Acting } from './acting.ts'

const BASE = '/procuracoes/v2/procuracoes'
const LIST_SCOPE = 'poav2_retrievePoasByAgentAccountIdAndGrantorAccountIdAndClientIdAndIsActive_agent'
const HISTORY_SCOPE = 'poav2_createPoaAccessHistory_agent'
/** Mato Grosso is four hours behind UTC all year. */
const DAY_BEGINS = 'T04:00:00.000Z'
const DAY_MS = 86_400_000
/** Of our own access tokens, with room for signed ones. */
const LONGEST_TOKEN = 4096

export interface GovbrDeps {
  readonly platform: { readonly db: Database; readonly clock: Clock }
  readonly provider: Pick<Provider, 'AccessToken'>
  readonly directory: Pick<ClientDirectory, 'find'>
  readonly acting: Pick<Acting, 'isLive'>
  readonly ports: Pick<OidcPorts, 'findPerson' | 'representation'>
}

const filters = z.object({
  'filtrar-por-outorgante': z.string().max(20).optional(),
  'filtrar-por-procurador': z.string().max(20).optional(),
  'filtrar-por-clientid': z.string().max(255).optional(),
  'filtrar-por-situacao': z.literal('ativo').optional(),
})
/** The manual's prose and its example name the moment differently. */
const access = z.object({
  poaAccessHistory: z.strictObject({
    clientId: z.string().max(255),
    serviceId: z.int(),
    instanteEvento: z.string().max(40).optional(),
    serviceEventCreatedAtUtc: z.string().max(40).optional(),
  }),
})
const params = z.object({ id: z.string().regex(/^\d{1,15}$/) })

/** A refusal as the federal API words it. */
class Refused extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, title: string) {
    super(title)
    this.status = status
    this.code = code
  }
}

/** Who presents a token: the person who acts, at a relying party of the federal shape. */
interface Caller {
  readonly accountId: string
  readonly person: Subject
  readonly clientId: string
  readonly policy: ClientPolicy
}

/**
 * The federal login's API for proxies: what the person who signed in may do here for other people, and the history that its relying parties
 * must write. Only what is in force is told, and only to the one whom it makes a delegate.
 */
export function createGovbrRoutes(deps: GovbrDeps): Router {
  const router = new Router()
  const quotas = createQuotas(deps.platform)

  router.get(BASE, guard({ query: filters }, (ctx, { query }) => answered(ctx, async () => {
    const caller = await callerOf(deps, ctx, { scope: LIST_SCOPE, quotas })
    const isOther = (given: string | undefined, own: string) => given !== undefined && given !== own
    if (isOther(query['filtrar-por-procurador'], caller.person.cpf) || isOther(query['filtrar-por-clientid'], caller.clientId)) return { poas: [] }
    const grantor = query['filtrar-por-outorgante']
    const found = (await listOf(deps, caller)).filter(({ represented }) => grantor === undefined || represented.document === grantor)
    return { poas: await Promise.all(found.map((one) => poaOf(deps, caller, one))) }
  })))

  router.post(`${BASE}/:id/historico-acessos`, guard({ params, body: access, consumes: 'json', csrf: false }, (ctx, { params: { id }, body }) => answered(ctx, async () => {
    const caller = await callerOf(deps, ctx, { scope: HISTORY_SCOPE, quotas })
    const { clientId, serviceId } = body.poaAccessHistory
    if (clientId !== caller.clientId) throw new Refused(403, 'REQUEST_POAACCESSHISTORY_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD', 'O clientId não é o do token de acesso.')
    const wanted = await findService(deps, await listOf(deps, caller), { poa: Number(id), service: serviceId })
    const isNoted = wanted !== undefined && (await deps.ports.representation.noteUse({ accountId: caller.accountId, clientId, representation: wanted, kind: 'service' }, async () => {}))
    if (!isNoted) throw new Refused(403, 'REQUEST_POAACCESSHISTORY_CLIENTIDANDSERVICEID_MUSTMATCHPOASERVICECLIENTIDANDSERVICEID', 'O serviço não é desta procuração.')
    ctx.status = 201
    return { id: await numberOf(deps.platform.db, `access:${randomUUID()}`) }
  })))

  return router
}

async function answered(ctx: HttpContext, work: () => Promise<object>): Promise<void> {
  ctx.set('Cache-Control', 'no-store')
  try {
    ctx.status = 200
    ctx.body = await work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    ctx.status = error.status
    if (error.status === 401) ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"')
    ctx.body = { errors: [{ status: error.status, code: error.code, title: error.message }] }
  }
}

async function callerOf({ provider, directory, acting, ports }: GovbrDeps, ctx: HttpContext, { scope, quotas }: { scope: string; quotas: Pick<Quotas, 'claimCall'> }): Promise<Caller> {
  const invalid = new Refused(401, 'ACCESSTOKEN_MUSTBEVALID', 'O token de acesso não é válido.')
  const value = readBearer(ctx, LONGEST_TOKEN)
  const token = value === '' ? undefined : await provider.AccessToken.find(value)
  if (!token?.isValid || token.aud !== undefined || token.isSenderConstrained?.() || token.accountId === undefined) throw invalid
  const client = await directory.find(token.clientId ?? '')
  if (!client?.policy.representation || client.policy.delegationClaims !== 'govbr') throw invalid
  await claimCall(quotas, ctx, client)
  if (!(await acting.isLive(token))) throw invalid
  const { subject: person } = await ports.findPerson(token.accountId, undefined)
  if (!person) throw invalid
  if (!token.scopes.has(scope)) {
    const title = `Escopo requerido não encontrado. Valor esperado: '${scope}', valor recebido: '${[...token.scopes].join(' ')}'.`
    throw new Refused(401, 'ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE', title)
  }
  return { accountId: token.accountId, person, clientId: client.id, policy: client.policy }
}

/** Counted before any work: what a relying party sends ends up in the histories of the people whom it names. */
async function claimCall(quotas: Pick<Quotas, 'claimCall'>, ctx: HttpContext, { id, policy }: { id: string; policy: ClientPolicy }): Promise<void> {
  const perMinute = policy.representationCallsPerMinute
  await quotas.claimCall(ctx, { id: `poas/${id}`, policy: { perMinute, perMonth: perMinute } }).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.kind.status !== 429) throw error
    ctx.set('Retry-After', String(error.retryAfterSeconds ?? 60))
    throw new Refused(429, 'REQUEST_TOOMANYREQUESTS', 'Muitas chamadas neste minuto. Espere e tente de novo.')
  })
}

/** CPF for CPF, by a mandate: companies are not in the federal shape. */
async function listOf({ ports }: GovbrDeps, { accountId, policy }: Caller): Promise<Representation[]> {
  return (await ports.representation.list(accountId, policy.representationNamespaces)).filter(({ mandateId, represented }) => mandateId !== undefined && represented.type === 'PF')
}

async function poaOf({ platform: { db } }: GovbrDeps, { accountId, person, clientId }: Caller, one: Representation): Promise<object> {
  const { represented, powers, titles, validFrom, validThrough } = one
  const [createdAt, expiresAt] = [startOf(validFrom), validThrough && new Date(Date.parse(startOf(validThrough) ?? '') + DAY_MS).toISOString()]
  return {
    id: await numberOf(db, `mandate:${one.id}`),
    grantorAccount: { id: represented.accountId ?? represented.partyId, name: represented.name },
    agentAccount: { id: accountId, name: person.name },
    createdAtUtc: createdAt, createdAt, expiresAtUtc: expiresAt, expiresAt, revokedAtUtc: null, renouncedAtUtc: null, canceledAtUtc: null,
    status: 'ACTIVE', statusAtUtc: createdAt, statusAt: createdAt, statusDetails: {},
    services: await Promise.all(powers.map(async (power, index) => ({ clientId, serviceId: await numberOf(db, `power:${power}`), serviceName: titles[index]?.['pt-BR'] ?? power }))),
  }
}

/** The mandate with this number, narrowed to the power with that one. */
async function findService({ platform: { db } }: GovbrDeps, found: readonly Representation[], { poa, service }: { poa: number; service: number }): Promise<Representation | undefined> {
  for (const one of found) {
    if ((await numberOf(db, `mandate:${one.id}`)) !== poa) continue
    for (const power of one.powers) if ((await numberOf(db, `power:${power}`)) === service) return { ...one, powers: [power] }
  }
  return undefined
}

function startOf(day: string | undefined): string | undefined {
  return day && `${day}${DAY_BEGINS}`
}
