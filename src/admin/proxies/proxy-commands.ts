import type { Actor, Oidc } from '../../oidc/index.ts'
import { parseCpf } from '../../accounts/index.ts'
import { AGENCY_ROLES, type AgencyRole, PROXY_SCOPES, type ProxyPolicy, proxyPolicySchema, type Roles, type Team } from '../../proxies/index.ts'
import { type Command, UsageError } from '../command.ts'

export interface ProxyTools {
  readonly oidc: () => Promise<Pick<Oidc, 'clients'>>
  readonly roles: () => Promise<Pick<Roles, 'addNamespace' | 'namespaces'>>
  readonly team: () => Promise<Pick<Team, 'add'>>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: Actor
}

/** Commands about the mandates API and who keeps which part of the catalogue of powers. */
/** As typed, and as stored. */
const PAPEIS: Readonly<Record<string, AgencyRole>> = { gestor: 'manager', redator: 'editor', publicador: 'publisher', registrador: 'registrar' }

export function createProxyCommands({ oidc, roles, team, actor }: ProxyTools): Command[] {
  return [
    {
      words: 'procuracoes espaco',
      summary: 'Entrega um espaço do catálogo de poderes a um cliente (docs/proxies.md)',
      positionals: ['ESPAÇO', 'CLIENT_ID', 'TÍTULO'],
      run: async ({ positionals: [code = '', clientId = '', title = ''] }) => {
        if (!(await (await oidc()).clients.find(clientId))) throw new UsageError(`não há cliente ${clientId}`)
        await (await roles()).addNamespace({ code, clientId, title }, actor)
        return { text: `${code}: ${title} (${clientId})`, json: { namespace: code, client_id: clientId, title } }
      },
    },
    {
      words: 'procuracoes equipe',
      summary: 'Dá a alguém do órgão um lugar em /orgao por um ano; o primeiro gestor nasce assim',
      notes: 'A pessoa precisa ter conta prata e um segundo fator. O gestor dá os outros lugares na página da equipe.',
      positionals: ['ESPAÇO'],
      flags: {
        cpf: { type: 'string', value: 'CPF', about: 'de quem recebe o lugar', required: true },
        papel: { type: 'string', value: 'PAPEL', about: `${Object.keys(PAPEIS).join(', ')}; sem ela, gestor` },
      },
      run: async ({ positionals: [namespace = ''], text }) => {
        const cpf = parseCpf(text('cpf') ?? '')
        if (cpf === undefined) throw new UsageError('Esse CPF não existe: confira os números.')
        const role = PAPEIS[text('papel') ?? 'gestor'] ?? AGENCY_ROLES.find((name) => name === text('papel'))
        if (role === undefined) throw new UsageError(`papéis: ${Object.keys(PAPEIS).join(', ')}`)
        if (!(await (await roles()).namespaces()).some(({ code }) => code === namespace)) throw new UsageError(`não há espaço ${namespace} (antes: procuracoes espaco)`)
        const { accountId, endsAt } = await (await team()).add({ namespace, cpf, role }, { actorId: actor.id ?? 'cli' })
        return { text: `Conta ${accountId}: ${role} de ${namespace} até ${endsAt.toISOString()}.`, json: { account: accountId, namespace, role, ends_at: endsAt.toISOString() } }
      },
    },
    {
      words: 'procuracoes conceder',
      summary: 'Concede a um cliente a API de procurações, nos espaços dele',
      notes: `Substitui o que o cliente tinha. Escopos: ${PROXY_SCOPES.join(', ')}.\nprocuracoes.registrar registra representações legais e ordens judiciais: só por ato formal do órgão gestor.`,
      positionals: ['CLIENT_ID'],
      flags: {
        escopo: { type: 'string', value: 'ESCOPO', about: 'o que pode fazer', multiple: true, required: true },
        espaco: { type: 'string', value: 'ESPAÇO', about: 'espaço do catálogo que é dele', multiple: true, required: true },
        'por-minuto': { type: 'string', value: 'N', about: 'chamadas por minuto; 600 sem ela' },
      },
      run: async ({ positionals: [id = ''], texts, text }) => {
        const proxies = policyFrom({ scopes: texts('escopo'), namespaces: texts('espaco'), perMinute: text('por-minuto') })
        const own = (await (await roles()).namespaces()).filter(({ clientId }) => clientId === id).map(({ code }) => code)
        const foreign = proxies.namespaces.filter((namespace) => !own.includes(namespace))
        if (foreign.length > 0) throw new UsageError(`não são deste cliente: ${foreign.join(', ')} (antes: procuracoes espaco)`)
        await (await oidc()).clients.change(id, { policy: { proxies }, actor })
        return { text: JSON.stringify(proxies, null, 2), json: { client_id: id, proxies } }
      },
    },
    {
      words: 'procuracoes retirar',
      summary: 'Retira de um cliente a API de procurações; vale na chamada seguinte',
      positionals: ['CLIENT_ID'],
      run: async ({ positionals: [id = ''] }) => {
        await (await oidc()).clients.change(id, { policy: { proxies: undefined }, actor })
        return { text: `${id}: sem a API de procurações`, json: { client_id: id, proxies: null } }
      },
    },
  ]
}

function policyFrom({ perMinute, ...wanted }: { scopes: readonly string[]; namespaces: readonly string[]; perMinute: string | undefined }): ProxyPolicy {
  const read = proxyPolicySchema.safeParse({ ...wanted, ...(perMinute !== undefined && { perMinute: Number(perMinute) }) })
  if (!read.success) throw new UsageError(`não serve: ${read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`)
  return read.data
}
