import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { createWorkerPool, WorkError, type WorkerPool } from '../../platform/worker-pool.ts'
import type { Authority } from '../authority/authority.ts'
import type { InstalledAuthority } from '../authority/authority.store.ts'
import { parseCertificate } from '../authority/certificate.ts'
import { revokedSerials } from '../authority/chain.ts'
import type { Representation } from '../cms/representation.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { CertificateStatuses } from '../status/status.ts'
import type { TrustAnchor } from './trust.store.ts'
import type { TrustList } from './trust-list.ts'
import { type Judgement, type Revocation, revocationByEvidence, timeStampVerdictOf, type TimeStampVerdict, type Verdict, VERDICTS, verdictOf } from './verdict.ts'
import type { ContentDigests, VerifyFileTask } from './verify-file.ts'
import type { Known, Seen, SeenForm, SeenSignature, SeenTimeStamp, VerifyTask } from './verify-pdf.ts'

export const LEVELS_OF_SIGNATURE = ['demonstration', 'advanced', 'qualified'] as const
export type SignatureLevel = (typeof LEVELS_OF_SIGNATURE)[number]

export interface VerifiedSignature extends Judgement {
  readonly level: SignatureLevel | undefined
  /** What an operator calls the root, when it is another's. */
  readonly authority: string | undefined
  readonly form: SeenForm
  readonly signer: string | undefined
  readonly organization: string | undefined
  /** Only of our own certificates: nobody else's word is good for our mandates. */
  readonly representation: Representation | undefined
  readonly reason: string | undefined
  readonly stampedAt: Date | undefined
  readonly stampedBy: string | undefined
  readonly stampFault: boolean
  readonly coversAll: boolean
  readonly unchanged: boolean
  readonly laterStamps: boolean
  /** The signer allowed nobody to change or sign the document afterwards. */
  readonly isLocked: boolean
  /** Names from the signer's up to the one below the root. */
  readonly chain: readonly string[]
}

/** A time-stamp of a whole document. */
export interface VerifiedTimeStamp {
  readonly verdict: TimeStampVerdict
  readonly at: Date | undefined
  readonly by: string | undefined
  readonly coversAll: boolean
}

export interface Verification {
  readonly sha256: string
  /** The worst of all; `none` for a file that nobody signed. */
  readonly verdict: Verdict | 'none'
  readonly signatures: readonly VerifiedSignature[]
  readonly timeStamps: readonly VerifiedTimeStamp[]
}

/** A file that a signature stands beside: itself, or its digests in hexadecimal by name; undefined for a signature that carries it. */
export type SignedContent = Buffer | ContentDigests | undefined

export interface Verifier {
  /** A signed PDF. @throws {Problem} signatures/not-verifiable with the reason as detail; platform/busy, platform/deadline */
  verify(pdf: Buffer): Promise<Verification>
  /** A signature of any file (CAdES, PKCS #7). @throws {Problem} as `verify` */
  verifyFile(signature: Buffer, content: SignedContent): Promise<Verification>
  close(): Promise<void>
}

const LIMITS = { size: 1, maxQueue: 8, deadlineMs: 10_000 } as const

export interface VerifierDependencies {
  readonly clock: Clock
  readonly authority: Pick<Authority, 'list'>
  readonly statuses: Pick<CertificateStatuses, 'statusOf' | 'revokedStampers'>
  readonly trust: Pick<TrustList, 'list'>
}

interface Roots {
  readonly installed: readonly InstalledAuthority[]
  readonly anchors: readonly TrustAnchor[]
}

