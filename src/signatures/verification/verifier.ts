import { createHash } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { createWorkerPool, WorkError, type WorkerPool } from '../../platform/worker-pool.ts'
import type { Authority } from '../authority/authority.ts'
import type { InstalledAuthority } from '../authority/authority.store.ts'
import { parseCertificate } from '../authority/certificate.ts'
import { revokedSerials } from '../authority/chain.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { CertificateStatuses } from '../status/status.ts'
import type { TrustList } from './trust-list.ts'
import type { SeenPdf, SeenSignature, VerifyTask } from './verify-pdf.ts'

/** What we say of one signature, worst first. */
export const VERDICTS = ['forged', 'changed', 'unreadable', 'revoked', 'unknown', 'valid'] as const
export type Verdict = (typeof VERDICTS)[number]
export const LEVELS_OF_SIGNATURE = ['demonstration', 'advanced', 'qualified'] as const
export type SignatureLevel = (typeof LEVELS_OF_SIGNATURE)[number]

/** `unchecked`: of another's certificate, whose list we do not fetch for a stranger. */
export type Revocation = 'good' | 'revoked-before' | 'revoked-after' | 'unchecked'

export interface VerifiedSignature {
  readonly verdict: Verdict
  readonly level: SignatureLevel | undefined
  readonly signer: string | undefined
  readonly organization: string | undefined
  readonly reason: string | undefined
  readonly stampedAt: Date | undefined
  readonly stampFault: boolean
  readonly coversAll: boolean
  readonly unchanged: boolean
  readonly revocation: Revocation | undefined
  /** Names from the signer's up to the one below the root. */
  readonly chain: readonly string[]
}

export interface Verification {
  readonly sha256: string
  /** The worst of all; `none` for a file that nobody signed. */
  readonly verdict: Verdict | 'none'
  readonly signatures: readonly VerifiedSignature[]
}

export interface Verifier {
  /** @throws {Problem} signatures/not-verifiable with the reason as detail; platform/busy, platform/deadline */
  verify(pdf: Buffer): Promise<Verification>
  close(): Promise<void>
}

const LIMITS = { size: 1, maxQueue: 8, deadlineMs: 10_000 } as const

export interface VerifierDependencies {
  readonly clock: Clock
  readonly authority: Pick<Authority, 'list'>
  readonly statuses: Pick<CertificateStatuses, 'statusOf'>
  readonly trust: Pick<TrustList, 'list'>
}

/** Judges files in a thread of its own; nothing of a file is kept. */
export function createVerifier({ clock, authority, statuses, trust }: VerifierDependencies): Verifier {
  let pool: WorkerPool<VerifyTask, SeenPdf> | undefined

  async function look(task: VerifyTask): Promise<SeenPdf> {
    pool ??= createWorkerPool({ file: new URL('./verify.worker.ts', import.meta.url), ...LIMITS })
    try {
      return await pool.run(task)
    } catch (error) {
      if (error instanceof WorkError) throw new Problem(SIGNATURE_PROBLEMS.notVerifiable, { detail: error.message })
      throw error
    }
  }

  /** The whole path as it was when the signature was made; without a time-stamp any revocation counts. */
  async function revocationOf({ path, stampedAt }: SeenSignature, ours: InstalledAuthority | undefined): Promise<Revocation | undefined> {
    if (path.length === 0) return undefined
    if (!ours) return 'unchecked'
    const [leaf, issuing] = path
    const lost = issuing && revokedSerials(ours.rootCrl).get(issuing.serial)
    if (lost && !(stampedAt && stampedAt < lost)) return 'revoked-before'
    const status = leaf && (await statuses.statusOf(parseCertificate(leaf.issuer), leaf.serial))
    if (status?.kind === 'good') return 'good'
    // Below our root, and nothing that we issued.
    if (status?.kind !== 'revoked') return 'revoked-before'
    return stampedAt && stampedAt < status.at ? 'revoked-after' : 'revoked-before'
  }

  /** A time-stamp by a key of ours that was lost says nothing, and one from after its certificate ended neither. */
  async function isStampLost({ stampedBy, stampedAt }: SeenSignature): Promise<boolean> {
    if (!stampedBy || !stampedAt) return false
    const status = await statuses.statusOf(parseCertificate(stampedBy.issuer), stampedBy.serial)
    return status.kind === 'revoked' && (status.reason === 'keyCompromise' || status.at <= stampedAt)
  }

  return {
    async verify(pdf) {
      const [installed, anchors] = await Promise.all([authority.list(), trust.list()])
      const { signatures } = await look({ pdf, roots: [...installed.map(({ root }) => root), ...anchors.map(({ der }) => der)], known: installed.map(({ certificate }) => certificate), now: clock.now() })
      const judged: VerifiedSignature[] = []
      for (const found of signatures) {
        const seen = (await isStampLost(found)) ? { ...found, stampedAt: undefined, stampFault: true } : found
        const root = seen.root && Buffer.from(seen.root)
        const ours = root && installed.find((each) => each.root.equals(root))
        const level = ours ? (ours.demo ? 'demonstration' : 'advanced') : root && anchors.find(({ der }) => der.equals(root))?.level
        const revocation = await revocationOf(seen, ours)
        judged.push({
          verdict: verdictOf(seen, revocation), level, signer: seen.signer, organization: seen.organization, reason: seen.reason, stampedAt: seen.stampedAt,
          stampFault: seen.stampFault, coversAll: seen.coversAll, unchanged: seen.unchanged, revocation, chain: seen.path.map(({ name }) => name),
        })
      }
      const worst = VERDICTS.find((each) => judged.some(({ verdict }) => verdict === each))
      return { sha256: createHash('sha256').update(pdf).digest('hex'), verdict: worst ?? 'none', signatures: judged }
    },
    close: async () => pool?.close(),
  }
}

function verdictOf({ fault, unchanged, path, stampFault }: SeenSignature, revocation: Revocation | undefined): Verdict {
  if (fault === 'range' || fault === 'signature-wrong' || fault === 'certificate-other') return 'forged'
  if (fault === 'content-changed') return 'changed'
  if (fault !== undefined || stampFault) return 'unreadable'
  if (!unchanged) return 'changed'
  if (path.length === 0) return 'unknown'
  return revocation === 'revoked-before' ? 'revoked' : 'valid'
}
