/**
 * The image service on the embedded database: what one item costs over HTTP from its last byte to its seal, and the statement of 141 points.
 *
 * What the nets take of a face is `bench face`; here a photograph of 600 × 800 is checked, made upright, sealed twice and told to the record.
 */
import { createMetering } from '../src/biometrics/index.ts'
import { openCaptureScene, OPERATOR } from '../test/support/capture-scene.ts'
import { atMost, percentile, type Result } from './result.ts'

export const name = 'captures'

const ITEMS = 60
const WARM_UP = 5
const POINTS = 141
const PROCESSES = 200
const ROUNDS = 5
const PLAN = { kind: 'fixed', pointCents: 250_000, excessCents: 950, hours: { weekdays: [1, 2, 3, 4, 5], opens: '08:00', closes: '17:00' } }

export async function run(): Promise<readonly Result[]> {
  const scene = await openCaptureScene()
  try {
    const token = scene.client('coletora')
    for (let index = 1; index <= POINTS; index += 1) await scene.point(`p${index}`)
    const tookMs: number[] = []
    for (let index = 0; index < WARM_UP + ITEMS; index += 1) {
      const bytes = await scene.picture()
      const opened = await scene.open(token, [{ tipo: 'foto', bytes }])
      const [item] = opened.body['itens'] as unknown as { envio: string }[]
      if (item === undefined) throw new Error('a process was not opened')
      const begun = performance.now()
      const sent = await scene.send(token, item, bytes)
      if (sent.status !== 200) throw new Error(`an item was not taken: ${sent.status}`)
      if (index >= WARM_UP) tookMs.push(performance.now() - begun)
    }
    const [item, atWorst] = [percentile(tookMs, 0.5), percentile(tookMs, 0.99)]
    const statementMs = await timeStatement(scene)
    return [
      atMost({ bench: name, metric: 'one item, from its bytes to its seal, median', value: item, unit: 'ms' }),
      atMost({ bench: name, metric: 'the same, 99th percentile', value: atWorst, unit: 'ms' }),
      atMost({ bench: name, metric: `statement of ${POINTS} points, ${POINTS * PROCESSES} processes, a month of signs, median`, value: statementMs, unit: 'ms' }),
    ]
  } finally {
    await scene.close()
  }
}

/** A whole month of every point: its processes, and a sign every five minutes. */
async function timeStatement(scene: Awaited<ReturnType<typeof openCaptureScene>>): Promise<number> {
  const { db } = scene
  await db.execute(
    `INSERT INTO metering_journal SELECT gen_random_uuid(), id, contract, '2026-11', false, now() FROM capture_point, generate_series(1, ${PROCESSES})`,
  )
  const slots = `generate_series('2026-11-01T04:00Z'::timestamptz, '2026-12-01T03:55Z'::timestamptz, '5 minutes') AS slot`
  await db.execute(`INSERT INTO metering_heart_beat SELECT id, slot, true FROM capture_point, ${slots}`)
  await db.execute(`INSERT INTO metering_probe SELECT slot, true FROM ${slots}`)
  scene.clock.set(new Date('2026-12-02T12:00:00Z'))
  const metering = createMetering(scene)
  await metering.setPlan('contrato-1', '2026-11', PLAN, OPERATOR)
  const tookMs: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now()
    const { statement } = await metering.statement('contrato-1', '2026-11')
    tookMs.push(performance.now() - begun)
    if (statement.processes !== POINTS * PROCESSES) throw new Error('the statement does not add up')
  }
  return percentile(tookMs, 0.5)
}
