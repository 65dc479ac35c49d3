/** Runs after `npm ci`: makes the empty database that a first start copies. Without it a first start makes its own, in twice the time. */
import process from 'node:process'

try {
  const { prepareTemplate } = await import('../src/platform/database/pglite.ts')
  await prepareTemplate()
} catch (error) {
  process.stderr.write(`No empty database could be prepared, the first start will make its own: ${error instanceof Error ? error.message : 'unknown failure'}\n`)
}
