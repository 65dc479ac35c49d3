import { readFileSync } from 'node:fs'
import type { Actor, ClientRecord, ClientRegistration, Oidc } from '../oidc/index.ts'
import { OIDC_PROBLEMS } from '../oidc/index.ts'
import { Problem } from '../platform/problem.ts'
import { tableOutcome } from './cli.ts'
import type { Command, Flag, Outcome, Typed } from './command.ts'
import { ADMIN_PROBLEMS } from './problems.ts'

export interface ClientTools {
  readonly oidc: () => Promise<Pick<Oidc, 'clients' | 'createRegistrationToken'>>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: Actor
}

/** Flags that become members of the client's metadata (OpenID Connect Registration). */
const METADATA: Readonly<Record<string, readonly [member: string, flag: Flag]>> = {
  nome: ['client_name', { type: 'string', about: 'nome que o cidadão vê', required: true }],
  retorno: ['redirect_uris', { type: 'string', value: 'URI', about: 'endereço de retorno do login', multiple: true }],
  'retorno-saida': ['post_logout_redirect_uris', { type: 'string', value: 'URI', about: 'endereço de retorno da saída', multiple: true }],
  'aviso-saida': ['backchannel_logout_uri', { type: 'string', value: 'URI', about: 'endereço avisado quando alguém sai (back-channel)' }],
  concessao: ['grant_types', { type: 'string', value: 'TIPO', about: 'authorization_code (padrão), refresh_token, client_credentials ...', multiple: true }],
  autenticacao: ['token_endpoint_auth_method', { type: 'string', value: 'MÉTODO', about: 'client_secret_basic (padrão), private_key_jwt, none ...' }],
  'chaves-uri': ['jwks_uri', { type: 'string', value: 'URI', about: 'chaves públicas do cliente (JWKS)' }],
  sujeito: ['subject_type', { type: 'string', value: 'TIPO', about: 'public (padrão) ou pairwise' }],
}

/** Flags that become members of the policy that the state sets for the client. */
const POLICY: Readonly<Record<string, readonly [member: string, flag: Flag]>> = {
  escopo: ['allowedScopes', { type: 'string', value: 'ESCOPO', about: 'escopo permitido', multiple: true }],
  'escopo-opcional': ['optionalScopes', { type: 'string', value: 'ESCOPO', about: 'escopo que o cidadão pode desmarcar ao autorizar', multiple: true }],
  'nivel-minimo': ['minimumLevel', { type: 'string', value: 'NÍVEL', about: 'bronze, prata ou ouro: nenhum token abaixo dele' }],
  pkce: ['pkce', { type: 'string', value: 'REGRA', about: 'required (padrão) ou optional, só para quem não sabe fazer' }],
  'espaco-poderes': ['representationNamespaces', { type: 'string', value: 'ESPAÇO', about: 'espaço de poderes (procurações) que conta neste sistema', multiple: true }],
  'forma-representacao': ['delegationClaims', { type: 'string', value: 'FORMA', about: 'native (padrão), govbr ou representee' }],
}
const FILES: Readonly<Record<string, Flag>> = {
  id: { type: 'string', about: 'client_id; sem ela, um é criado' },
  metadados: { type: 'string', value: 'ARQUIVO', about: 'JSON com o resto dos metadados do OpenID Connect Registration' },
  politica: { type: 'string', value: 'ARQUIVO', about: 'JSON com o resto da política (docs/operating.md)' },
  fapi: { type: 'boolean', about: 'perfil de segurança FAPI 2.0' },
  representacao: { type: 'boolean', about: 'aceita que alguém aja por outra pessoa ou empresa; pede --espaco-poderes' },
  'primeira-parte': { type: 'boolean', about: 'sistema do próprio Estado: sem tela de consentimento' },
}
const flagsOf = (table: typeof METADATA) => Object.fromEntries(Object.entries(table).map(([name, [, flag]]) => [name, flag]))

