import type Router from '@koa/router'
import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import type { ActClient } from '../decision/act-open.ts'
import type { ActProgress } from '../decision/act-progress.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { powerName } from '../role/role.ts'
import * as contract from './contract.ts'
import { type MandatesApiDependencies, PROXY_API } from './mandates-api.routes.ts'
import type { ProxyClient } from './policy.ts'
import { ownPower, partyOf } from './spoken.ts'

const PAGE = '/conta/procuracoes/atos'

/** Acts of several people: a relying party opens one, sends the person to its page, and learns here how it ended. */
export function addActs(router: Router, { proxies: { acts }, platform, call }: MandatesApiDependencies): void {
  const spoken = (progress: ActProgress) => spokenAct(progress, platform.publicUrl)

  router.post(
    `${PROXY_API}/atos`,
    ...call({
      scope: 'procuracoes.decidir', body: contract.actRequest, answer: contract.actAnswer, status: 201,
      async run(client, { body }) {
        const role = ownPower(client, body.poder)
        const { servico: service, instancia: instance, descricao: about } = body
        return spoken(await acts.open(clientOf(client), { actor: partyOf(body.ator), represented: partyOf(body.representado), role, service, instance, about }))
      },
    }),
  )
  router.get(
    `${PROXY_API}/atos/:id`,
    ...call({
      scope: 'procuracoes.decidir', answer: contract.actAnswer,
      run: async (client, _input, ctx) => spoken(await acts.find(clientOf(client), idIn(ctx.params?.['id']))),
    }),
  )
  router.post(
    `${PROXY_API}/atos/:id`,
    ...call({
      scope: 'procuracoes.decidir', body: contract.actAction, answer: contract.actAnswer,
      run: async (client, _input, ctx) => spoken(await acts.withdraw(clientOf(client), idIn(ctx.params?.['id']))),
    }),
  )
}

const clientOf = ({ id, policy }: ProxyClient): ActClient => ({ id, namespaces: policy.namespaces })

function idIn(text: unknown): string {
  const read = z.uuid().safeParse(text)
  if (!read.success) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
  return read.data
}

/** Who said what stays among those who decide; the system learns how many. */
function spokenAct({ act, state, approvals, votes }: ActProgress, publicUrl: string) {
  const { id, quorum, service, instance, about, expiresAt } = act
  return {
    ato: id, situacao: state, poder: powerName(act), ...(service !== undefined && { servico: service }), ...(instance !== undefined && { instancia: instance }),
    ...(about !== undefined && { descricao: about }), quorum, aprovacoes: approvals, recusas: votes.filter(({ word }) => word === 'refused').length,
    vence_em: expiresAt.toISOString(), endereco: `${publicUrl}${PAGE}/${id}`,
  }
}
