import type { Actor, Oidc } from '../../oidc/index.ts'
import { SIGNING_APIS, signingApiPolicySchema } from '../../signatures/index.ts'
import { type Command, UsageError } from '../command.ts'

export interface SigningApiTools {
  readonly oidc: () => Promise<Pick<Oidc, 'clients'>>
  readonly actor: Actor
}

/** Commands about which systems may be lent citizens' keys. */
export function createSigningApiCommands({ oidc, actor }: SigningApiTools): Command[] {
  return [
    {
      words: 'chaves conceder',
      summary: 'Concede a um cliente as APIs de assinatura com a chave do cidadão, com cota',
      positionals: ['CLIENT_ID'],
      flags: {
        api: { type: 'string', value: 'API[,API]', about: `${SIGNING_APIS.join(', ')}; as duas sem ela` },
        'sem-redirecionar': { type: 'boolean', about: 'na API CSC, pede a assinatura na conta do cidadão (modo explicit), sem levá-lo até ela' },
        'por-minuto': { type: 'string', value: 'N', about: 'chamadas por minuto; 120 sem ela' },
        'por-mes': { type: 'string', value: 'N', about: 'assinaturas por mês; 100000 sem ela' },
      },
      run: async ({ text, is, positionals: [id = ''] }) => {
        const [perMinute, perMonth] = [text('por-minuto'), text('por-mes')].map((typed) => (typed === undefined ? undefined : Number(typed)))
        const parsed = signingApiPolicySchema.safeParse({ apis: (text('api') ?? SIGNING_APIS.join()).split(','), perMinute, perMonth, explicit: is('sem-redirecionar') })
        if (!parsed.success) throw new UsageError(`As APIs são ${SIGNING_APIS.join(' e ')}; as cotas são números inteiros maiores que zero.`)
        await (await oidc()).clients.change(id, { policy: { signing: parsed.data }, actor })
        return { text: JSON.stringify(parsed.data, null, 2), json: { client_id: id, signing: parsed.data } }
      },
    },
    {
      words: 'chaves retirar',
      summary: 'Retira de um cliente as APIs de assinatura; vale na chamada seguinte',
      positionals: ['CLIENT_ID'],
      run: async ({ positionals: [id = ''] }) => {
        await (await oidc()).clients.change(id, { policy: { signing: undefined }, actor })
        return { text: `${id}: sem as APIs de assinatura`, json: { client_id: id, signing: null } }
      },
    },
  ]
}
