import { interactionPolicy, type Prompt, type ProviderContext } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import { type Representations, SELECT_PARTY } from './representations.ts'

/**
 * The question "for whom?", between who the person is and what they agree to.
 *
 * Asked only for relying parties that registered for representation: where the person may act for somebody and has not said yet in this
 * session, where what they said is over, or where `prompt=select_account` asks anew. For all others that value changes nothing.
 */
export function partyPrompt({ mustAsk }: Pick<Representations, 'mustAsk'>, policyOf: (ctx: ProviderContext) => ClientPolicy): Prompt {
  const check = new interactionPolicy.Check('party_not_chosen', 'the end-user must say for whom they act', 'account_selection_required', mustAsk)
  const prompt = new interactionPolicy.Prompt({ name: SELECT_PARTY, requestable: true }, () => ({}), check)
  const requested = prompt.checks.get(`${SELECT_PARTY}_prompt`)
  if (!requested) throw new Error('the provider has no check for a requested prompt')
  const ask = requested.check
  requested.check = (ctx) => policyOf(ctx).representation && ask(ctx)
  return prompt
}
