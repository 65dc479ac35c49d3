import type { Actor } from '../../oidc/index.ts'
import type { TrustLevel, TrustList } from '../../signatures/index.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, UsageError } from '../command.ts'
import { readPem } from './pem.ts'

export interface TrustTools {
  readonly trust: () => Promise<TrustList>
  readonly actor: Actor
}

const LEVELS: Readonly<Record<string, TrustLevel>> = { avancada: 'advanced', qualificada: 'qualified' }

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
        nivel: { type: 'string', value: 'NÍVEL', about: 'avancada ou qualificada (Lei 14.063/2020, art. 4º)', required: true },
      },
      run: async ({ text, positionals: [file = ''] }) => {
        const level = LEVELS[text('nivel') ?? '']
        if (!level) throw new UsageError('--nivel é avancada ou qualificada.')
        const { sha256, title } = await (await trust()).add({ der: readPem(file, 'CERTIFICATE'), title: text('nome') ?? '', level, actor })
        return { text: `${title}: ${sha256}`, json: { sha256, title, level } }
      },
    },
    {
      words: 'confianca listar',
      summary: 'Lista as raízes de outros que /verificar reconhece',
      run: async () => {
        const list = await (await trust()).list()
        return tableOutcome(['SHA-256', 'nível', 'nome'], list.map(({ sha256, level, title }) => [sha256, level, title]), list.map(({ sha256, level, title }) => ({ sha256, level, title })), 'Nenhuma: só a nossa AC é reconhecida.')
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
