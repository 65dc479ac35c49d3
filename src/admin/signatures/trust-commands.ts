import type { Actor } from '../../oidc/index.ts'
import type { TrustKind, TrustLevel, TrustList } from '../../signatures/index.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, UsageError } from '../command.ts'
import { readPem } from './pem.ts'

export interface TrustTools {
  readonly trust: () => Promise<TrustList>
  readonly actor: Actor
}

const LEVELS: Readonly<Record<string, TrustLevel>> = { avancada: 'advanced', qualificada: 'qualified' }
/** Of the two that the law knows, the level is known too. */
const KINDS: Readonly<Record<string, { readonly kind: TrustKind; readonly level?: TrustLevel }>> = {
  'icp-brasil': { kind: 'icp-brasil', level: 'qualified' }, 'gov-br': { kind: 'gov-br', level: 'advanced' }, outra: { kind: 'other' },
}

/** Commands about roots of others that the public verifier believes. */
export function createTrustCommands({ trust, actor }: TrustTools): Command[] {
  return [
    {
      words: 'confianca adicionar',
      summary: 'Passa a reconhecer, em /verificar, assinaturas de outra autoridade (ICP-Brasil, gov.br)',
      notes: 'Confira a impressão digital da raiz com quem a publica, por outro caminho que não o arquivo.',
      positionals: ['ARQUIVO'],
      flags: {
        nome: { type: 'string', about: 'como chamá-la', required: true },
        tipo: { type: 'string', value: 'TIPO', about: 'icp-brasil, gov-br ou outra (a que vale sem esta opção)' },
        nivel: { type: 'string', value: 'NÍVEL', about: 'de outra: avancada ou qualificada (Lei 14.063/2020, art. 4º)' },
      },
      run: async ({ text, positionals: [file = ''] }) => {
        const known = KINDS[text('tipo') ?? 'outra']
        if (!known) throw new UsageError('--tipo é icp-brasil, gov-br ou outra.')
        const level = LEVELS[text('nivel') ?? ''] ?? known.level
        if (!level) throw new UsageError('--nivel é avancada ou qualificada.')
        if (known.level && level !== known.level) throw new UsageError('O --nivel de icp-brasil é qualificada, o de gov-br avancada.')
        const { sha256, title } = await (await trust()).add({ der: readPem(file, 'CERTIFICATE'), title: text('nome') ?? '', kind: known.kind, level, actor })
        return { text: `${title}: ${sha256}`, json: { sha256, title, kind: known.kind, level } }
      },
    },
    {
      words: 'confianca listar',
      summary: 'Lista as raízes de outros que /verificar reconhece',
      run: async () => {
        const list = await (await trust()).list()
        return tableOutcome(['SHA-256', 'tipo', 'nível', 'nome'], list.map(({ sha256, kind, level, title }) => [sha256, kind, level, title]), list.map(({ sha256, kind, level, title }) => ({ sha256, kind, level, title })), 'Nenhuma: só a nossa AC é reconhecida.')
      },
    },
    {
      words: 'confianca retirar',
      summary: 'Deixa de reconhecer uma raiz',
      positionals: ['SHA-256'],
      run: async ({ positionals: [sha256 = ''] }) => {
        await (await trust()).remove(sha256.toLowerCase(), actor)
        return { text: `Retirada: ${sha256}`, json: { sha256 } }
      },
    },
  ]
}
