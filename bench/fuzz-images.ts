/**
 * Throws changed pictures at the decoder for a while: `npm run bench:fuzz -- [--minutes 10] [--seed N] [--keep DIR]`.
 *
 * Each is a good picture with a few bytes changed, taken away, repeated or mixed with another's. Exit code 1 when one of them is answered
 * otherwise than by a refusal or by what it shows, costs more than a second, or costs a worker; such files are kept.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { createFaces, type Faces } from '../src/biometrics/faces.ts'
import { ImageRefused } from '../src/biometrics/image.ts'
import { frameOf, HEADS } from '../test/support/face-samples.ts'
import { hostileImages } from '../test/support/hostile-images.ts'

const LONGEST_MS = 1000
/** One, so that the processor's time is the picture's: the clock would measure whatever else the machine does. */
const WORKERS = 1
const REPORT_MS = 15_000
/** Values that lengths, sizes and counts break at. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff]
const LARGEST_SEED = 40_000

interface Tally {
  readonly outcomes: Map<string, number>
  readonly faults: string[]
  slowestMs: number
  runs: number
}

/** A repeatable stream of whole numbers below a bound (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

async function seeds(): Promise<Buffer[]> {
  const face = sharp(await frameOf(HEADS.first)).resize(240)
  const turned = { IFD0: { Orientation: '6', ImageDescription: 'x' } }
  const good = [
    face.clone().jpeg({ quality: 70 }),
    face.clone().jpeg({ progressive: true }),
    face.clone().withExif(turned).jpeg(),
    face.clone().grayscale().jpeg(),
    face.clone().toColourspace('cmyk').jpeg(),
    face.clone().png(),
    face.clone().png({ palette: true }),
    face.clone().png({ progressive: true }),
    face.clone().toColourspace('rgb16').png(),
    face.clone().ensureAlpha(0.5).webp(),
    face.clone().webp({ lossless: true }),
  ]
  const bad = (await hostileImages()).map(([, bytes]) => Buffer.from(bytes)).filter(({ length }) => length > 4 && length < LARGEST_SEED)
  return [...(await Promise.all(good.map((picture) => picture.toBuffer()))), ...bad]
}

function mutated(all: readonly Buffer[], random: (below: number) => number): Buffer {
  const any = () => all[random(all.length)] ?? Buffer.alloc(0)
  // The first eleven are good pictures: most changes start from one.
  let bytes: Buffer = Buffer.from(random(4) > 0 ? (all[random(11)] ?? any()) : any())
  for (let change = random(6) + 1; change > 0; change--) {
    const at = random(random(3) > 0 ? bytes.length : Math.min(700, bytes.length))
    const length = random(Math.min(400, bytes.length - at)) + 1
    switch (random(8)) {
      case 0:
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      case 2:
        bytes[at] = EDGES[random(EDGES.length)] ?? 0
        break
      case 3:
        for (let i = 0; i < length; i++) bytes[at + i] = random(256)
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
        break
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
        break
      case 6: {
        const other = any()
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))])
        break
      }
      default:
        bytes = Buffer.from(bytes.subarray(0, at + 2))
    }
  }
  return bytes
}

async function fuzz(faces: Faces, options: { endsAt: number; seed: number; keep: string }): Promise<Tally> {
  const all = await seeds()
  const random = seeded(options.seed)
  const tally: Tally = { outcomes: new Map(), faults: [], slowestMs: 0, runs: 0 }
  const doors = [faces.observe, faces.describe, faces.normalise, faces.normalise] as const
  const lane = async () => {
    while (performance.now() < options.endsAt) {
      const bytes = mutated(all, random)
      const enter = doors[random(doors.length)] ?? faces.normalise
      const begun = process.cpuUsage()
      const outcome = await enter(bytes).then(
        () => 'seen',
        (error: unknown) => (error instanceof ImageRefused ? error.code : `fault: ${String(error)}`),
      )
      const { user, system } = process.cpuUsage(begun)
      const ms = (user + system) / 1000
      tally.runs += 1
      tally.slowestMs = Math.max(tally.slowestMs, ms)
      const fault = outcome.startsWith('fault') ? outcome : ms > LONGEST_MS ? `slow: ${Math.round(ms)} ms` : undefined
      tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
      if (fault) tally.faults.push(`${fault} (${kept(bytes, options.keep)})`)
    }
  }
  const timer = setInterval(() => {
    const mb = Math.round(process.memoryUsage().rss / 1e6)
    process.stderr.write(`${tally.runs} pictures, slowest ${Math.round(tally.slowestMs)} ms, ${mb} MB\n`)
  }, REPORT_MS)
  await Promise.all(Array.from({ length: WORKERS }, lane))
  clearInterval(timer)
  return tally
}

function kept(bytes: Buffer, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.bin`)
  writeFileSync(file, bytes)
  return file
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      keep: { type: 'string', default: '.data/fuzz' },
    },
  })
  const modelsDir = mkdtempSync(path.join(tmpdir(), 'mt-fuzz-'))
  const faces = createFaces({ modelsDir, workers: WORKERS, maxQueue: 10 })
  try {
    await faces.ready()
    // The nets' and decoders' own buffers first, so that what grows afterwards is a leak.
    await fuzz(faces, { endsAt: performance.now() + 5000, seed: 1, keep: values.keep })
    const rss = process.memoryUsage().rss
    const tally = await fuzz(faces, {
      endsAt: performance.now() + Number(values.minutes) * 60_000,
      seed: Number(values.seed),
      keep: values.keep,
    })
    const growthMb = (process.memoryUsage().rss - rss) / 1e6
    const { replaced } = faces.stats()
    const outcomes = [...tally.outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ')
    process.stdout.write(
      `${tally.runs} pictures in ${values.minutes} min, seed ${values.seed}: ${outcomes}\n` +
        `slowest ${Math.round(tally.slowestMs)} ms, workers lost ${replaced}, memory ${Math.round(growthMb)} MB more\n${tally.faults.join('\n')}\n`,
    )
    process.exitCode = tally.faults.length > 0 || replaced > 0 ? 1 : 0
  } finally {
    await faces.close()
    rmSync(modelsDir, { recursive: true, force: true })
  }
}

if (import.meta.main) await main()
