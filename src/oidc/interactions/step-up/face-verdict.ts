import { type Assurance, isLevelAtLeast, type Level } from '../../../assurance/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { LivenessVerdict } from '../../../biometrics/index.ts'
import type { Sql } from '../../../platform/db.ts'

/** The image that a face was compared with, and whose it is. */
export interface FaceReference {
  readonly personId: string
  readonly imageId: string
  readonly inPerson: boolean
}

/** Whose face was checked, and for which relying party. */
export interface FaceSubject {
  readonly accountId: string
  readonly clientId: string
  readonly reference: FaceReference
  readonly levelBefore: Level
}

/** What the evidence keeps of the decision: nets, operating point, threshold and scores; no image and no template. */
function decisionOf({ scores, modelId, padModel, k, point, threshold }: LivenessVerdict): Readonly<Record<string, unknown>> {
  return { scores, modelId, k, point, threshold, ...(padModel && { padModel }) }
}

/**
 * Writes down what a judged face check is worth, in the transaction of the verdict; answers the level that it raised to, if any.
 *
 * A refused one leaves a line in the ledger too: somebody showed a face for this person.
 */
export async function settleFaceCheck(
  tx: Sql,
  { assurance, audit }: { assurance: Assurance; audit: Audit },
  subject: FaceSubject,
  verdict: LivenessVerdict,
): Promise<Level | undefined> {
  const { accountId, clientId, reference, levelBefore } = subject
  const actor = { kind: 'citizen', id: accountId } as const
  if (!verdict.passed) {
    const data = { reasons: [...verdict.reasons], modelId: verdict.modelId }
    await audit.record(tx, { type: 'oidc/face-check-refused', actor, subject: accountId, clientId, data })
    return undefined
  }
  const evidence = await assurance.add(tx, {
    method: 'face-match',
    livenessClass: verdict.class,
    referenceTrusted: true,
    referenceInPerson: reference.inPerson,
    personId: reference.personId,
    accountId,
    source: 'image-store',
    actor,
    imageId: reference.imageId,
    details: decisionOf(verdict),
  })
  const grants = evidence?.grants
  const data = { livenessClass: verdict.class, modelId: verdict.modelId, imageId: reference.imageId, ...(grants && { grants }) }
  await audit.record(tx, { type: 'oidc/face-check-passed', actor, subject: accountId, clientId, data })
  return grants !== undefined && !isLevelAtLeast(levelBefore, grants) ? grants : undefined
}
