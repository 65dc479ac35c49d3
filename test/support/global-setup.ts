/** `node --test --test-global-setup=test/support/global-setup.ts`: one PostgreSQL for all test files. */

import type { PostgresServer } from './postgres.ts'
import { findPostgresBinaries, startPostgres } from './postgres.ts'

let server: PostgresServer | undefined

export async function globalSetup(): Promise<void> {
  if (process.env['MT_TEST_POSTGRES_URL'] || !findPostgresBinaries()) return
  server = await startPostgres()
  process.env['MT_TEST_POSTGRES_URL'] = server.url
}

export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
