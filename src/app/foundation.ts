import type { Config } from '../platform/config.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Database, openDatabase } from '../platform/db.ts'
import { createDocuments, type Documents } from '../platform/documents/documents.ts'
import { createJobs, type Jobs } from '../platform/jobs.ts'
import { type Keyring, openKeyring } from '../platform/keyring.ts'
import { createLog, type Log } from '../platform/log.ts'
import { createMetrics, type Metrics } from '../platform/metrics.ts'
import { migrate } from '../platform/migrate.ts'
import { createOutbox, createTransports, type OutboxRelay } from '../platform/outbox.ts'

/** What every room stands on. */
export interface Foundation {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly db: Database
  readonly keyring: Keyring
  readonly jobs: Jobs
  readonly outbox: OutboxRelay
  readonly metrics: Metrics
  readonly documents: Documents
  close(): Promise<void>
}

export interface FoundationOptions {
  readonly config: Config
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
}

/** Opens database, keyring and outbox, the schema brought up to date first. */
export async function openFoundation({ config, clock = systemClock, log = createLog({ level: config.platform.logLevel }) }: FoundationOptions): Promise<Foundation> {
  const { platform, demo } = config
  const db = await openDatabase({ url: platform.databaseUrl, dataDir: platform.dataDir, poolSize: platform.databasePool })
  try {
    const applied = await migrate(db)
    if (applied.length > 0) log.info('database: migrations applied', { count: applied.length })
    const keyring = await openKeyring({ db, clock, masterKey: platform.masterKey, dataDir: platform.dataDir })
    const transports = createTransports({ smtpUrl: platform.smtpUrl, mailFrom: platform.mailFrom, dataDir: platform.dataDir, demo: demo.enabled })
    const outbox = createOutbox({ db, keyring, clock, log, transports })
    const documents = createDocuments()
    return {
      config, clock, log, db, keyring, outbox,
      jobs: createJobs({ db, log }),
      metrics: createMetrics(),
      documents,
      async close() {
        await documents.close()
        await keyring.close()
        await db.close()
      },
    }
  } catch (error) {
    await db.close()
    throw error
  }
}
