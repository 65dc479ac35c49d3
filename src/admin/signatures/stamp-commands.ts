import type { Actor, Oidc } from '../../oidc/index.ts'
import { stampPolicySchema } from '../../signatures/index.ts'
import { type Command, UsageError } from '../command.ts'

export interface StampTools {
  readonly oidc: () => Promise<Pick<Oidc, 'clients'>>
  readonly actor: Actor
}

/** Commands about who may have time-stamps. */
export function createStampCommands({ oidc, actor }: StampTools): Command[] {
  return [
    {
      words: 'carimbo conceder',
      summary: 'Concede a um cliente o carimbo do tempo (RFC 3161), com cota',
      positionals: ['CLIENT_ID'],
      flags: {
        'por-minuto': { type: 'string', value: 'N', about: 'carimbos por minuto; 60 sem ela' },
        'por-mes': { type: 'string', value: 'N', about: 'carimbos por mês; 10000 sem ela' },
      },
      run: async ({ text, positionals: [id = ''] }) => {
        const [perMinute, perMonth] = [text('por-minuto'), text('por-mes')].map((typed) => (typed === undefined ? undefined : Number(typed)))
        const parsed = stampPolicySchema.safeParse({ perMinute, perMonth })
        if (!parsed.success) throw new UsageError('As cotas são números inteiros maiores que zero.')
        await (await oidc()).clients.change(id, { policy: { timeStamps: parsed.data }, actor })
        return { text: JSON.stringify(parsed.data, null, 2), json: { client_id: id, time_stamps: parsed.data } }
      },
    },
    {
      words: 'carimbo retirar',
      summary: 'Retira de um cliente o carimbo do tempo; vale na chamada seguinte',
      positionals: ['CLIENT_ID'],
      run: async ({ positionals: [id = ''] }) => {
        await (await oidc()).clients.change(id, { policy: { timeStamps: undefined }, actor })
        return { text: `${id}: sem carimbo do tempo`, json: { client_id: id, time_stamps: null } }
      },
    },
  ]
}
