/** Points, a plan and counted processes for tests of the operators' pages. */
import { randomUUID } from 'node:crypto'
import { createMetering, createPoints, monthOf, monthsBefore } from '../../../src/biometrics/index.ts'
import { insertBatch } from '../../../src/biometrics/points/capture/batch.store.ts'
import { createJournal } from '../../../src/biometrics/points/metering/journal.ts'
import { createSigns } from '../../../src/biometrics/points/metering/signs.ts'
import type { TestArea } from '../../portal/support/area.ts'

export const METER_OPERATOR = { kind: 'operator', id: 'test' } as const
export const METER_PLAN = { kind: 'fixed', pointCents: 250_000, franchise: 2, excessCents: 950, hours: { weekdays: [1, 2, 3, 4, 5, 6, 7], opens: '00:00', closes: '24:00' } }

/** Three points of one contract: 5, 1 and 0 processes in this month; one lacks a batch. */
export async function fillPoints({ app, clock }: TestArea): Promise<{ contract: string; code: string }> {
  const { db } = app.foundation
  const record = { db, clock, audit: app.rooms.audit }
  const [points, journal, metering] = [createPoints(record), createJournal(record), createMetering(record)]
  const signs = createSigns({ db, clock, tryOut: async () => {} })
  // No earlier: a semester is settled on closed months only.
  const [month, lastMonth = month] = monthsBefore(monthOf(clock.now()), 2)
  if (lastMonth === undefined) throw new Error('a month has one before it')
  await metering.setPlan('contrato-1', lastMonth, METER_PLAN, METER_OPERATOR)
  for (const [code, processes] of [['cba-01', 5], ['cba-02', 1], ['vg-01', 0]] as const) {
    const { id: pointId } = await points.add(
      { code, unitCode: 'cba-centro', title: `Balcão ${code}`, device: 'Câmera X', maintainer: 'Mantenedora', clientId: 'coletora', contract: 'contrato-1', vouched: false }, METER_OPERATOR,
    )
    for (let count = 0; count < processes; count += 1) {
      const process = { processId: randomUUID(), pointId, contract: 'contrato-1', clientId: 'coletora', offline: false, ledgerId: randomUUID() }
      await db.transaction((tx) => journal.count(tx, process))
    }
    if (code !== 'vg-01') await signs.beat(pointId, code === 'cba-01')
    if (code === 'cba-01') {
      const batch = { id: randomUUID(), pointId, sequence: 3, digest: Buffer.alloc(32), manifest: Buffer.alloc(1), keyId: 'k', clock: 'fits', signedAt: clock.now(), receivedAt: clock.now() } as const
      await insertBatch(db, batch)
    }
  }
  return { contract: 'contrato-1', code: 'cba-01' }
}
