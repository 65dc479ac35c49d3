import type { Actor, Oidc } from '../../oidc/index.ts'
import { documentsPolicySchema } from '../../signatures/index.ts'
import { type Command, UsageError } from '../command.ts'

export interface DocumentsTools {
  readonly oidc: () => Promise<Pick<Oidc, 'clients'>>
  readonly actor: Actor
}

/** Commands about which systems may have documents signed. */
export function createDocumentsCommands({ oidc, actor }: DocumentsTools): Command[] {
  return [
    {
      words: 'assinaturas conceder',
      summary: 'Concede a um cliente a API de assinatura de documentos, com cota',
      positionals: ['CLIENT_ID'],
      flags: {
        'por-minuto': { type: 'string', value: 'N', about: 'chamadas por minuto; 120 sem ela' },
        'por-mes': { type: 'string', value: 'N', about: 'processos por mês; 100000 sem ela' },
      },
      run: async ({ text, positionals: [id = ''] }) => {
        const [perMinute, perMonth] = [text('por-minuto'), text('por-mes')].map((typed) => (typed === undefined ? undefined : Number(typed)))
        const parsed = documentsPolicySchema.safeParse({ perMinute, perMonth })
        if (!parsed.success) throw new UsageError('As cotas são números inteiros maiores que zero.')
        await (await oidc()).clients.change(id, { policy: { documents: parsed.data }, actor })
        return { text: JSON.stringify(parsed.data, null, 2), json: { client_id: id, documents: parsed.data } }
      },
    },
    {
      words: 'assinaturas retirar',
      summary: 'Retira de um cliente a API de assinatura; vale na chamada seguinte',
      positionals: ['CLIENT_ID'],
      run: async ({ positionals: [id = ''] }) => {
        await (await oidc()).clients.change(id, { policy: { documents: undefined }, actor })
        return { text: `${id}: sem a API de assinatura`, json: { client_id: id, documents: null } }
      },
    },
  ]
}
