import type { FaceBox } from '../../observation.ts'
import type { PadScorer } from '../model-set.ts'
import type { Raster } from '../raster.ts'
import type { Net } from '../runtime.ts'

/** The nets of the pair with how much more than the face each one sees, as their publisher trained them. */
export const PAD_NETS = [
  { name: 'minifasnet-v2', scale: 2.7 },
  { name: 'minifasnet-v1se', scale: 4 },
] as const

/** The pair as decisions name it. */
export const PAD_MODEL_ID = PAD_NETS.map(({ name }) => name).join('+')

const SIZE = 80
/** Of the three classes of both nets; the others are attacks. */
const LIVE = 1

/** Mean of what the nets say, each of its own view of the face: one catches the paper's edge, the other the screen's grain. */
export function createPadScorer(nets: readonly { readonly net: Net; readonly scale: number }[]): PadScorer {
  return async (raster, box) => {
    let sum = 0
    for (const { net, scale } of nets) {
      const view = resizedPart(raster, viewOf(box, scale, raster))
      const output = await net.run(view, SIZE)
      sum += liveShare(output('probabilities'))
    }
    return sum / nets.length
  }
}

function liveShare(probabilities: Float32Array): number {
  const share = probabilities[LIVE]
  if (probabilities.length !== 3 || share === undefined || !(share >= 0 && share <= 1))
    throw new Error('a PAD net answered no probabilities')
  return share
}

/** The box grown about its middle, pushed back inside the picture; smaller where the picture is. Whole pixels, as published. */
export function viewOf(box: FaceBox, wanted: number, picture: { width: number; height: number }): FaceBox {
  const [lastX, lastY] = [picture.width - 1, picture.height - 1]
  const scale = Math.min(lastY / box.height, lastX / box.width, wanted)
  const span = (start: number, length: number, last: number) => {
    const half = (length * scale) / 2
    const middle = start + length / 2
    const shift = middle - half < 0 ? half - middle : Math.min(0, last - middle - half)
    const [from, to] = [Math.max(0, Math.trunc(middle - half + shift)), Math.min(last, Math.trunc(middle + half + shift))]
    return { from, length: to - from + 1 }
  }
  const [across, down] = [span(box.x, box.width, lastX), span(box.y, box.height, lastY)]
  return { x: across.from, y: down.from, width: across.length, height: down.length }
}

/** Bilinear between pixel centres without smoothing, blue plane first: what the nets were trained on. */
function resizedPart({ pixels, width }: Raster, part: FaceBox): Float32Array {
  const area = SIZE * SIZE
  const out = new Float32Array(3 * area)
  const [across, down] = [positions(part.width), positions(part.height)]
  for (let row = 0; row < SIZE; row++) {
    const y = down[row] as number // SIZE positions on both axes
    const top = Math.floor(y)
    const upper = (part.y + top) * width
    const lower = top + 1 < part.height ? upper + width : upper
    for (let column = 0; column < SIZE; column++) {
      const x = across[column] as number
      const left = Math.floor(x)
      const [shareX, shareY] = [x - left, y - top]
      const from = (upper + part.x + left) * 3
      const below = (lower + part.x + left) * 3
      const next = left + 1 < part.width ? 3 : 0
      for (let channel = 0; channel < 3; channel++) {
        const a = pixels[from + channel] as number
        const c = pixels[below + channel] as number
        const high = a + ((pixels[from + next + channel] as number) - a) * shareX
        const low = c + ((pixels[below + next + channel] as number) - c) * shareX
        out[(2 - channel) * area + row * SIZE + column] = high + (low - high) * shareY
      }
    }
  }
  return out
}

function positions(length: number): Float64Array {
  const step = length / SIZE
  return Float64Array.from({ length: SIZE }, (_, at) => Math.min(length - 1, Math.max(0, (at + 0.5) * step - 0.5)))
}
