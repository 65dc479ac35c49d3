import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Database } from '../../src/platform/db.ts'
import type { JobData } from '../../src/platform/jobs.ts'
import { createJobs } from '../../src/platform/jobs.ts'
import { silentLog } from '../../src/platform/log.ts'
import { testDatabases } from '../support/database.ts'
import { until } from '../support/until.ts'

for (const { label, open } of testDatabases()) {
  describe(`jobs on ${label}`, () => {
    let db: Database
    before(async () => {
      db = await open()
    })
    after(() => db.close())

    test('a job runs with its data; in a transaction only after the commit, and not after a rollback', async () => {
      const jobs = createJobs({ db, log: silentLog, pollSeconds: 0.5 })
      const ran: JobData[] = []
      jobs.work('greet', async (data) => void ran.push(data))
      await jobs.start()
      await jobs.send('greet', { id: 1 })
      await until(() => ran.length === 1)
      await db.transaction((tx) => jobs.send('greet', { id: 2 }, { tx }))
      await assert.rejects(
        db.transaction(async (tx) => {
          await jobs.send('greet', { id: 3 }, { tx })
          throw new Error('no')
        }),
      )
      await until(() => ran.length === 2)
      await jobs.stop()
      assert.deepEqual(ran, [{ id: 1 }, { id: 2 }])
    })

    test('a failing job is tried again, and what it threw is not stored', async () => {
      const jobs = createJobs({ db, log: silentLog, pollSeconds: 0.5 })
      let tries = 0
      jobs.work('flaky', async () => {
        if (++tries === 1) throw new Error('Maria 52998224725')
      })
      await jobs.start()
      await jobs.send('flaky', { id: 1 })
      await until(() => tries === 2, 15_000)
      await jobs.stop()
      const rows = await db.query("SELECT to_jsonb(job)::text AS text FROM jobs.job WHERE name = 'flaky'")
      assert.equal(rows.length, 1)
      assert.doesNotMatch(JSON.stringify(rows), /Maria|52998224725/)
    })

    test('a start on an existing database keeps waiting jobs, drops old schedules and asks little of it', async () => {
      let statements = 0
      const counted: Database = { ...db, raw: (...statement) => (statements++, db.raw(...statement)) }
      const first = createJobs({ db, log: silentLog })
      first.work('later', async () => {})
      first.schedule('nightly', '0 3 * * *', async () => {})
      await first.start()
      await first.send('later', { id: 7 }, { startAfterSeconds: 1 })
      await first.stop()
      const ran: JobData[] = []
      const second = createJobs({ db: counted, log: silentLog, pollSeconds: 0.5 })
      second.work('later', async (data) => void ran.push(data))
      await second.start()
      const asked = statements
      await until(() => ran.length === 1)
      await second.stop()
      assert.deepEqual(ran, [{ id: 7 }])
      assert.ok(asked < 30, `${asked} statements`)
      assert.deepEqual(await db.query('SELECT name FROM jobs.schedule'), [])
    })

    test('processes that start at once all work', async () => {
      const many = Array.from({ length: 4 }, () => createJobs({ db, log: silentLog }))
      for (const jobs of many) for (const name of ['shared', 'another', 'third']) jobs.work(name, async () => {})
      try {
        await Promise.all(many.map((jobs) => jobs.start()))
      } finally {
        await Promise.all(many.map((jobs) => jobs.stop()))
      }
    })

    test('a job without a handler is a mistake that shows at once', async () => {
      await assert.rejects(createJobs({ db, log: silentLog }).send('nobody', {}), /no handler/)
    })
  })
}
