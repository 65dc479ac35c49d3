/** Files made to break a decoder: each is answered within a second, by a refusal or by what it shows, and costs no worker and no memory. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { createFaces, type Faces } from '../../src/biometrics/faces.ts'
import { ImageRefused } from '../../src/biometrics/image.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { frameOf, HEADS, TEST_MODELS } from '../support/face-samples.ts'
import { LARGEST_PHOTOGRAPH } from '../support/hostile-images.ts'

const MAKER = new URL('../support/hostile-images.ts', import.meta.url).pathname
/** Of one core: the clock on the wall would measure the other test files. */
const LONGEST_MS = 1000
const MOST_GROWTH_MB = 100

let folder: string
let faces: Faces
let files: readonly (readonly [name: string, bytes: Buffer])[]
let good: Buffer

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-hostile-'))
  // In a process of its own: what unpacks to gigabytes is made of as much.
  execFileSync(process.execPath, [MAKER, folder])
  const names = readdirSync(folder).filter((name) => name !== LARGEST_PHOTOGRAPH)
  files = names.map((name) => [name, readFileSync(path.join(folder, name))] as const)
  faces = createFaces({ modelsDir: TEST_MODELS, workers: 1, maxQueue: 30 })
  ;[good] = await Promise.all([frameOf(HEADS.first), faces.ready()])
  await warmUp()
})

/** Every net, and the decoders with the largest good photograph: what they allocate for what people send is no growth. */
async function warmUp(): Promise<void> {
  const nobody = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer()
  const largest = readFileSync(path.join(folder, LARGEST_PHOTOGRAPH))
  for (const picture of [good, nobody]) await faces.observe(picture)
  for (const picture of [good, nobody, largest, largest]) {
    await faces.describe(picture)
    await faces.normalise(picture)
  }
}

after(async () => {
  await faces.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What became of it: `seen`, or the refusal's code. Anything but those two fails the test. */
async function outcomeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return 'seen'
  } catch (error) {
    if (error instanceof ImageRefused) return error.code
    throw error
  }
}

const DOORS = {
  frame: (bytes: Buffer) => faces.observe(bytes),
  photograph: (bytes: Buffer) => faces.describe(bytes),
  'photograph to store': (bytes: Buffer) => faces.normalise(bytes),
}

for (const [door, enter] of Object.entries(DOORS)) {
  test(`every hostile file as a ${door} costs less than a second, and the worker lives`, async () => {
    assert.ok(files.length >= 60, `${files.length} files`)
    const [before, { replaced }] = [process.memoryUsage().rss, faces.stats()]
    const slow: string[] = []
    const seen: string[] = []
    for (const [name, bytes] of files) {
      const begun = process.cpuUsage()
      const outcome = await outcomeOf(() => enter(bytes))
      const { user, system } = process.cpuUsage(begun)
      const ms = (user + system) / 1000
      if (ms > LONGEST_MS) slow.push(`${name}: ${Math.round(ms)} ms`)
      if (outcome === 'seen') seen.push(name)
    }
    assert.deepEqual(slow, [])
    assert.equal(faces.stats().replaced, replaced)
    const growth = (process.memoryUsage().rss - before) / 1e6
    assert.ok(growth < MOST_GROWTH_MB, `${Math.round(growth)} MB more`)
    assert.ok(seen.length < files.length / 4, seen.join())
    assert.equal((await faces.observe(good)).faces.length, 1)
  })
}

test('a stream of hostile frames, more than the queue holds, is refused frame by frame and starves nobody', async () => {
  const before = process.memoryUsage().rss
  const codes = new Map<string, number>()
  const send = async (bytes: Buffer) => {
    const code = await outcomeOf(() => faces.observe(bytes)).catch((error: unknown) => {
      if (isProblem(error, PLATFORM_PROBLEMS.busy)) return 'busy'
      throw error
    })
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  for (let round = 0; round < 5; round++) await Promise.all(files.map(([, bytes]) => send(bytes)))
  assert.equal(
    [...codes.values()].reduce((sum, count) => sum + count, 0),
    5 * files.length,
  )
  assert.equal(faces.stats().replaced, 0)
  assert.equal((await faces.observe(good)).faces.length, 1)
  const growth = (process.memoryUsage().rss - before) / 1e6
  assert.ok(growth < MOST_GROWTH_MB, `${Math.round(growth)} MB more`)
})
