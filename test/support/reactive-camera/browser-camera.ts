import sharp from 'sharp'
import type { FaceViews } from './face-views.ts'
import { VIEW_HEIGHT, VIEW_WIDTH } from './face-views.ts'

/** What stands before the browser's camera. */
export interface BrowserCamera {
  readonly mode: CameraMode
  readonly views: FaceViews
  /** Who takes over, or stands beside, in the modes that need another person. */
  readonly other?: FaceViews
}

/**
 * `reactive`: does what the page asks · `still`: a photograph, lit as asked · `wrong-order`: turns to the other side · `frozen`: one frame
 * for ever, to the bit · `no-flash`: turns, but no colour reaches the skin · `two-faces` · `swap`: the other person does the turns.
 * A wrong person is `reactive` with somebody else's views.
 */
export type CameraMode = 'reactive' | 'still' | 'wrong-order' | 'frozen' | 'no-flash' | 'two-faces' | 'swap'

const YAWS = Array.from({ length: 27 }, (_, i) => (i - 13) * 2)

/**
 * A script for `page.addInitScript` that puts this camera in the place of the machine's own.
 *
 * It reads what is asked from the page (`data-step`, `data-colour` of `[data-face-check]`), as a person does from the screen, takes 300 ms
 * to understand and turns by 70° a second.
 */
export async function browserCameraScript({ mode, views, other }: BrowserCamera): Promise<string> {
  const [main, second] = [await pictures(views), other ? await pictures(other) : []]
  return `(${installCamera.toString()})(${JSON.stringify({ mode, main, second, yaws: YAWS, width: VIEW_WIDTH, height: VIEW_HEIGHT })})`
}

async function pictures(views: FaceViews): Promise<string[]> {
  const encode = (yawDegrees: number) =>
    sharp(views.render({ yawDegrees, still: true }), { raw: { width: VIEW_WIDTH, height: VIEW_HEIGHT, channels: 3 } })
      .jpeg({ quality: 92 })
      .toBuffer()
  return Promise.all(YAWS.map(async (yaw) => `data:image/jpeg;base64,${(await encode(yaw)).toString('base64')}`))
}

interface Installed {
  mode: CameraMode
  main: string[]
  second: string[]
  yaws: number[]
  width: number
  height: number
}

/** Runs in the page; nothing from this file is there but its argument. */
function installCamera({ mode, main, second, yaws, width, height }: Installed): void {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  async function load(sources: string[]): Promise<HTMLImageElement[]> {
    const images = sources.map((src) => Object.assign(new Image(), { src }))
    await Promise.all(images.map((image) => image.decode()))
    return images
  }

  let yaw = 0
  let asked = 'frontal'
  let heard = { step: 'frontal', at: 0 }

  function goalOf(step: string): number {
    if (mode === 'still') return 0
    const side = step === 'turn-left' ? 25 : step === 'turn-right' ? -25 : 0
    return mode === 'wrong-order' ? -side : side
  }

  function follow(now: number, elapsed: number): number[] {
    const page = document.querySelector<HTMLElement>('[data-face-check]')?.dataset
    const step = page?.['step'] ?? 'frontal'
    if (step !== heard.step) heard = { step, at: now }
    if (now - heard.at > 300) asked = heard.step
    const way = goalOf(asked) - yaw
    yaw += Math.sign(way) * Math.min(Math.abs(way), (elapsed / 1000) * 70)
    const colour = page?.['colour'] ?? ''
    return /^#[0-9a-f]{6}$/.test(colour) ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) : [128, 128, 128]
  }

  function nearest(images: HTMLImageElement[]): HTMLImageElement | undefined {
    const index = yaws.reduce((best, each, i) => (Math.abs(each - yaw) < Math.abs((yaws[best] ?? 0) - yaw) ? i : best), 0)
    return images[index]
  }

  function light(colour: number[]): void {
    const picture = context?.getImageData(0, 0, width, height)
    if (!picture) return
    const screen = mode === 'no-flash' ? 0 : 0.15
    const gains = [screen * 0.2, screen].map((share) => colour.map((value) => 1 - share + (share * value) / 128))
    const { data } = picture
    let state = (Math.random() * 2 ** 32) | 0
    for (let at = 0; at < data.length; at += 4) {
      const [x, y] = [((at / 4) % width) - width / 2, Math.floor(at / 4 / width) - height / 2]
      const gain = gains[(x / 99) ** 2 + (y / 140) ** 2 < 1 ? 1 : 0] ?? []
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      const noise = ((state >>> 24) + ((state >>> 16) & 255) - 255) / 64
      for (let channel = 0; channel < 3; channel += 1) data[at + channel] = (data[at + channel] ?? 0) * (gain[channel] ?? 1) + noise
    }
    context?.putImageData(picture, 0, 0)
  }

  function paint(images: HTMLImageElement[], others: HTMLImageElement[], now: number, elapsed: number): void {
    const colour = follow(now, elapsed)
    const view = nearest(mode === 'swap' && Math.abs(yaw) > 6 ? others : images)
    if (!view || !context) return
    context.drawImage(view, Math.round(Math.sin(now / 700) * 2), Math.round(Math.cos(now / 900) * 2))
    if (mode === 'two-faces' && others[13]) context.drawImage(others[13], 200, 60, 250, 360, 0, 60, 220, 320)
    light(colour)
  }

  async function open(): Promise<MediaStream> {
    const [images, others] = [await load(main), await load(second)]
    let last = performance.now()
    paint(images, others, last, 0)
    const timer = setInterval(() => {
      const now = performance.now()
      if (mode !== 'frozen') paint(images, others, now, now - last)
      last = now
    }, 66)
    const stream = canvas.captureStream(15)
    stream.getVideoTracks()[0]?.addEventListener('ended', () => clearInterval(timer))
    return stream
  }

  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: open } })
}
