import type { ProblemKind } from './problem.ts'

/** The platform's problem kinds; HTTP's own are in http/. */
export const PLATFORM_PROBLEMS = {
  unexpected: { code: 'platform/unexpected', status: 500, title: 'Unexpected error' },
  databaseDown: { code: 'platform/database-down', status: 503, title: 'The database does not answer' },
  databaseTimeout: { code: 'platform/database-timeout', status: 503, title: 'The database took too long' },
  databaseInUse: { code: 'platform/database-in-use', status: 500, title: 'Another process has this data directory open' },
  migrationChanged: { code: 'platform/migration-changed', status: 500, title: 'An applied migration was changed' },
  migrationFailed: { code: 'platform/migration-failed', status: 500, title: 'A migration could not be applied' },
  masterKeyWrong: { code: 'platform/master-key-wrong', status: 500, title: 'The master key does not open this database' },
  sealBroken: { code: 'platform/seal-broken', status: 500, title: 'Stored data could not be opened' },
  busy: { code: 'platform/busy', status: 503, title: 'Too many requests at the moment' },
  deadline: { code: 'platform/deadline', status: 503, title: 'The work took too long' },
  workerLost: { code: 'platform/worker-lost', status: 503, title: 'The work was interrupted' },
  workerMissing: { code: 'platform/worker-missing', status: 503, title: 'This work cannot be done at the moment' },
  workFailed: { code: 'platform/work-failed', status: 500, title: 'The work could not be done' },
  channelMissing: { code: 'platform/channel-missing', status: 503, title: 'This kind of message cannot be sent here' },
  aborted: { code: 'platform/aborted', status: 499, title: 'The request was given up' },
} as const satisfies Record<string, ProblemKind>
