import type { FaceBox, Point } from '../observation.ts'
import { SSD_SIZE, TINY_SIZE, TINY_STRIDE } from '../onnx/nets.ts'
import type { Raster } from './raster.ts'
import { letterboxed, letterboxShape } from './raster.ts'
import type { Net } from './runtime.ts'

export interface Detection {
  /** As the built-in detector draws it, whichever detector found the face: limits and poses are measured with it. */
  readonly box: FaceBox
  readonly score: number
  /** Eyes, nose and corners of the mouth, each from the picture's left, from a detector that knows them; and its own box. */
  readonly points?: readonly Point[]
  readonly ownBox?: FaceBox
}

export type Detector = (raster: Raster, threshold: number) => Promise<Detection[]>

const TINY = { centred: false, mean: [117.001, 114.697, 97.404], divisor: 255 } as const
const TINY_FIELDS = 5
const TINY_OVERLAP = 0.4
/** Widths and heights of the five box shapes, in cells. */
const TINY_SHAPES = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
] as const

const SSD = { size: SSD_SIZE, centred: false, mean: [127.5, 127.5, 127.5], divisor: 127.5 } as const
const SSD_OVERLAP = 0.5
const MOST_FACES = 100

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value))

/** The picture's size inside the net's square; rounded, as the reference library scales its boxes back by the rounded size. */
function scaleBack(raster: Raster, size: number): { x: number; y: number } {
  const scale = size / Math.max(raster.width, raster.height)
  return {
    x: (raster.width * size) / Math.round(raster.width * scale),
    y: (raster.height * size) / Math.round(raster.height * scale),
  }
}

const whole = (raster: Raster): FaceBox => ({ x: 0, y: 0, width: raster.width, height: raster.height })

/**
 * The first detector: quick, good on faces of a tenth of the picture and more.
 *
 * At the library's own size it sees what the library sees; at another, only as many black rows as fill the last row of cells.
 */
export function createTinyDetector(net: Net, size: number): Detector {
  const letterbox = { ...TINY, size, trim: size !== TINY_SIZE }
  const planes = new Float32Array(3 * size * size)
  return async (raster, threshold) => {
    const { columns, rows } = letterboxShape(raster, letterbox)
    const input = letterboxed(raster, whole(raster), letterbox, planes.subarray(0, 3 * columns * rows))
    const cells = (await net.run(input, columns, rows))('cells')
    const scale = scaleBack(raster, size)
    const cell = { x: (scale.x / size) * TINY_STRIDE, y: (scale.y / size) * TINY_STRIDE }
    return withoutOverlaps(tinyFaces(cells, columns / TINY_STRIDE, cell, threshold), TINY_OVERLAP)
  }
}

/** `cell`: width and height of a cell in pixels of the picture. */
function tinyFaces(cells: Float32Array, columns: number, cell: { x: number; y: number }, threshold: number): Detection[] {
  const count = cells.length / (TINY_SHAPES.length * TINY_FIELDS)
  const at = (shape: number, field: number, place: number) => cells[(shape * TINY_FIELDS + field) * count + place] as number
  const found: Detection[] = []
  for (let place = 0; place < count; place++) {
    for (const [shape, [wide, high]] of TINY_SHAPES.entries()) {
      const score = sigmoid(at(shape, 4, place))
      if (score <= threshold) continue
      const width = Math.exp(at(shape, 2, place)) * wide * cell.x
      const height = Math.exp(at(shape, 3, place)) * high * cell.y
      const x = ((place % columns) + sigmoid(at(shape, 0, place))) * cell.x - width / 2
      const y = (Math.floor(place / columns) + sigmoid(at(shape, 1, place))) * cell.y - height / 2
      found.push({ box: { x, y, width, height }, score })
    }
  }
  return found
}

/** The second detector: ten times slower, finds small, turned and partly covered faces. */
export function createSsdDetector(net: Net): Detector {
  return async (raster, threshold) => {
    const output = await net.run(letterboxed(raster, whole(raster), SSD), SSD_SIZE)
    const [boxes, scores, anchors] = [output('boxes'), output('scores'), output('anchors')]
    const found: Detection[] = []
    for (let row = 0; row < scores.length / 3; row++) {
      const score = sigmoid(scores[row * 3 + 1] as number)
      if (score > threshold)
        found.push({ box: ssdBox(boxes.subarray(row * 4, row * 4 + 4), anchors.subarray(row * 4, row * 4 + 4)), score })
    }
    const scale = scaleBack(raster, SSD_SIZE)
    return withoutOverlaps(found, SSD_OVERLAP)
      .slice(0, MOST_FACES)
      .map(({ box, score }) => ({ box: insideSquare(box, scale), score }))
  }
}

function ssdBox(code: Float32Array, anchor: Float32Array): FaceBox {
  const [centreY = 0, centreX = 0, high = 0, wide = 0] = code
  const [top = 0, left = 0, bottom = 0, right = 0] = anchor
  const [anchorHeight, anchorWidth] = [bottom - top, right - left]
  const height = Math.exp(high / 5) * anchorHeight
  const width = Math.exp(wide / 5) * anchorWidth
  return {
    x: (centreX / 10) * anchorWidth + left + anchorWidth / 2 - width / 2,
    y: (centreY / 10) * anchorHeight + top + anchorHeight / 2 - height / 2,
    width,
    height,
  }
}

/** Cut at the edges of the net's square, then in pixels of the picture. */
function insideSquare(box: FaceBox, scale: { x: number; y: number }): FaceBox {
  const left = Math.max(0, box.x)
  const top = Math.max(0, box.y)
  const right = Math.min(1, box.x + box.width)
  const bottom = Math.min(1, box.y + box.height)
  return { x: left * scale.x, y: top * scale.y, width: (right - left) * scale.x, height: (bottom - top) * scale.y }
}

/** Best first; of two that share more than `limit` of their joint area, the better one stays. */
export function withoutOverlaps<Found extends Detection>(found: readonly Found[], limit: number): Found[] {
  const kept: Found[] = []
  for (const candidate of found.toSorted((left, right) => right.score - left.score)) {
    if (kept.every((other) => overlap(other.box, candidate.box) <= limit)) kept.push(candidate)
  }
  return kept
}

/** Shared area as a part of the joint area. */
export function overlap(left: FaceBox, right: FaceBox): number {
  const width = Math.min(left.x + left.width, right.x + right.width) - Math.max(left.x, right.x)
  const height = Math.min(left.y + left.height, right.y + right.height) - Math.max(left.y, right.y)
  const shared = Math.max(0, width) * Math.max(0, height)
  const joint = left.width * left.height + right.width * right.height - shared
  return joint > 0 ? shared / joint : 0
}
