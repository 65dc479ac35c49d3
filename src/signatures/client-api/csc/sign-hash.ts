import type { HttpContext } from '../../../platform/http/request-facts.ts'
import type { SigningApiDependencies } from '../govbr.routes.ts'
import { admitCaller, admitSad, checkAlgorithm, readHash, type SigningCall } from './admission.ts'
import { signHashRequest } from './contract.ts'
import { invalid, readJson, Refusal } from './refusal.ts'

const LONGEST_BODY = 32 * 1024

/** All hashes of the SAD or some of them, each once and in one call: whatever comes, the SAD is used up by it. */
export async function signHash(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  await admitCaller(deps, ctx)
  const asked = await readJson(ctx, signHashRequest, LONGEST_BODY)
  const call = await admitSad(deps, ctx, asked)
  checkAlgorithm(call.credential, asked.signAlgo)
  const digests = asked.hashes.map(readHash)
  checkAllowed(call, digests.map((digest) => digest.toString('hex')), 'Hash is not authorized by the SAD')
  await claimSignatures(deps, ctx, call, digests.length)
  const signer = await deps.signing.lendings.take(call.token, 'all')
  const signatures = await signer.sign(digests.map((digest) => ({ kind: 'hash', digest })))
  ctx.body = { signatures: signatures.map((signature) => signature.toString('base64')) }
}

/** Each of them, once: what is not agreed to does not cost the SAD. @throws {Refusal} */
export function checkAllowed({ allowed }: SigningCall, digests: readonly string[], refusal: string): void {
  if (new Set(digests).size !== digests.length || digests.some((digest) => !allowed.includes(digest))) throw invalid(refusal)
}

/** @throws {Refusal | Problem} */
export async function claimSignatures({ people, claims }: SigningApiDependencies, ctx: HttpContext, { lending, client }: SigningCall, count: number): Promise<void> {
  if (!(await people.isRegular(lending.terms.accountId))) throw new Refusal(403, 'access_denied', 'The signer may not sign now')
  await claims.signatures(ctx, client, count)
}
