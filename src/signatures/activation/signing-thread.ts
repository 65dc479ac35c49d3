import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import { Problem, type ProblemKind } from '../../platform/problem.ts'
import { createWorkerPool, type PoolStats, WorkError, type WorkerPool } from '../../platform/worker-pool.ts'
import type { PersonKeyKind } from '../authority/signer.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { Activation } from './activation.ts'
import type { KeyRoomSettings } from './key-room.ts'
import type { LentItem } from '../lending/lent-item.ts'
import type { LentTerms } from './lent-key.ts'
import { SIGNING_REFUSALS, type SigningAnswer, type SigningRefusal, type SigningTask } from './signing-task.ts'

/** One proven activation in the thread. */
export interface SigningTicket {
  /** Opens the citizen's own key; its public key. @throws {Problem} signatures/wrong-signing-password */
  unlock(kept: { wrapped: Uint8Array; password: string; context: string }): Promise<Buffer>
  /** Call once the activation is burnt: the public key that signs now. @throws {Problem} signatures/activation-over */
  begin(keyKind: PersonKeyKind, now: Date): Promise<Buffer>
  /** Signatures with the digests of what they are under. @throws {Problem} signatures/not-the-documents, signatures/activation-over */
  sign(form: 'attributes' | 'hash', items: readonly Uint8Array[], now: Date): Promise<{ signatures: Buffer[]; digests: readonly string[] }>
  /** Call once the activation is burnt: a key for its citizen to keep, public, and private under their password. */
  make(key: { keyKind: PersonKeyKind; password: string; context: string }, now: Date): Promise<{ spki: Buffer; wrapped: Buffer }>
  /** Call once the activation is burnt: its key under a client's secret, for what the citizen agreed to. */
  lend(key: { keyKind: PersonKeyKind; secret: Uint8Array; expiresAt: Date }, now: Date): Promise<{ spki: Buffer; wrapped: Buffer }>
  /** The key is gone, whatever was left to sign. */
  forget(): Promise<void>
}

/** A key that was lent, and what opens it. */
export interface LentKey {
  readonly wrapped: Uint8Array
  readonly secret: Uint8Array
  readonly terms: LentTerms
}

export interface SigningThread {
  /** @throws {Problem} signatures/activation-unproven, signatures/activation-over */
  prove(evidence: { activation: Activation; idToken: string; keys: readonly JWK[]; now: Date }): Promise<SigningTicket>
  /** The lent key under another secret. @throws {Problem} signatures/activation-over */
  relend(lent: LentKey & { next: Uint8Array }, now: Date): Promise<Buffer>
  /** What the terms allow, signed. @throws {Problem} signatures/activation-over, signatures/not-the-documents */
  signLent(lent: LentKey, items: readonly LentItem[], now: Date): Promise<{ signatures: Buffer[]; digests: readonly string[] }>
  stats(): PoolStats
  close(): Promise<void>
}

/** One thread: a ticket's key is where its evidence was judged. A P-256 signature takes 20 µs, a password 0.2 s. */
const LIMITS = { size: 1, maxQueue: 256, deadlineMs: 15_000 } as const

const IDLE: PoolStats = { size: 0, busy: 0, queued: 0, done: 0, failed: 0, refused: 0, replaced: 0 }

const PROBLEMS: Readonly<Record<SigningRefusal, ProblemKind>> = {
  unproven: SIGNATURE_PROBLEMS.activationUnproven,
  'wrong-password': SIGNATURE_PROBLEMS.wrongSigningPassword,
  spent: SIGNATURE_PROBLEMS.activationOver,
  'not-the-documents': SIGNATURE_PROBLEMS.notTheDocuments,
  'unknown-ticket': SIGNATURE_PROBLEMS.activationOver,
}

