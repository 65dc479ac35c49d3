import Router from '@koa/router'
import { z } from 'zod'
import type { Audit } from '../../audit/index.ts'
import type { Database } from '../../platform/db.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { Problem } from '../../platform/problem.ts'
import type { DecisionAsk } from '../decision/decide.ts'
import type { Authority, ChangedMandate } from '../entered/entered.ts'
import type { Day } from '../mandate/day.ts'
import { type MandateId, parseMandateId } from '../mandate/mandate.ts'
import { listBySide } from '../mandate/mandate.store.ts'
import { documentsOf, type PartyRef } from '../party/party.ts'
import { findParty, listAccountsOf } from '../party/party.store.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Proxies } from '../proxies.ts'
import { powerName, type Role } from '../role/role.ts'
import { addActs } from './acts-api.routes.ts'
import type { Call } from './call.ts'
import * as contract from './contract.ts'
import { openApiDocument } from './open-api.ts'
import type { ProxyClient } from './policy.ts'
import { authorityOf, currentPowers, named, ownNamespace, ownPower, partyOf, spokenDecision, spokenMandate } from './spoken.ts'

export const PROXY_API = '/procuracoes/v1'
export const DECISION_PATH = '/procuracoes/decisao'

export interface MandatesApiDependencies {
  readonly proxies: Pick<Proxies, 'decide' | 'uses' | 'mandates' | 'roles' | 'entered' | 'requests' | 'acts'>
  readonly platform: { readonly db: Database; readonly audit: Pick<Audit, 'record'>; readonly publicUrl: string }
  readonly call: Call
}

/** The decision point and the mandates API; an agency reaches its own namespaces, and of others not even that they exist. */
export function createMandatesApi(deps: MandatesApiDependencies): Router {
  const router = new Router()
  router.use(inRoom('proxies'))
  addDecision(router, deps)
  addMandates(router, deps)
  addEntries(router, deps)
  addRoles(router, deps)
  addActs(router, deps)
  const document = openApiDocument(deps.platform.publicUrl)
  router.get(
    `${PROXY_API}/openapi.json`,
    guard({}, (ctx) => {
      ctx.body = document
    }),
  )
  return router
}

function addDecision(router: Router, { proxies, call }: MandatesApiDependencies): void {
  router.post(
    DECISION_PATH,
    ...call({
      scope: 'procuracoes.decidir', body: contract.decisionRequest, answer: contract.decisionAnswer,
      async run(client, { body }) {
        const role = ownPower(client, body.poder)
        const ask: DecisionAsk = {
          actor: typeof body.ator === 'string' ? partyOf(body.ator) : { kind: 'organisation', code: body.ator.organizacao }, represented: partyOf(body.representado), role,
          service: body.servico, instance: body.instancia, actId: body.ato, at: body.instante === undefined ? undefined : new Date(body.instante),
        }
        if (!body.registrar_uso) return spokenDecision(await proxies.decide(ask))
        if (ask.at !== undefined) throw new Problem(HTTP_PROBLEMS.invalidInput, { detail: 'instante' })
        const { decision, useId } = await proxies.uses.record(ask, client.id, { official: body.responsavel })
        return { ...spokenDecision(decision), ...(useId !== undefined && { uso: useId }) }
      },
    }),
  )
}

function addMandates(router: Router, { proxies, platform, call }: MandatesApiDependencies): void {
  const { db, audit } = platform

  /** Who represents whom is personal data: every look-up is in the ledger of whoever it was about. */
  async function note(client: ProxyClient, party: PartyRef, found: number): Promise<void> {
    const [document = ''] = documentsOf(party)
    const known = await findParty(db, document)
    const accounts = known ? await listAccountsOf(db, known.id) : []
    for (const subject of accounts.length > 0 ? accounts : [undefined]) {
      const data = { namespaces: [...client.policy.namespaces], found }
      await audit.record(db, { type: 'proxies/asked-by-agency', actor: { kind: 'client', id: client.id }, clientId: client.id, subject, data })
    }
  }

  router.post(
    `${PROXY_API}/consultas`,
    ...call({
      scope: 'procuracoes.consultar', body: contract.lookupRequest, answer: contract.lookupAnswer,
      async run(client, { body: { outorgado, representado, espaco, substabelecida_por: by } }) {
        const [text, side] = representado === undefined ? [outorgado, 'received' as const] : [representado, 'given' as const]
        if (text === undefined) throw new Problem(HTTP_PROBLEMS.invalidInput, { detail: 'outorgado ou representado' })
        const party = partyOf(text)
        const other = representado !== undefined && outorgado !== undefined ? partyOf(outorgado) : undefined
        const filter = { namespaces: espaco === undefined ? client.policy.namespaces : [ownNamespace(client, espaco)], delegates: other && documentsOf(other), grantors: by === undefined ? undefined : documentsOf(partyOf(by)) }
        const open = (await listBySide(db, side, documentsOf(party), filter)).filter(({ endedAt }) => endedAt === undefined)
        for (const one of other ? [party, other] : [party]) await note(client, one, open.length)
        return { procuracoes: open.map(spokenMandate) }
      },
    }),
  )
  router.post(
    `${PROXY_API}/pedidos`,
    ...call({
      scope: 'procuracoes.registrar', body: contract.askRequest, answer: contract.askAnswer, status: 202,
      async run(client, { body }) {
        const powers = await currentPowers(proxies, client, body.poderes)
        const { id } = await proxies.requests.askFor(client.id, named(body.outorgado), { represented: named(body.representado), powers, validThrough: body.valida_ate as Day })
        return { pedido: id, situacao: 'asked' }
      },
    }),
  )
}

