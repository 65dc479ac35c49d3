/** The proof of a citizen's will: an id_token of our own provider whose nonce names exactly what is signed. */
import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose'
import { z } from 'zod'
import { LEVELS, levelUrn } from '../../assurance/index.ts'
import { equalSecrets } from '../../platform/keyring.ts'
import { ACTIVATION_SECONDS, type Activation, nonceOf } from './activation.ts'

/** The only issuer and audience whose tokens prove anything here. */
export interface EvidenceRule {
  readonly issuer: string
  readonly audience: string
}

/** Why a token proves nothing; a word for the log and the tests, never shown as it is. */
export type EvidenceFault = 'token' | 'audience' | 'nonce' | 'subject' | 'late' | 'old' | 'level' | 'weak'

const claims = z.object({
  aud: z.string(),
  sub: z.string(),
  nonce: z.string(),
  acr: z.string(),
  auth_time: z.number(),
  aal: z.string().optional(),
  face_time: z.number().optional(),
})

/** From prata on; bronze signs nothing. */
const LEVEL_URNS: readonly string[] = LEVELS.filter((level) => level !== 'bronze').map(levelUrn)
const SECOND_FACTOR: readonly string[] = ['aal2', 'aal3']

export interface EvidenceToCheck {
  readonly idToken: string
  /** Public keys of the provider. */
  readonly keys: readonly JWK[]
  readonly activation: Activation
  readonly now: Date
}

/**
 * What is wrong with a token as the proof of this activation; nothing when it proves it.
 *
 * It has to be signed by the provider for this server's own area, by the activation's citizen, with the binding digest as its nonce; the
 * sign-in behind it is younger than the activation, at aal2, or a face check is. An access to one of these tokens is worth one activation.
 */
export async function findEvidenceFault({ issuer, audience }: EvidenceRule, { idToken, keys, activation, now }: EvidenceToCheck): Promise<EvidenceFault | undefined> {
  const found = await verified(idToken, keys, { issuer, now })
  if (typeof found === 'string') return found
  if (found.aud !== audience) return 'audience'
  if (!equalSecrets(found.nonce, nonceOf(activation))) return 'nonce'
  if (found.sub !== activation.accountId) return 'subject'
  if (now >= activation.expiresAt) return 'late'
  const [opened, present] = [Math.floor(activation.createdAt.getTime() / 1000), Math.floor(now.getTime() / 1000)]
  const isOfNow = (seconds: number | undefined) => seconds !== undefined && seconds >= opened && seconds <= present && present - seconds <= ACTIVATION_SECONDS
  if (!isOfNow(found.auth_time)) return 'old'
  if (!LEVEL_URNS.includes(found.acr)) return 'level'
  const hasFace = isOfNow(found.face_time)
  return hasFace || SECOND_FACTOR.includes(found.aal ?? '') ? undefined : 'weak'
}

async function verified(idToken: string, keys: readonly JWK[], { issuer, now }: { issuer: string; now: Date }): Promise<z.infer<typeof claims> | EvidenceFault> {
  try {
    const { payload } = await jwtVerify(idToken, createLocalJWKSet({ keys: [...keys] }), { issuer, algorithms: ['RS256', 'ES256'], currentDate: now })
    const parsed = claims.safeParse(payload)
    return parsed.success ? parsed.data : 'token'
  } catch (error) {
    if (error instanceof errors.JOSEError) return 'token'
    throw error
  }
}
