import { readFileSync } from 'node:fs'
import path from 'node:path'
import { decodeImage } from '../../src/biometrics/engine/decode.ts'
import type { FaceEngine, ObserveOptions } from '../../src/biometrics/engine/engine.ts'
import { FRAME_LIMITS } from '../../src/biometrics/image.ts'
import { median, percentile } from '../result.ts'
import type { Photographs } from './photographs.ts'
import type { Section } from './report.ts'

const PICTURES = 100

/** CPU time of each stage of a picture, by taking the whole with and without it. Not a speed test: `npm run bench -- face` is. */
export async function latencySection(engine: FaceEngine, { folder, files }: Photographs): Promise<Section> {
  const step = Math.max(1, Math.floor(files.length / PICTURES))
  const pictures = files
    .filter((_, at) => at % step === 0)
    .slice(0, PICTURES)
    .map((file) => readFileSync(path.join(folder, file)))
  const cost = async (work: (picture: Buffer) => Promise<unknown>) => {
    const costs: number[] = []
    for (const picture of pictures) {
      const before = process.cpuUsage()
      await work(picture)
      const { user, system } = process.cpuUsage(before)
      costs.push((user + system) / 1000)
    }
    return { median: median(costs), p95: percentile(costs, 0.95) }
  }
  const observe = (options: ObserveOptions) => cost((picture) => engine.observe(picture, options))
  await observe({ descriptor: 'always' })
  const stages = [
    ['decode', await cost((picture) => decodeImage(picture, FRAME_LIMITS))],
    ['decode, detect, landmarks, quality', await observe({ descriptor: 'never' })],
    ['the same with a descriptor of one view', await observe({ descriptor: 'always', mirror: false })],
    ['the same, averaged with its mirror image', await observe({ descriptor: 'always' })],
    ...(engine.pad ? ([['the same with the PAD nets', await observe({ descriptor: 'always', pad: true })]] as const) : []),
    ['a photograph (thorough search)', await cost((picture) => engine.describe(picture))],
  ] as const
  return {
    name: 'latency',
    title: 'Latency',
    tables: [
      {
        title: `CPU time of a picture of the set, ms (${pictures.length} pictures, one thread)`,
        head: ['stages', 'median', '95th percentile'],
        rows: stages.map(([name, { median: middle, p95 }]) => [name, middle.toFixed(1), p95.toFixed(1)]),
      },
    ],
    charts: {},
    figures: [],
    data: stages,
  }
}
