import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { admitService } from './admission.ts'
import { STAMP_DIGESTS, stampRequest } from './contract.ts'
import { invalid, readJson } from './refusal.ts'
import type { CscDependencies } from './sign-doc.ts'

const LONGEST_BODY = 4096
const LENGTHS = { sha256: 32, sha384: 48, sha512: 64 } as const

/** A time-stamp token by our own authority (RFC 3161); it counts as a signature of the client's month. */
export async function stamp(deps: CscDependencies, ctx: HttpContext): Promise<void> {
  const { client } = await admitService(deps, ctx)
  const { hash, hashAlgo, nonce } = await readJson(ctx, stampRequest, LONGEST_BODY)
  const [digest, imprint] = [STAMP_DIGESTS[hashAlgo], Buffer.from(hash, 'base64')]
  if (imprint.toString('base64') !== hash) throw invalid('Invalid Base64 hash string parameter')
  if (imprint.length !== LENGTHS[digest]) throw invalid('Invalid digest value length')
  await deps.claims.signatures(ctx, client, 1)
  const request = { imprint, digest, nonce: nonce?.padStart(nonce.length + (nonce.length % 2), '0'), wantsCertificates: true }
  ctx.body = { timestamp: (await deps.service.stamping.token(request, { kind: 'client', id: client.id })).toString('base64') }
}
