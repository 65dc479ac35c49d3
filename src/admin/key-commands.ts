import type { Actor, Oidc } from '../oidc/index.ts'
import type { Command } from './command.ts'
import { tableOutcome } from './cli.ts'

export interface KeyTools {
  readonly oidc: () => Promise<Pick<Oidc, 'keys'>>
  readonly actor: Actor
}

/** Commands about the keys that sign tokens. */
export function createKeyCommands({ oidc, actor }: KeyTools): Command[] {
  const keys = async () => (await oidc()).keys
  return [
    {
      words: 'chaves listar',
      summary: 'Lista as chaves publicadas; de cada algoritmo, a primeira assina',
      run: async () => {
        const published = (await keys()).current().jwks.map(({ kid, alg, use }) => ({ kid: String(kid), alg: String(alg), use: String(use) }))
        const rows = published.map(({ kid, alg }, index) => {
          const signs = published.findIndex((key) => key.alg === alg) === index
          return [kid, alg, signs ? 'assina' : 'publicada']
        })
        return tableOutcome(['kid', 'algoritmo', 'situação'], rows, published, 'Nenhuma chave ainda: elas nascem quando o servidor sobe.')
      },
    },
    {
      words: 'chaves rotacionar',
      summary: 'Faz o que a agenda de rotação pede; com --urgente, troca todas agora',
      notes: 'Normalmente a chave nova é publicada antes de assinar. --urgente é para chave vazada: quem guarda as chaves em cache pode recusar tokens por alguns minutos.',
      flags: { urgente: { type: 'boolean', about: 'troca todas as chaves de uma vez' } },
      run: async ({ is }) => {
        const added = await (await keys()).rotate({ urgent: is('urgente'), actor })
        return { text: added.length === 0 ? 'Nenhuma chave venceu: nada a fazer.' : `Novas chaves:\n${added.map((kid) => `  ${kid}\n`).join('')}`, json: { added } }
      },
    },
    {
      words: 'chaves recifrar',
      summary: 'Cifra de novo as chaves privadas com a chave de selo atual',
      notes: 'Depois de "cofre rotacionar", passado um minuto.',
      run: async () => {
        const count = await (await keys()).reseal()
        return { text: `${count} chaves cifradas de novo.`, json: { keys: count } }
      },
    },
  ]
}
