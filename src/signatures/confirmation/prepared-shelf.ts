import type { Prepared } from './preparation.ts'

/** Of all attempts together; what does not fit is prepared anew when it is signed. */
const MOST_BYTES = 64 * 1024 * 1024

/** Keeps what was prepared between a question and its proof, in this process's memory: saves the work, and nothing depends on it. */
export interface PreparedShelf {
  put(attemptId: string, prepared: readonly Prepared[], expiresAt: Date): void
  /** What is there, which is then there no more. */
  take(attemptId: string): readonly Prepared[] | undefined
}

export function createPreparedShelf(): PreparedShelf {
  const shelf = new Map<string, { prepared: readonly Prepared[]; bytes: number; timer: NodeJS.Timeout }>()
  let held = 0
  const drop = (attemptId: string) => {
    const found = shelf.get(attemptId)
    if (!found) return undefined
    clearTimeout(found.timer)
    shelf.delete(attemptId)
    held -= found.bytes
    return found.prepared
  }
  return {
    put(attemptId, prepared, expiresAt) {
      const bytes = prepared.reduce((sum, { pdf, content }) => sum + content.bytes.length + (pdf?.file.length ?? 0), 0)
      if (held + bytes > MOST_BYTES) return
      const timer = setTimeout(() => drop(attemptId), Math.max(0, expiresAt.getTime() - Date.now())).unref()
      shelf.set(attemptId, { prepared, bytes, timer })
      held += bytes
    },
    take: drop,
  }
}
