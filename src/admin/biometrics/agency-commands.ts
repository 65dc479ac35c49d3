import type { Quotas } from '../../biometrics/index.ts'
import { AGENCY_SCOPES } from '../../biometrics/index.ts'
import type { Actor, ClientPolicy, Oidc } from '../../oidc/index.ts'
import { OIDC_PROBLEMS } from '../../oidc/index.ts'
import { Problem } from '../../platform/problem.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, type Typed, UsageError } from '../command.ts'

export interface AgencyTools {
  readonly oidc: () => Promise<Pick<Oidc, 'clients'>>
  readonly quotas: () => Promise<Pick<Quotas, 'use'>>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: Actor
}

type Agency = NonNullable<ClientPolicy['agency']>

/** Commands about the agencies' biometrics API. */
export function createAgencyCommands(tools: AgencyTools): Command[] {
  return [grantCommand(tools), withdrawCommand(tools), useCommand(tools), showCommand(tools)]
}

function grantCommand({ oidc, actor }: AgencyTools): Command {
  return {
    words: 'biometria conceder',
    summary: 'Concede a um cliente a API de biometria para órgãos (docs/agencies.md)',
    notes: `Substitui o que o cliente tinha. Escopos: ${AGENCY_SCOPES.join(', ')}.\nbiometria.referencia e biometria.digitais entregam fotos e impressões digitais de pessoas: só por ato formal do órgão gestor. Fica no registro de auditoria.`,
    positionals: ['CLIENT_ID'],
    flags: {
      escopo: { type: 'string', value: 'ESCOPO', about: 'o que pode fazer', multiple: true, required: true },
      finalidade: { type: 'string', value: 'CÓDIGO|BASE|TEXTO', about: 'para quê, com a base legal, no texto que o cidadão lê', multiple: true, required: true },
      retorno: { type: 'string', value: 'URI', about: 'endereço de volta das validações', multiple: true },
      'por-minuto': { type: 'string', value: 'N', about: 'chamadas por minuto; 60 sem ela' },
      'por-mes': { type: 'string', value: 'N', about: 'chamadas que contam por mês; 10000 sem ela' },
      pontuacao: { type: 'boolean', about: 'respostas levam pontuação e limiar' },
    },
    run: async (typed) => {
      const [id = ''] = typed.positionals
      const client = await (await oidc()).clients.change(id, { policy: { agency: grantFrom(typed) }, actor })
      return { text: JSON.stringify(client.policy.agency, null, 2), json: { client_id: id, agency: client.policy.agency } }
    },
  }
}

function withdrawCommand({ oidc, actor }: AgencyTools): Command {
  return {
    words: 'biometria retirar',
    summary: 'Retira de um cliente a API de biometria; vale na chamada seguinte',
    positionals: ['CLIENT_ID'],
    run: async ({ positionals: [id = ''] }) => {
      await (await oidc()).clients.change(id, { policy: { agency: undefined }, actor })
      return { text: `${id}: sem a API de biometria`, json: { client_id: id, agency: null } }
    },
  }
}

function useCommand({ oidc, quotas }: AgencyTools): Command {
  return {
    words: 'biometria uso',
    summary: 'Mostra o uso da API de biometria no mês, por cliente e operação, e a cota',
    flags: { mes: { type: 'string', value: 'AAAA-MM', about: 'outro mês que não este' } },
    run: async ({ text }) => {
      const { month, use } = await (await quotas()).use(monthOf(text('mes')))
      const clients = await (await oidc()).clients.list()
      const json = clients.flatMap((client) => {
        const own = use.filter(({ clientId }) => clientId === client.id)
        const used = own.find(({ operation }) => operation === '*')?.used ?? 0
        const operations = Object.fromEntries(own.filter(({ operation }) => operation !== '*').map((each) => [each.operation, each.used]))
        const isShown = client.policy.agency !== undefined || own.length > 0
        return isShown ? [{ client_id: client.id, name: client.metadata.client_name, used, quota: client.policy.agency?.perMonth ?? null, operations }] : []
      })
      const rows = json.map(({ client_id: id, name, used, quota, operations }) => [
        id, name, String(used), quota === null ? 'retirada' : String(quota), Object.entries(operations).map(([operation, count]) => `${operation} ${count}`).join(', '),
      ])
      return tableOutcome(['client_id', 'nome', 'usou', 'cota do mês', 'operações'], rows, { month, clients: json }, 'Nenhum cliente usa a API de biometria.')
    },
  }
}

function showCommand({ oidc }: AgencyTools): Command {
  return {
    words: 'biometria clientes',
    summary: 'Mostra o que a API de biometria concede a um cliente',
    positionals: ['CLIENT_ID'],
    run: async ({ positionals: [id = ''] }) => {
      const client = await (await oidc()).clients.find(id)
      if (!client) throw new Problem(OIDC_PROBLEMS.clientUnknown, { detail: id })
      const agency = client.policy.agency ?? null
      return { text: agency === null ? `${id}: sem a API de biometria` : JSON.stringify(agency, null, 2), json: { client_id: id, agency } }
    },
  }
}

/** The grant as typed; the registry checks every member. */
function grantFrom({ texts, text, is }: Typed): Agency {
  const purposes = texts('finalidade').map((typed) => {
    const [code = '', legalBasis = '', ...name] = typed.split('|')
    if (name.length === 0) throw new UsageError('--finalidade é CÓDIGO|BASE|TEXTO, por exemplo habilitacao|lgpd-11-ii-g|Renovação da carteira.')
    return { code, legalBasis, name: name.join('|') }
  })
  const grant = {
    scopes: [...texts('escopo')], purposes, returnUris: [...texts('retorno')], scores: is('pontuacao'),
    ...(text('por-minuto') !== undefined && { perMinute: Number(text('por-minuto')) }),
    ...(text('por-mes') !== undefined && { perMonth: Number(text('por-mes')) }),
  }
  // The registry parses it; nothing is trusted here.
  return grant as unknown as Agency
}

function monthOf(typed: string | undefined): Date | undefined {
  if (typed === undefined) return undefined
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(typed)) throw new UsageError('--mes é AAAA-MM.')
  return new Date(`${typed}-15T12:00:00Z`)
}