/** The thread starts with the first task. */
export function createSigningThread(settings: KeyRoomSettings): SigningThread {
  let pool: WorkerPool<SigningTask, SigningAnswer> | undefined

  async function run(task: SigningTask, transfer: readonly ArrayBuffer[] = []): Promise<SigningAnswer> {
    pool ??= createWorkerPool({ file: new URL('./signing.worker.ts', import.meta.url), ...LIMITS, workerData: settings })
    try {
      return await pool.run(task, { transfer })
    } catch (error) {
      const refusal = error instanceof WorkError ? SIGNING_REFUSALS.find((code) => code === error.code) : undefined
      if (refusal && error instanceof WorkError) throw new Problem(PROBLEMS[refusal], { detail: error.message })
      throw error
    }
  }

  async function spkiFrom(task: SigningTask): Promise<Buffer> {
    return bufferOf((await run(task)).spki)
  }

  return {
    async prove({ activation: { signatory, credential, documents, open, ...facts }, idToken, keys, now }) {
      const ticket = randomUUID()
      const activation = { ...facts, content: { signatory, credential, documents: [...documents], ...(open && { open }) } }
      await run({ kind: 'prove', ticket, activation, idToken, keys: keys.map(publicPart), now })
      return {
        unlock: ({ wrapped, ...kept }) => spkiFrom({ kind: 'unlock', ticket, wrapped: new Uint8Array(wrapped), ...kept }),
        begin: (keyKind, at) => spkiFrom({ kind: 'begin', ticket, keyKind, now: at }),
        async sign(form, items, at) {
          const { signatures = [], digests = [] } = await run({ kind: 'sign', ticket, form, items: items.map((item) => new Uint8Array(item)), now: at })
          return { signatures: signatures.map(bufferOf), digests }
        },
        async make(key, at) {
          const { spki, wrapped } = await run({ kind: 'make', ticket, ...key, now: at })
          return { spki: bufferOf(spki), wrapped: bufferOf(wrapped) }
        },
        async lend({ secret, ...key }, at) {
          const { spki, wrapped } = await run({ kind: 'lend', ticket, ...key, secret: new Uint8Array(secret), now: at })
          return { spki: bufferOf(spki), wrapped: bufferOf(wrapped) }
        },
        forget: async () => void (await run({ kind: 'forget', ticket })),
      }
    },
    async relend({ next, ...lent }, at) {
      return bufferOf((await run({ kind: 'relend', ...copied(lent), next: new Uint8Array(next), now: at })).wrapped)
    },
    async signLent(lent, items, at) {
      const own = items.map(copiedItem)
      // Whole documents are given away, as to the thread of PDFs: cloning them takes ten times as long.
      const files = own.flatMap(({ file }) => file ?? [])
      const { signatures = [], digests = [] } = await run({ kind: 'sign-lent', ...copied(lent), items: own.map(({ item }) => item), now: at }, files)
      return { signatures: signatures.map(bufferOf), digests }
    },
    stats: () => pool?.stats() ?? IDLE,
    close: async () => pool?.close(),
  }
}

/** Buffers of a pool must not travel with all that lies beside them. */
function copied({ wrapped, secret, terms }: LentKey) {
  return { wrapped: new Uint8Array(wrapped), secret: new Uint8Array(secret), terms }
}

/** The item, and of what it holds the memory that may be given away. */
function copiedItem(item: LentItem): { item: LentItem; file?: ArrayBuffer } {
  if (item.kind === 'hash') return { item: { kind: 'hash', digest: new Uint8Array(item.digest) } }
  const attributes = new Uint8Array(item.attributes)
  if (item.kind === 'attributes') return { item: { kind: 'attributes', attributes } }
  const file = new Uint8Array(item.file)
  return { item: { ...item, attributes, file }, file: file.buffer }
}

/** The provider's keys come with their private halves; none of those is handed on. */
function publicPart({ kty, crv, x, y, n, e, kid, alg, use }: JWK): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ kty, crv, x, y, n, e, kid, alg, use }).filter(([, value]) => value !== undefined))
}

function bufferOf(bytes: Uint8Array | undefined): Buffer {
  if (!bytes) throw new Error('the signing thread answered without what it was asked for')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
