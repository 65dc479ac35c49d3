import type { Actor, Oidc } from '../oidc/index.ts'
import { tableOutcome } from './cli.ts'
import { type Command, UsageError } from './command.ts'

export interface ResourceTools {
  readonly oidc: () => Promise<Pick<Oidc, 'resources'>>
  readonly actor: Actor
}

const TOKEN_SECONDS = 300

/** Commands about the APIs for which relying parties ask access tokens (RFC 8707). */
export function createResourceCommands({ oidc, actor }: ResourceTools): Command[] {
  return [
    {
      words: 'recurso definir',
      summary: 'Registra ou muda uma API para a qual se pedem tokens de acesso',
      notes: 'O cliente só pede tokens para os recursos que a política dele lista em "resources".',
      positionals: ['ENDEREÇO'],
      flags: {
        nome: { type: 'string', about: 'nome para os operadores', required: true },
        escopo: { type: 'string', value: 'ESCOPO', about: 'escopo que a API entende', multiple: true, required: true },
        formato: { type: 'string', value: 'FORMATO', about: 'opaque (padrão) ou jwt' },
        duracao: { type: 'string', value: 'SEGUNDOS', about: `vida do token; ${TOKEN_SECONDS} sem ela` },
        poder: { type: 'string', value: 'ESCOPO=PODER', about: 'poder (espaco:codigo) com que se troca um token por este escopo, em nome de outro', multiple: true },
        dono: { type: 'string', value: 'CLIENT_ID', about: 'cliente que pode consultar (introspecção) tokens dessa API' },
      },
      run: async ({ text, texts, positionals: [indicator = ''] }) => {
        const { resources } = await oidc()
        const format = text('formato') ?? 'opaque'
        if (format !== 'opaque' && format !== 'jwt') throw new UsageError('--formato é opaque ou jwt.')
        const resource = {
          indicator,
          name: text('nome') ?? '',
          scopes: [...texts('escopo')],
          tokenFormat: format,
          tokenSeconds: Number(text('duracao') ?? TOKEN_SECONDS),
          ownerClientId: text('dono'),
          scopePowers: powersOf(texts('poder')),
        } satisfies Parameters<Oidc['resources']['put']>[0]
        await resources.put(resource, actor)
        return { text: `Recurso registrado: ${indicator}`, json: resource }
      },
    },
    {
      words: 'recurso listar',
      summary: 'Lista as APIs registradas',
      run: async () => {
        const found = await (await oidc()).resources.list()
        const rows = found.map(({ indicator, name, tokenFormat, scopes }) => [indicator, name, tokenFormat, scopes.join(' ')])
        return tableOutcome(['endereço', 'nome', 'token', 'escopos'], rows, found, 'Nenhuma API registrada.')
      },
    },
  ]
}

/** `ipva.consultar=sefaz:ipva.consultar`, as often as wanted. */
function powersOf(texts: readonly string[]): Record<string, string[]> {
  const powers: Record<string, string[]> = {}
  for (const text of texts) {
    const [scope = '', power = ''] = text.split('=')
    if (scope === '' || power === '') throw new UsageError('--poder é ESCOPO=ESPAÇO:CÓDIGO.')
    powers[scope] = [...(powers[scope] ?? []), power]
  }
  return powers
}
