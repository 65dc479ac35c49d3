import type { HttpContext } from '../../../platform/http/request-facts.ts'
import type { LentItem } from '../../lending/lent-item.ts'
import { parseCertificate } from '../../authority/certificate.ts'
import type { CmsDraft } from '../../cms/signed-data.ts'
import { fewAtOnce } from '../../few-at-once.ts'
import type { LentSigner } from '../../lending/lendings.ts'
import type { Evidence } from '../../pdf/long-term.ts'
import type { PreparedPdf } from '../../pdf/place.ts'
import type { Signing } from '../../signing/signing.ts'
import type { TimeStamping } from '../../timestamp/time-stamping.ts'
import type { SigningApiDependencies } from '../govbr.routes.ts'
import { admitSad, checkAlgorithm, type SigningCall } from './admission.ts'
import { LONGEST_DOCUMENTS, signDocRequest } from './contract.ts'
import { type DocumentPlan, plansOf } from './document-plan.ts'
import { readFilesJson } from './refusal.ts'
import { answerWithFiles, type SignDocAnswer } from './sign-doc-answer.ts'
import { checkAllowed, claimSignatures } from './sign-hash.ts'

/** What makes whole signatures of a key's, and where this server is found. */
export interface CscService {
  readonly publicUrl: string
  readonly signing: Signing
  readonly stamping: Pick<TimeStamping, 'check' | 'token'>
}

export type CscDependencies = SigningApiDependencies & { readonly service: CscService }

const LONGEST_BODY = LONGEST_DOCUMENTS + 64 * 1024
/** Of calls that are read or worked on: of all clients, and of one. Each costs several times its length. */
export const SIGN_DOC_BODIES = { bytes: 12 * LONGEST_BODY, bytesEach: 4 * LONGEST_BODY, bodiesEach: 20, longest: LONGEST_BODY } as const
/** Neither changes the document's digest that the citizen agreed to, nor says anything that they were not shown. */
const SENTENCE = 'Assinatura eletrônica avançada (Lei 14.063/2020)'

/** A plan with its PDF made ready, and the signature that waits for the key. */
interface Work {
  readonly plan: DocumentPlan
  readonly prepared: PreparedPdf | undefined
  readonly draft: CmsDraft
}

/**
 * For a caller that was admitted: AdES signatures under documents, or under digests of documents that the client keeps.
 *
 * The SAD names the document's own SHA-256, as it came to the client: the update of a PDF is made here, and the signing thread looks
 * that it is one of that very document. Whatever can fail without the key fails before the SAD is used up.
 */
export async function signDoc(deps: CscDependencies, ctx: HttpContext): Promise<void> {
  const asked = await readFilesJson(ctx, signDocRequest, LONGEST_BODY)
  const call = await admitSad(deps, ctx, asked)
  const plans = plansOf(asked)
  for (const { signAlgo } of plans) checkAlgorithm(call.credential, signAlgo)
  checkAllowed(call, plans.map(({ digest }) => digest), 'documentDigests or documents are not authorized by the SAD')
  if (plans.some(({ form }) => form !== 'B-B')) await deps.service.stamping.check()
  const works = await prepare(deps, call, plans)
  await claimSignatures(deps, ctx, call, plans.length)
  const signer = await deps.signing.lendings.take(call.token, 'all')
  answerWithFiles(ctx, await finish(deps, signer, works, { wantsEvidence: asked.returnValidationInfo }))
}

function prepare({ service: { signing, publicUrl } }: CscDependencies, { credential: { certificates }, client, lending }: SigningCall, plans: readonly DocumentPlan[]): Promise<Work[]> {
  const { x509 } = parseCertificate(certificates[0])
  const name = /^CN=(.*)$/m.exec(x509.subject)?.[1] ?? ''
  const at = lending.createdAt
  const reason = `${SENTENCE}, por ${client.name}. Confira em ${publicUrl}/verificar`
  return fewAtOnce(plans, async (plan) => {
    const { kind, form, document, certifies, attaches } = plan
    const prepared = kind === 'pdf' && document ? await signing.preparePdf(document, { reason, name, at, ...(certifies && { certify: 2 as const }) }) : undefined
    const digest = prepared ? Buffer.from(prepared.digest) : Buffer.from(plan.digest, 'hex')
    return { plan, prepared, draft: signing.draft({ kind, digest, certificates, at, form, ...(attaches && { content: document }) }) }
  })
}

function itemOf({ plan: { document }, prepared, draft: { toBeSigned: attributes } }: Work): LentItem {
  if (!prepared || !document) return { kind: 'attributes', attributes }
  return { kind: 'update', attributes, file: prepared.file, documentBytes: document.length, place: prepared.place }
}

const isLasting = ({ plan: { kind, form } }: Work) => kind === 'pdf' && (form === 'B-LT' || form === 'B-LTA')

async function finish({ service: { signing } }: CscDependencies, signer: LentSigner, works: readonly Work[], { wantsEvidence }: { wantsEvidence: boolean }): Promise<SignDocAnswer> {
  const { certificates } = signer
  const signatures = await signer.sign(works.map(itemOf))
  // After the signatures: it says that the certificate was good when they were there.
  const evidence = wantsEvidence || works.some(isLasting) ? await signing.evidence(certificates) : undefined
  const made = await fewAtOnce(works, async ({ plan, prepared, draft }, index) => {
    const cms = await draft.complete(signatures[index] ?? Buffer.alloc(0))
    const bytes = prepared ? await signing.finishPdf(prepared, { cms, certificates, form: plan.form, evidence }) : cms
    return { holdsDocument: prepared !== undefined || plan.attaches, bytes }
  })
  const [whole, apart] = [made.filter(({ holdsDocument }) => holdsDocument), made.filter(({ holdsDocument }) => !holdsDocument)]
  // Whoever keeps the PDF has to put the evidence in, and is given it even unasked.
  const owesEvidence = works.some((work) => isLasting(work) && !work.prepared)
  return {
    DocumentWithSignature: whole.map(({ bytes }) => bytes),
    SignatureObject: apart.map(({ bytes }) => bytes),
    validationInfo: evidence && (wantsEvidence || owesEvidence) ? spoken(evidence) : undefined,
  }
}

function spoken({ answers, lists, certificates }: Evidence): object {
  const texts = (found: readonly Uint8Array[]) => found.map((der) => Buffer.from(der).toString('base64'))
  return { ocsp: texts(answers), crl: texts(lists), certificates: texts(certificates) }
}
