import type { ReceiptKeys } from '../../biometrics/index.ts'
import type { Actor } from '../../oidc/index.ts'
import { tableOutcome } from '../cli.ts'
import type { Command } from '../command.ts'

export interface ReceiptKeyTools {
  readonly keys: () => Promise<ReceiptKeys>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: Actor
}

/** Commands about the keys that sign receipts of reference images and results of validations. */
export function createReceiptKeyCommands({ keys, actor }: ReceiptKeyTools): Command[] {
  return [
    {
      words: 'recibos chaves',
      summary: 'Lista as chaves dos recibos; a primeira assina, todas conferem',
      run: async () => {
        const known = (await (await keys()).list()).map(({ publicKey }) => publicKey)
        const rows = known.map(({ kid, alg }, index) => [kid, alg, index === 0 ? 'assina' : 'confere'])
        return tableOutcome(['kid', 'algoritmo', 'situação'], rows, known, '')
      },
    },
    {
      words: 'recibos rotacionar',
      summary: 'Faz uma chave nova, que assina os recibos a partir de agora',
      notes: 'Os recibos de antes continuam a conferir: cada um diz qual chave o assinou, e nenhuma deixa de ser publicada.',
      run: async () => {
        const kid = await (await keys()).rotate(actor)
        return { text: `Nova chave dos recibos: ${kid}`, json: { kid } }
      },
    },
  ]
}