/** Commands about relying parties. */
export function createClientCommands(tools: ClientTools): Command[] {
  const positionals = ['CLIENT_ID']
  return [
    {
      words: 'cliente criar',
      summary: 'Registra um sistema que usa o login; mostra o segredo uma única vez',
      notes: 'O segredo fica guardado só como hash. Perdido, troca-se com "cliente trocar-segredo".',
      flags: { ...flagsOf(METADATA), ...flagsOf(POLICY), ...FILES },
      run: async (typed) => {
        const { client, secret } = await (await tools.oidc()).clients.create({ id: typed.text('id'), ...inputFrom(typed), actor: tools.actor })
        return secretOutcome(`Cliente criado: ${client.id}`, { client_id: client.id, client_secret: secret })
      },
    },
    {
      words: 'cliente listar',
      summary: 'Lista os sistemas registrados',
      run: async () => {
        const clients = await (await tools.oidc()).clients.list()
        const rows = clients.map((client) => [client.id, client.metadata.client_name, client.disabledAt ? 'desativado' : 'ativo', day(client.createdAt)])
        return tableOutcome(['client_id', 'nome', 'situação', 'criado em'], rows, clients.map(shown), 'Nenhum cliente registrado.')
      },
    },
    {
      words: 'cliente mostrar',
      summary: 'Mostra metadados e política de um sistema',
      positionals,
      run: async ({ positionals: [id = ''] }) => {
        const client = await (await tools.oidc()).clients.find(id)
        if (!client) throw new Problem(OIDC_PROBLEMS.clientUnknown, { detail: id })
        return { text: JSON.stringify(shown(client), null, 2), json: shown(client) }
      },
    },
    {
      words: 'cliente alterar',
      summary: 'Muda metadados ou política de um sistema; o que não é dito fica como está',
      positionals,
      flags: { ...optional({ ...flagsOf(METADATA), ...flagsOf(POLICY) }), ...withoutId(FILES) },
      run: async (typed) => {
        const client = await (await tools.oidc()).clients.change(typed.positionals[0] ?? '', { ...inputFrom(typed), actor: tools.actor })
        return { text: JSON.stringify(shown(client), null, 2), json: shown(client) }
      },
    },
    {
      words: 'cliente desativar',
      summary: 'Desliga um sistema: nenhum login e nenhum token novo',
      positionals,
      run: ({ positionals: [id = ''] }) => setEnabled(tools, id, false),
    },
    { words: 'cliente ativar', summary: 'Religa um sistema desativado', positionals, run: ({ positionals: [id = ''] }) => setEnabled(tools, id, true) },
    {
      words: 'cliente trocar-segredo',
      summary: 'Cria outro segredo, mostrado uma única vez; o anterior deixa de valer na hora',
      positionals,
      run: async ({ positionals: [id = ''] }) => {
        const secret = await (await tools.oidc()).clients.rotateSecret(id, tools.actor)
        return secretOutcome(`Segredo trocado: ${id}`, { client_id: id, client_secret: secret })
      },
    },
    {
      words: 'cliente convidar',
      summary: 'Cria um token com que um sistema se registra sozinho em /reg, por um dia',
      notes: 'Registro dinâmico (RFC 7591). Quem se registra assim recebe a política padrão, a mais estrita; mude-a com "cliente alterar".',
      flags: { legado: { type: 'boolean', about: 'para bibliotecas sem PKCE e sem userinfo' } },
      run: async ({ is }) => {
        const token = await (await tools.oidc()).createRegistrationToken(is('legado') ? 'legacy' : 'strict', tools.actor)
        return { text: `Token de registro (não será mostrado de novo): ${token}`, json: { registration_token: token } }
      },
    },
  ]
}

async function setEnabled({ oidc, actor }: ClientTools, id: string, enabled: boolean): Promise<Outcome> {
  const { clients } = await oidc()
  await (enabled ? clients.enable(id, actor) : clients.disable(id, actor))
  return { text: `${id}: ${enabled ? 'ativo' : 'desativado'}`, json: { client_id: id, enabled } }
}

function secretOutcome(title: string, json: { client_id: string; client_secret: string | undefined }): Outcome {
  if (json.client_secret === undefined) return { text: title, json }
  return { text: `${title}\nSegredo (não será mostrado de novo): ${json.client_secret}`, json }
}

/** The metadata and policy that the flags and files say; the registry checks every member, so nothing is trusted here. */
function inputFrom(typed: Typed): { metadata: ClientRegistration['metadata']; policy: NonNullable<ClientRegistration['policy']> } {
  const metadata = withoutCode({ ...readJson(typed.text('metadados')), ...membersFrom(METADATA, typed) })
  const switches = { ...(typed.is('fapi') && { fapi2: true }), ...(typed.is('primeira-parte') && { firstParty: true }), ...(typed.is('representacao') && { representation: true }) }
  const policy = { ...readJson(typed.text('politica')), ...membersFrom(POLICY, typed), ...switches }
  return { metadata: metadata as ClientRegistration['metadata'], policy }
}

const optional = (flags: Readonly<Record<string, Flag>>) => Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, { ...flag, required: false }]))
const withoutId = (flags: Readonly<Record<string, Flag>>) => Object.fromEntries(Object.entries(flags).filter(([name]) => name !== 'id'))

function membersFrom(table: typeof METADATA, typed: Typed): Record<string, unknown> {
  const given = Object.entries(table).filter(([flag]) => typed.texts(flag).length > 0)
  return Object.fromEntries(given.map(([flag, [member, { multiple }]]) => [member, multiple ? typed.texts(flag) : typed.text(flag)]))
}

/** A machine that only asks for tokens of its own has no answer to an authorization request. */
function withoutCode(metadata: Record<string, unknown>): Record<string, unknown> {
  const grants = metadata['grant_types']
  const isMachine = Array.isArray(grants) && grants.length > 0 && grants.every((grant) => grant === 'client_credentials')
  return isMachine && metadata['response_types'] === undefined ? { ...metadata, response_types: [] } : metadata
}

function readJson(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {}
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (value && typeof value === 'object' && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: `${file} não abre ou não é JSON`, cause })
  }
  throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: `${file} não contém um objeto JSON` })
}

/** Without the secret's hash, whatever else the room's record holds. */
function shown({ id, metadata, policy, createdAt, updatedAt, disabledAt }: ClientRecord) {
  return { client_id: id, metadata, policy, created_at: createdAt, updated_at: updatedAt, disabled_at: disabledAt ?? null }
}

const day = (date: Date) => date.toISOString().slice(0, 10)
