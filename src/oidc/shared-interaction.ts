import type { IncomingMessage } from 'node:http'
import type { InteractionInstance, Provider } from 'oidc-provider'
import { withMemory } from './adapter/request-memory.ts'

/**
 * Reads an interaction once for each request of a page.
 *
 * A page asks for the details and then, in the same request, hands in a result, for which the provider would read and check it again. What
 * could change in between is checked once more when the authorization goes on (`resume`): the session and that it is still the same one.
 */
export function shareInteractions(provider: Provider): void {
  const read = new WeakMap<IncomingMessage, Promise<InteractionInstance>>()
  const details = provider.interactionDetails
  provider.interactionDetails = (req, res) => {
    const known = read.get(req) ?? withMemory(() => details.call(provider, req, res))
    read.set(req, known)
    return known
  }
  provider.interactionResult = async (req, res, result, { mergeWithLastSubmission = true } = {}) => {
    const interaction = await provider.interactionDetails(req, res)
    interaction.result = mergeWithLastSubmission && !('error' in result) ? { ...interaction.lastSubmission, ...result } : result
    await interaction.save(interaction.exp - Math.floor(Date.now() / 1000))
    return interaction.returnTo
  }
}
