/** What the camera page says before a shot is what the shot will be judged by. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import { QUALITY_RULES, qualityOf } from '../../src/biometrics/index.ts'
import { asShotOf } from '../../src/helpdesk/capture/guidance.ts'
import { capturePhoto, frameOf, HEADS, openTestEngine } from '../support/face-samples.ts'

let engine: FaceEngine
before(async () => {
  engine = await openTestEngine()
})
after(() => engine.close())

/** What the page is told about this picture when it is sent small, as the camera's frames are. */
async function toldOf(photo: Buffer, shotWidth: number): Promise<readonly string[]> {
  const frame = await sharp(photo).resize(480, 640).jpeg({ quality: 85 }).toBuffer()
  return qualityOf('capture-point', asShotOf(await engine.observe(frame, { descriptor: 'always' }), shotWidth)).reasons
}

test('a face that is good enough in the shot is not called too small for being sent small', async () => {
  const photo = await capturePhoto()
  assert.ok((await toldOf(photo, 480)).includes('face/low-resolution'), 'a camera that has no more pixels')
  assert.ok(!(await toldOf(photo, 1200)).includes('face/low-resolution'))
})

test('pose, light, sharpness, eyes, background and size each have their word', async () => {
  const look = async (frame: Buffer) => qualityOf('capture-point', await engine.observe(frame, { descriptor: 'always' })).reasons
  const words = {
    'face/too-dark': await frameOf(HEADS.third, { brightness: 0.25 }),
    'face/hold-still': await frameOf(HEADS.third, { blur: 2.5 }),
    'face/tilted': await frameOf(HEADS.third, { rotateDegrees: 20 }),
    'face/low-resolution': await frameOf(HEADS.third, { zoom: 0.25 }),
    'face/background': await frameOf(HEADS.other, { zoom: 0.45 }),
  }
  const eyes = QUALITY_RULES.filter(({ reason, limits }) => reason === 'face/eyes-hidden' && limits['capture-point'] !== undefined)
  assert.ok(eyes.length > 0, 'eyes that are hidden are judged too')
  const missing: string[] = []
  for (const [word, frame] of Object.entries(words)) {
    const said = await look(frame)
    if (!said.some((one) => one === word)) missing.push(`${word}: ${said.join(' ')}`)
  }
  assert.deepEqual(missing, [])
})
