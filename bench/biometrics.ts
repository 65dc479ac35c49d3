/**
 * Measures recognition on a folder of photographs: `npm run bench:biometrics -- --data DIR [--pairs N]`.
 *
 * DIR holds `NAME-pairs.tsv` (columns a, b, same) and the pictures in `NAME/`, named `Person_0001.jpg`. Nothing of them is written anywhere.
 * Terms of ISO/IEC 19795-1. Not one of the benchmarks that `npm run bench` runs: it needs photographs that may not be distributed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import { calibrationOf } from '../src/biometrics/calibration.ts'
import { descriptorDistance } from '../src/biometrics/descriptor.ts'
import { createFaceEngine, type FaceEngine } from '../src/biometrics/engine/engine.ts'
import type { FaceObservation } from '../src/biometrics/observation.ts'
import { percentile, type Result, tableOf } from './result.ts'

const HELP = `Usage: npm run bench:biometrics -- --data DIR [--pairs N] [--models DIR] [--json]
  --data    folder with NAME-pairs.tsv and the pictures in NAME/
  --pairs   how many pairs of the same and of different people (default 300 each)
  --models  where the nets are kept (default .data/models)
`
const BENCH = 'biometrics'

interface Pair {
  readonly left: string
  readonly right: string
  readonly same: boolean
}

interface Enrolled {
  readonly identity: string
  readonly descriptor: readonly number[]
}

/** Share with its 95 % confidence interval (Wilson), in percent. */
export function shareOf(hits: number, of: number): { percent: number; interval: string } {
  const [share, z] = [hits / of, 1.96]
  const centre = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of)
  const reach = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))
  const text = (value: number) => (100 * Math.min(1, Math.max(0, value))).toPrecision(3)
  return { percent: 100 * share, interval: `${text(centre - reach)}–${text(centre + reach)} %, ${hits} of ${of}` }
}

function rate(metric: string, hits: number, of: number): Result {
  const { percent, interval } = shareOf(hits, of)
  return { bench: BENCH, metric: `${metric} (95 %: ${interval})`, value: percent, unit: '%' }
}

const told = (metric: string, value: number, unit: string): Result => ({ bench: BENCH, metric, value, unit })

function readPairs(data: string, wanted: number): { folder: string; pairs: Pair[] } {
  const file = readdirSync(data).find((name) => name.endsWith('-pairs.tsv'))
  if (!file) throw new Error(`no NAME-pairs.tsv in ${data}`)
  const [, ...lines] = readFileSync(path.join(data, file), 'utf8').trim().split('\n')
  const all = lines.map((line): Pair => {
    const [left = '', right = '', same] = line.split('\t')
    return { left, right, same: same?.trim() === '1' }
  })
  const spread = (pairs: Pair[]) =>
    pairs.filter((_, at) => Math.floor((at * wanted) / pairs.length) !== Math.floor(((at - 1) * wanted) / pairs.length))
  const pairs = [true, false].flatMap((same) => spread(all.filter((pair) => pair.same === same)))
  return { folder: path.join(data, file.replace('-pairs.tsv', '')), pairs }
}

/** The face that the photograph is of: the one nearest to the middle. */
function subjectOf(faces: readonly FaceObservation[], width: number, height: number): FaceObservation | undefined {
  const offCentre = ({ box }: FaceObservation) => Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2)
  return faces.toSorted((left, right) => offCentre(left) - offCentre(right))[0]
}

async function enrol(engine: FaceEngine, folder: string, names: readonly string[]) {
  const enrolled = new Map<string, Enrolled>()
  const costs: number[] = []
  for (const name of names) {
    const bytes = readFileSync(path.join(folder, name))
    const before = process.cpuUsage()
    const { faces, width, height } = await engine.describe(bytes, { describeFaces: 8 })
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / 1000)
    const descriptor = subjectOf(faces, width, height)?.descriptor
    if (descriptor) enrolled.set(name, { identity: name.replace(/_\d+\.\w+$/, ''), descriptor })
  }
  return { enrolled, costs }
}

/** Same and different pairs as listed, then every picture against every other person's. */
function comparisons(enrolled: ReadonlyMap<string, Enrolled>, pairs: readonly Pair[]) {
  const distances = (same: boolean) =>
    pairs.flatMap((pair) => {
      const [left, right] = [enrolled.get(pair.left), enrolled.get(pair.right)]
      return pair.same === same && left && right ? [descriptorDistance(left.descriptor, right.descriptor)] : []
    })
  const everyone = [...enrolled.values()]
  const crossed = everyone.flatMap((left, at) =>
    everyone
      .slice(at + 1)
      .flatMap((right) => (left.identity === right.identity ? [] : [descriptorDistance(left.descriptor, right.descriptor)])),
  )
  return { genuine: distances(true), impostor: distances(false), crossed: Float64Array.from(crossed).sort() }
}

