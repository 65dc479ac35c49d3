import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves as soon as the condition holds; fails after the deadline. */
export async function until(condition: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(10)) if (await condition()) return
  assert.ok(await condition(), `not within ${deadlineMs} ms`)
}