const CHANGES = { rejeitar: 'rejected', suspender: 'suspended', liberar: 'resumed', encerrar: 'terminated' } as const

function addEntries(router: Router, { proxies, call }: MandatesApiDependencies): void {
  const { entered } = proxies
  router.post(
    `${PROXY_API}/representacoes`,
    ...call({
      scope: 'procuracoes.registrar', body: contract.legalRequest, answer: contract.mandateAnswer, status: 202,
      async run(client, { body }) {
        const powers = await currentPowers(proxies, client, body.poderes)
        const terms = {
          kind: body.tipo, represented: named(body.representado), delegate: named(body.representante), powers, document: body.documento,
          validFrom: body.valida_de as Day | undefined, validThrough: body.valida_ate as Day | undefined,
        }
        return spokenMandate(await entered.enter(authorityOf(client, body.responsavel), terms))
      },
    }),
  )
  router.post(
    `${PROXY_API}/assistencias`,
    ...call({
      scope: 'procuracoes.registrar', body: contract.helpRequest, answer: contract.mandateAnswer, status: 201,
      async run(client, { body }) {
        const organisation = { code: body.organizacao.codigo, name: body.organizacao.nome }
        const powers = await currentPowers(proxies, client, [body.poder])
        return spokenMandate(await entered.help(authorityOf(client, body.responsavel), { organisation, citizen: named(body.cidadao), powers, consent: body.consentimento }))
      },
    }),
  )
  router.post(
    `${PROXY_API}/procuracoes/:id/situacao`,
    ...call({
      scope: 'procuracoes.registrar', body: contract.changeRequest, answer: contract.changeAnswer,
      async run(client, { body }, ctx) {
        const id = parseMandateId(z.string().parse(ctx.params?.['id']))
        if (id === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
        const { endedBelow, ...mandate } = await changeBy(entered, authorityOf(client, body.responsavel), id, body)
        return { ...spokenMandate(mandate), encerradas: [...endedBelow] }
      },
    }),
  )
}

function changeBy(entered: Proxies['entered'], authority: Authority, id: MandateId, body: z.output<typeof contract.changeRequest>): Promise<ChangedMandate> {
  if (body.acao === 'aprovar') return entered.approve(authority, id)
  if (body.acao === 'cancelar-a-pedido') return entered.withdraw(authority, id, body.pedido)
  return body.acao === 'deixar-a-pedido' ? entered.waive(authority, id, body.pedido) : entered.change(authority, id, CHANGES[body.acao])
}

function addRoles(router: Router, { proxies: { roles }, call }: MandatesApiDependencies): void {
  router.get(
    `${PROXY_API}/poderes`,
    ...call({
      scope: 'procuracoes.consultar', query: contract.rolesQuery, answer: contract.rolesAnswer, changedAt: ({ poderes }) => (poderes.some(({ situacao }) => situacao === 'draft') ? undefined : latestOf(poderes)),
      async run(client, { query: { espaco } }) {
        const wanted = espaco === undefined ? client.policy.namespaces : [ownNamespace(client, espaco)]
        const found = await Promise.all(wanted.map((namespace) => roles.list({ namespace, states: ['draft', 'published', 'retired'], hidden: true })))
        return { poderes: found.flat().map((role) => ({ poder: powerName(role), versao: role.version, situacao: role.state, modificado_em: changedAt(role).toISOString(), definicao: role.definition })) }
      },
    }),
  )
  router.put(
    `${PROXY_API}/poderes`,
    ...call({
      scope: 'procuracoes.catalogo', body: contract.draftRequest, answer: contract.roleAnswer,
      async run(client, { body: { poder, definicao } }) {
        const name = ownPower(client, poder)
        return { poder, versao: await roles.draft({ ...name, definition: definicao }, { kind: 'client', id: client.id }) }
      },
    }),
  )
  router.post(
    `${PROXY_API}/poderes`,
    ...call({
      scope: 'procuracoes.catalogo', body: contract.roleAction, answer: contract.roleAnswer,
      async run(client, { body: { poder, acao } }) {
        const name = ownPower(client, poder)
        const actor = { kind: 'client', id: client.id } as const
        return { poder, versao: await (acao === 'publicar' ? roles.publish(name, actor) : roles.retire(name, actor)) }
      },
    }),
  )
}

function changedAt({ createdAt, publishedAt, retiredAt }: Role): Date {
  return retiredAt ?? publishedAt ?? createdAt
}

/** When published versions changed last; a draft is written over without a trace, so that with one there is no such time. */
function latestOf(spoken: readonly { modificado_em: string }[]): Date | undefined {
  const times = spoken.map(({ modificado_em: at }) => Date.parse(at))
  return times.length === 0 ? undefined : new Date(Math.max(...times))
}