const below = (distances: ArrayLike<number>, limit: number) => Array.from(distances).filter((distance) => distance < limit).length

function equalErrorPercent(genuine: readonly number[], impostor: readonly number[]): number {
  const errors = Array.from({ length: 600 }, (_, step) => 0.3 + step / 1000).map((limit) => {
    const [missed, taken] = [1 - below(genuine, limit) / genuine.length, below(impostor, limit) / impostor.length]
    return { gap: Math.abs(missed - taken), error: (missed + taken) / 2 }
  })
  return 100 * (errors.toSorted((left, right) => left.gap - right.gap)[0]?.error ?? Number.NaN)
}

function recognition({ genuine, impostor, crossed }: ReturnType<typeof comparisons>, threshold: number): Result[] {
  const operating = [1e-4, 1e-3, 1e-2].flatMap((falseMatchRate) => {
    const limit = crossed[Math.floor(falseMatchRate * crossed.length)] ?? Number.NaN
    const told = rate(
      `TAR at a false match rate of ${falseMatchRate}, threshold ${limit.toFixed(3)}`,
      below(genuine, limit),
      genuine.length,
    )
    return [told]
  })
  return [
    rate(`FMR of all pairs of people at ${threshold}`, below(crossed, threshold), crossed.length),
    rate(`FNMR of listed pairs at ${threshold}`, genuine.length - below(genuine, threshold), genuine.length),
    ...operating,
    told('EER of listed pairs', equalErrorPercent(genuine, impostor), '%'),
  ]
}

/** A mirrored picture must show the opposite yaw and roll and the same pitch: without true angles, the part that can be checked. */
async function poseSanity(engine: FaceEngine, folder: string, names: readonly string[]): Promise<Result[]> {
  const differences: { yaw: number; roll: number; pitch: number }[] = []
  for (const name of names) {
    const bytes = readFileSync(path.join(folder, name))
    const mirrored = await sharp(bytes).flop().jpeg({ quality: 95 }).toBuffer()
    const poses = [bytes, mirrored].map(async (picture) => {
      const { faces, width, height } = await engine.observe(picture, { descriptor: 'never' })
      return subjectOf(faces, width, height)?.pose
    })
    const [plain, flipped] = await Promise.all(poses)
    if (!plain || !flipped) continue
    differences.push({
      yaw: Math.abs(plain.yawDegrees + flipped.yawDegrees),
      roll: Math.abs(plain.rollDegrees + flipped.rollDegrees),
      pitch: Math.abs(plain.pitchDegrees - flipped.pitchDegrees),
    })
  }
  return (['yaw', 'roll', 'pitch'] as const).map((angle) =>
    told(
      `${angle}: disagreement with the mirror image, 95th percentile`,
      percentile(
        differences.map((item) => item[angle]),
        0.95,
      ),
      'degrees',
    ),
  )
}

async function main(): Promise<number> {
  const options = {
    data: { type: 'string' },
    pairs: { type: 'string', default: '300' },
    models: { type: 'string', default: '.data/models' },
    json: { type: 'boolean' },
  } as const
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } })
  const wanted = Number(values.pairs)
  if (values.help || !values.data || !Number.isInteger(wanted) || wanted < 1) {
    process.stdout.write(HELP)
    return values.help ? 0 : 2
  }
  const engine = await createFaceEngine({ runtime, modelsDir: values.models })
  const { folder, pairs } = readPairs(values.data, wanted)
  const names = [...new Set(pairs.flatMap(({ left, right }) => [left, right]))]
  const { enrolled, costs } = await enrol(engine, folder, names)
  const threshold = calibrationOf(engine.modelId).thresholds['1'] ?? Number.NaN
  const results = [
    rate(`failure to acquire, model ${engine.modelId}`, names.length - enrolled.size, names.length),
    ...recognition(comparisons(enrolled, pairs), threshold),
    ...(await poseSanity(engine, folder, names.slice(0, 100))),
    told('CPU time of a photograph, median', percentile(costs, 0.5), 'ms'),
  ]
  process.stdout.write(values.json ? results.map((result) => `${JSON.stringify(result)}\n`).join('') : tableOf(results))
  await engine.close()
  return 0
}

if (import.meta.main) process.exitCode = await main()
