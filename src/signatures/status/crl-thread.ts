import { setImmediate as turn } from 'node:timers/promises'
import { createWorkerPool, type WorkerPool } from '../../platform/worker-pool.ts'
import type { Issuer } from '../authority/certificate.ts'
import { type CrlRequest, issueCrl, REVOCATION_REASONS, type RevocationReason, type RevokedEntry } from '../authority/crl.ts'

/** Makes lists of any length while others are served. */
export interface CrlThread {
  /** @throws {Problem} platform/busy, platform/deadline */
  issue(request: Omit<CrlRequest, 'revoked'> & { readonly revoked: readonly RevokedEntry[] }, issuer: Issuer): Promise<Buffer>
  close(): Promise<void>
}

const LIMITS = { size: 1, maxQueue: 16, deadlineMs: 60_000 } as const
/** A shorter list is made sooner than it is sent to a thread. */
const SHORT = 500
/** As many as are packed before others have their turn. */
const PIECE = 2000

/** The thread starts with the first long list. */
export function createCrlThread(): CrlThread {
  let pool: WorkerPool<readonly string[], Uint8Array<ArrayBuffer>> | undefined
  return {
    async issue(request, issuer) {
      const { revoked } = request
      if (revoked.length <= SHORT) return issueCrl(request, issuer)
      pool ??= createWorkerPool({ file: new URL('./crl.worker.ts', import.meta.url), ...LIMITS })
      const pieces: string[] = []
      for (let from = 0; from < revoked.length; from += PIECE) {
        pieces.push(packEntries(revoked.slice(from, from + PIECE)))
        await turn()
      }
      const entries = await pool.run(pieces)
      return issueCrl({ ...request, revoked: Buffer.from(entries.buffer) }, issuer)
    },
    close: async () => pool?.close(),
  }
}

/** As text, which goes to a thread in one piece; an object for each entry would be cloned one by one. */
function packEntries(revoked: readonly RevokedEntry[]): string {
  return revoked.map(({ serial, at, reason }) => `${serial} ${at.getTime()} ${reason}`).join('\n')
}

export function unpackEntries(piece: string): RevokedEntry[] {
  return piece.split('\n').map((line) => {
    const [serial = '', at, reason = ''] = line.split(' ')
    if (!isReason(reason)) throw new Error('no entry')
    return { serial, at: new Date(Number(at)), reason }
  })
}

const isReason = (text: string): text is RevocationReason => text in REVOCATION_REASONS
