import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { MOST_DOCUMENTS } from '../../activation/activation.ts'
import type { Credential } from '../../credentials/credential.ts'
import type { SigningApiDependencies } from '../govbr.routes.ts'
import { admitService, readHash, type ServiceCall } from './admission.ts'
import { AUTH_OBJECT, authorizeRequest, challengeRequest, checkRequest } from './contract.ts'
import { invalid, invalidParameter, readJson, Refusal } from './refusal.ts'

const LONGEST_BODY = 32 * 1024

/** A number that the client shows, and our page too: the citizen compares them. */
export async function getChallenge(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const call = await admitService(deps, ctx)
  const { credentialID, authObjectID } = await readJson(ctx, challengeRequest, LONGEST_BODY)
  const { id: credentialId } = await explicitCredential(deps, call, credentialID)
  if (authObjectID !== AUTH_OBJECT) throw invalidParameter('authObjectID')
  ctx.body = { challenge: await deps.signing.handles.number({ clientId: call.client.id, accountId: call.accountId, credentialId }) }
}

/** The citizen is asked in their own area; the client waits with the handle. */
export async function authorize(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const call = await admitService(deps, ctx)
  const asked = await readJson(ctx, authorizeRequest, LONGEST_BODY)
  const { id: credentialId } = await explicitCredential(deps, call, asked.credentialID)
  if (asked.numSignatures > MOST_DOCUMENTS) throw invalid('Numbers of signatures is too high')
  const hashes = asked.hashes.map((hash) => readHash(hash).toString('hex'))
  if (asked.numSignatures !== hashes.length) throw invalid('Invalid value for parameter numSignatures')
  if (new Set(hashes).size !== hashes.length) throw invalidParameter('hashes')
  const [auth, ...more] = asked.authData
  if (auth?.id !== AUTH_OBJECT || more.length > 0) throw invalidData()
  const label = (index: number) => [asked.description, hashes.length > 1 || !asked.description ? `${index + 1}` : undefined].filter((part) => part).join(' · ')
  const documents = hashes.map((hash, index) => ({ hash, label: label(index) }))
  const { client, accountId } = call
  const redirectUri = client.redirectUris[0] ?? ''
  const waiting = await deps.signing.handles.ask({ clientId: client.id, accountId, credentialId, redirectUri, documents, challenge: auth.value })
  if (!waiting) throw invalidData()
  ctx.status = 202
  ctx.body = waiting
}

/** The SAD, as soon as the citizen agreed; given out once. */
export async function authorizeCheck(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const { client, accountId } = await admitService(deps, ctx)
  const { handle } = await readJson(ctx, checkRequest, LONGEST_BODY)
  if (!client.policy.explicit) throw invalidParameter('handle')
  const found = await deps.signing.handles.collect(handle, { clientId: client.id, accountId })
  if (!found) throw invalidParameter('handle')
  if (found.state === 'refused') throw new Refusal(400, 'access_denied', 'The signer refused')
  ctx.status = found.state === 'waiting' ? 202 : 200
  ctx.body = found.state === 'waiting' ? { handle } : { SAD: found.token, expiresIn: found.secondsLeft }
}

const invalidData = () => new Refusal(400, 'invalid_authentication_data', 'The authentication data is invalid')

/** Only for a client that an operator let ask without a redirect. @throws {Refusal} */
async function explicitCredential({ signing }: SigningApiDependencies, { accountId, client }: ServiceCall, id: string): Promise<Credential> {
  const credential = (await signing.credentials.list(accountId)).find((one) => one.id === id)
  if (!credential) throw invalidParameter('credentialID')
  if (!client.policy.explicit) throw invalid('The credential is authorized by oauth2/authorize: its auth/mode is oauth2code')
  if (credential.state !== 'active') throw invalid('The credential identified by credentialID is disabled')
  return credential
}
