import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Whoever began to make it and is gone by now does not keep the others from it. */
const GIVEN_UP_MS = 120_000

/** Resolves when `file` is there: made by this process, or by another one that began before, while this one waits. */
export async function madeOnce(file: string, make: () => Promise<void>): Promise<void> {
  const lock = `${file}.lock`
  while (!existsSync(file)) {
    if (!take(lock)) {
      await sleep(50)
      continue
    }
    try {
      if (!existsSync(file)) await make()
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
}

function take(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
    if (since !== undefined && Date.now() - since > GIVEN_UP_MS) rmSync(lock, { recursive: true, force: true })
    return false
  }
}