/** Judges files in a thread of its own; nothing of a file is kept. */
export function createVerifier({ clock, authority, statuses, trust }: VerifierDependencies): Verifier {
  let pool: WorkerPool<VerifyTask | VerifyFileTask, Seen> | undefined

  /** What is `given` is given away: cloning it on the way to the thread takes ten times as long, and others wait meanwhile. */
  async function look(task: VerifyTask | VerifyFileTask, given: readonly Uint8Array<ArrayBuffer>[]): Promise<Seen> {
    pool ??= createWorkerPool({ file: new URL('./verify.worker.ts', import.meta.url), ...LIMITS })
    try {
      return await pool.run(task, { transfer: given.map(({ buffer }) => buffer) })
    } catch (error) {
      if (error instanceof WorkError) throw new Problem(SIGNATURE_PROBLEMS.notVerifiable, { detail: error.message })
      throw error
    }
  }

  async function whomWeKnow(): Promise<{ roots: Roots; known: Known }> {
    const [installed, anchors, lost] = await Promise.all([authority.list(), trust.list(), statuses.revokedStampers()])
    return {
      roots: { installed, anchors },
      known: {
        roots: [...installed.map(({ root }) => root), ...anchors.map(({ der }) => der)], known: installed.map(({ certificate }) => certificate), now: clock.now(),
        lost: lost.map(({ serial, issuer, at, reason }) => ({ serial, issuer, at, isCompromised: reason === 'keyCompromise' })),
      },
    }
  }

  /** The whole path as it was when the signature was made; without a time-stamp any revocation counts. */
  async function revocationOf(seen: SeenSignature, ours: InstalledAuthority | undefined): Promise<Revocation | undefined> {
    const { path, stampedAt } = seen
    if (path.length === 0) return undefined
    if (!ours) return revocationByEvidence(seen)
    const [leaf, issuing] = path
    const lost = issuing && revokedSerials(ours.rootCrl).get(issuing.serial)
    if (lost && !(stampedAt && stampedAt < lost)) return 'revoked-before'
    const status = leaf && (await statuses.statusOf(parseCertificate(leaf.issuer), leaf.serial))
    if (status?.kind === 'good') return 'good'
    // Below our root, and nothing that we issued.
    if (status?.kind !== 'revoked') return 'revoked-before'
    return stampedAt && stampedAt < status.at ? 'revoked-after' : 'revoked-before'
  }

  async function judge(seen: SeenSignature, { installed, anchors }: Roots): Promise<VerifiedSignature> {
    const root = seen.root && Buffer.from(seen.root)
    const ours = root && installed.find((each) => each.root.equals(root))
    const anchor = root && !ours ? anchors.find(({ der }) => der.equals(root)) : undefined
    const revocation = await revocationOf(seen, ours)
    const { form, signer, organization, reason, stampedAt, stampedBy, stampFault, coversAll, unchanged, laterStamps } = seen
    return {
      verdict: verdictOf(seen, revocation), revocation, level: ours ? (ours.demo ? 'demonstration' : 'advanced') : anchor && levelOf(anchor, seen), authority: anchor?.title,
      representation: ours && seen.representation, isLocked: seen.permission === 1, chain: seen.path.map(({ name }) => name),
      form, signer, organization, reason, stampedAt, stampedBy, stampFault, coversAll, unchanged, laterStamps,
    }
  }

  async function resultOf({ signatures, timeStamps, sha256 }: Seen, roots: Roots): Promise<Verification> {
    const judged: VerifiedSignature[] = []
    for (const seen of signatures) judged.push(await judge(seen, roots))
    const times = timeStamps.map(timeOf)
    const worst = VERDICTS.find((each) => judged.some(({ verdict }) => verdict === each) || times.some(({ verdict }) => verdict === each && verdict !== 'unknown'))
    return { sha256, verdict: judged.length === 0 && worst === 'valid' ? 'none' : (worst ?? 'none'), signatures: judged, timeStamps: times }
  }

  return {
    async verify(pdf) {
      const { roots, known } = await whomWeKnow()
      const copy = new Uint8Array(pdf)
      return resultOf(await look({ ...known, pdf: copy }, [copy]), roots)
    },
    async verifyFile(signature, content) {
      const { roots, known } = await whomWeKnow()
      const copies = [signature, ...(Buffer.isBuffer(content) ? [content] : [])].map((each) => new Uint8Array(each))
      const [own = new Uint8Array(), file] = copies
      return resultOf(await look({ ...known, signature: own, content: file ?? (Buffer.isBuffer(content) ? undefined : content) }, copies), roots)
    },
    close: async () => pool?.close(),
  }
}

const timeOf = (seen: SeenTimeStamp): VerifiedTimeStamp => ({ verdict: timeStampVerdictOf(seen), at: seen.at, by: seen.by, coversAll: seen.coversAll })

/** Below ICP-Brasil's root there are certificates for machines, too: only those for signatures of people and companies make qualified ones. */
function levelOf({ kind, level }: TrustAnchor, { hasQualifiedPolicy }: SeenSignature): SignatureLevel {
  return kind === 'icp-brasil' && !hasQualifiedPolicy ? 'advanced' : level
}
