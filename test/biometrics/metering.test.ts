/** Statements from the journal, on both databases; and every edit behind the program's back, found. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createMetering, type Metering } from '../../src/biometrics/index.ts'
import { createSigns } from '../../src/biometrics/points/metering/signs.ts'
import { Problem } from '../../src/platform/problem.ts'
import { type CaptureScene, openCaptureScene, OPERATOR } from '../support/capture-scene.ts'
import { testDatabases } from '../support/database.ts'

const PLAN = { kind: 'fixed', pointCents: 100_000, franchise: 2, excessCents: 950, hours: { weekdays: [1, 2, 3, 4, 5, 6, 7], opens: '09:00', closes: '10:00' } }
const refusal = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

for (const { label, open } of testDatabases()) {
  describe(`metering on ${label}`, () => {
    let scene: CaptureScene
    let metering: Metering
    let token: string
    before(async () => {
      scene = await openCaptureScene(open)
      metering = createMetering(scene)
      token = scene.client('coletora')
      scene.clock.set(new Date('2026-11-01T04:00:00Z'))
      for (const code of ['p1', 'p2', 'p3']) await scene.point(code)
      await scene.point('outro', { contract: 'contrato-2' })
    })
    after(() => scene.close())

    /** Processes at a point, by the API. */
    async function capture(code: string, count: number): Promise<void> {
      const bytes = await scene.picture(300, 100)
      for (let made = 0; made < count; made += 1) {
        const done = await scene.capture(token, [{ tipo: 'assinatura', bytes }], { ponto: code })
        assert.equal(done.status, 200, JSON.stringify(done.body))
      }
    }
    /** Edits a table as its owner can: with the triggers off. */
    async function tamper(table: string, sql: string): Promise<void> {
      await scene.db.execute(`ALTER TABLE ${table} DISABLE TRIGGER USER`)
      await scene.db.execute(sql)
      await scene.db.execute(`ALTER TABLE ${table} ENABLE TRIGGER USER`)
    }
    const faults = async () => (await metering.verify()).map(({ what, which }) => `${what} ${which}`)

    test('without a plan there is no statement, and a plan is set for a month and those after it', async () => {
      await assert.rejects(metering.statement('contrato-1', '2026-11'), refusal('points/plan-missing'))
      await assert.rejects(metering.setPlan('contrato-1', '2026-11', { ...PLAN, excessCents: 0.5 }, OPERATOR), refusal('points/plan-invalid'))
      await metering.setPlan('contrato-1', '2026-11', { ...PLAN, excessCents: 1 }, OPERATOR)
      await metering.setPlan('contrato-1', '2026-11', PLAN, OPERATOR)
      await metering.setPlan('contrato-1', '2027-01', { kind: 'per-process', processCents: 500, hours: PLAN.hours }, OPERATOR)
      await assert.rejects(metering.statement('contrato-1', '2026-10'), refusal('points/plan-missing'))
      assert.deepEqual(await metering.contracts(), ['contrato-1', 'contrato-2'])
      assert.deepEqual(await faults(), [])
    })

    test('the statement is the journal to the last process: counted once, at their points, in the month of our clock', async () => {
      await capture('p1', 5)
      await capture('p2', 1)
      await capture('outro', 1)
      const { statement, closedAt } = await metering.statement('contrato-1', '2026-11')
      assert.equal(closedAt, undefined)
      assert.deepEqual(statement.points.map(({ code, processes, excess, unused, received, given, payable }) => [code, processes, excess, unused, received, given, payable]), [
        ['p1', 5, 3, 0, 3, 0, 0], ['p2', 1, 0, 1, 0, 1, 0], ['p3', 0, 0, 2, 0, 2, 0],
      ])
      assert.deepEqual([statement.processes, statement.compensated, statement.payable, statement.fixedCents, statement.totalCents], [6, 3, 0, 300_000, 300_000])
      const [row] = await scene.db.query<{ count: number }>("SELECT count(*)::int AS count FROM metering_journal WHERE contract = 'contrato-1'")
      assert.equal(row?.count, statement.processes)
    })

    test('availability: a point’s word and the service’s probe together, five minutes each', async () => {
      const signs = createSigns({ db: scene.db, clock: scene.clock, tryOut: async () => {} })
      const broken = createSigns({ db: scene.db, clock: scene.clock, tryOut: () => Promise.reject(new Error('down')) })
      const { id } = await scene.points.get('p1')
      scene.clock.set(new Date('2026-11-01T13:00:00Z'))
      for (let slot = 0; slot < 12; slot += 1) {
        if (slot !== 3) await signs.beat(id, slot !== 4)
        if (slot === 5) await signs.beat(id, false)
        assert.equal(await (slot === 6 ? broken : signs).probe(), slot !== 6)
        scene.clock.advance(5 * 60_000)
      }
      const { statement } = await metering.statement('contrato-1', '2026-11')
      assert.deepEqual(statement.points.map(({ code, expected, available }) => [code, expected, available]), [['p1', 12, 8], ['p2', 12, 0], ['p3', 12, 0]])
      assert.deepEqual([statement.expected, statement.available, statement.promiseKept], [36, 8, false])
    })

    test('a month is closed after its end, once; then neither plan nor numbers move', async () => {
      await assert.rejects(metering.close('contrato-1', '2026-11', OPERATOR), refusal('points/month-open'))
      scene.clock.set(new Date('2026-12-01T04:59:59Z'))
      await assert.rejects(metering.close('contrato-1', '2026-11', OPERATOR), refusal('points/month-open'))
      scene.clock.advance(1000)
      await scene.points.move('p3', 'retire', OPERATOR)
      const both = await Promise.allSettled([metering.close('contrato-1', '2026-11', OPERATOR), metering.close('contrato-1', '2026-11', OPERATOR)])
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      await assert.rejects(metering.setPlan('contrato-1', '2026-10', PLAN, OPERATOR), refusal('points/month-closed'))
      const closed = await metering.statement('contrato-1', '2026-11')
      assert.deepEqual([closed.closedAt?.toISOString(), closed.statement.processes, closed.statement.points.length], ['2026-12-01T05:00:00.000Z', 6, 3])
      await assert.rejects(scene.db.execute("UPDATE metering_statement SET body = '{}'"), /append-only/)
      await assert.rejects(scene.db.execute('DELETE FROM metering_journal'), /append-only/)
      assert.deepEqual(await faults(), [])
    })

    test('in December the semester is settled on closed months: what one paid too many another’s rest gives back', async () => {
      await capture('p2', 7)
      const { statement } = await metering.statement('contrato-1', '2026-12')
      assert.equal(statement.points.find(({ code }) => code === 'p3')?.wasActive, true, 'it was active in December’s first hour')
      assert.deepEqual([statement.payable, statement.unused], [1, 0])
      assert.deepEqual(statement.semester.map(({ month, payable, unused, credited }) => [month, payable, unused, credited]), [['2026-11', 0, 0, 0], ['2026-12', 1, 0, 0]])
      scene.clock.set(new Date('2027-01-05T12:00:00Z'))
      await metering.close('contrato-1', '2026-12', OPERATOR)
      assert.deepEqual(await faults(), [])
      await capture('p1', 3)
      const next = (await metering.statement('contrato-1', '2027-01')).statement
      assert.deepEqual([next.plan.kind, next.totalCents, next.points.map(({ code }) => code)], ['per-process', 1500, ['p1', 'p2']])
    })

    test('an edited statement, journal, state or plan is found, and so is one that came from nowhere or is gone', async () => {
      const original = (await scene.db.query<{ body: string }>("SELECT body FROM metering_statement WHERE month = '2026-11'"))[0]?.body ?? ''
      const restore = `UPDATE metering_statement SET body = '${original}' WHERE month = '2026-11'`
      await tamper('metering_statement', `UPDATE metering_statement SET body = replace(body, '"processes":5', '"processes":4') WHERE month = '2026-11'`)
      assert.deepEqual(await faults(), ['statement-changed contrato-1 2026-11', 'statement-wrong contrato-1 2026-11'])
      await tamper('metering_statement', restore)
      assert.deepEqual(await faults(), [])

      const { id } = await scene.points.get('p1')
      const [row] = await scene.db.query<{ process_id: string; counted_at: Date }>("SELECT process_id, counted_at FROM metering_journal WHERE point_id = $1 AND month = '2026-11' LIMIT 1", [id])
      const process = row?.process_id ?? assert.fail()
      await tamper('metering_journal', `UPDATE metering_journal SET month = '2026-12' WHERE process_id = '${process}'`)
      assert.deepEqual(await faults(), [`journal-changed ${process}`, 'statement-wrong contrato-1 2026-11', 'statement-wrong contrato-1 2026-12'])
      await tamper('metering_journal', `DELETE FROM metering_journal WHERE process_id = '${process}'`)
      assert.deepEqual(await faults(), [`journal-missing ${process}`, 'statement-wrong contrato-1 2026-11'])
      await tamper('metering_journal', `INSERT INTO metering_journal VALUES ('${process}', '${id}', 'contrato-1', '2026-11', false, now()), ('00000000-0000-4000-8000-000000000001', '${id}', 'contrato-1', '2027-01', false, now())`)
      assert.deepEqual(await faults(), ['journal-forged 00000000-0000-4000-8000-000000000001'])
      await tamper('metering_journal', "DELETE FROM metering_journal WHERE process_id = '00000000-0000-4000-8000-000000000001'")

      await tamper('capture_point_state', `INSERT INTO capture_point_state VALUES ('${id}', 2, 'suspended', now())`)
      assert.deepEqual(await faults(), [`state-forged ${id}`])
      await tamper('capture_point_state', `DELETE FROM capture_point_state WHERE point_id = '${id}' AND seq = 2`)
      await scene.db.execute(`UPDATE metering_plan SET plan = replace(plan, '950', '951') WHERE from_month = '2026-11'`)
      assert.deepEqual(await faults(), ['plan-changed contrato-1 2026-11'])
      await scene.db.execute(`UPDATE metering_plan SET plan = replace(plan, '951', '950') WHERE from_month = '2026-11'`)
      await tamper('metering_statement', "DELETE FROM metering_statement WHERE month = '2026-12'")
      assert.deepEqual(await faults(), ['statement-missing contrato-1 2026-12'])
    })
  })
}
