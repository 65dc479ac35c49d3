import type { FaceBox, Point } from '../../observation.ts'
import type { Detection } from '../detection.ts'
import { withoutOverlaps } from '../detection.ts'
import type { Raster } from '../raster.ts'
import { letterboxed, letterboxShape } from '../raster.ts'
import type { Net } from '../runtime.ts'

/** A face with the detector's own five points: both eyes, nose, both corners of the mouth, each from the picture's left. */
export interface PointedDetection extends Detection {
  readonly points: readonly Point[]
}

const STRIDES = [8, 16, 32] as const
const OVERLAP = 0.3
const INPUT = { centred: false, mean: [0, 0, 0], divisor: 1, colour: 'BGR', trim: true } as const
/** A face narrower than this in the net's input is looked at again, enlarged: its points would be a pixel of the net off. */
const FINE_WIDTH = 56
/** Side of that second look, and the part of the picture that it takes in, as a multiple of the box. */
const CLOSE = { size: 160, reach: 2 } as const
/** So many faces get the second look, largest first. */
const MOST_CLOSE_LOOKS = 4

/**
 * YuNet on a picture whose longest side is `size` pixels for the net.
 *
 * Score: geometric mean of the class and object probabilities, as its publisher's own runtime has it.
 */
export function createYunetDetector(net: Net, size: number): (raster: Raster, threshold: number) => Promise<PointedDetection[]> {
  return async (raster, threshold) => {
    const found = await look(net, raster, { x: 0, y: 0, width: raster.width, height: raster.height }, size, threshold)
    const scale = size / Math.max(raster.width, raster.height)
    const largest = found.toSorted((left, right) => right.box.width - left.box.width).slice(0, MOST_CLOSE_LOOKS)
    const again = largest.filter(({ box }) => box.width * scale < FINE_WIDTH)
    const closer = new Map<PointedDetection, PointedDetection>()
    for (const face of again) closer.set(face, await lookCloser(net, raster, face, threshold))
    return found.map((face) => closer.get(face) ?? face)
  }
}

async function lookCloser(net: Net, raster: Raster, face: PointedDetection, threshold: number): Promise<PointedDetection> {
  const side = Math.max(face.box.width, face.box.height) * CLOSE.reach
  const left = Math.max(0, Math.floor(face.box.x + face.box.width / 2 - side / 2))
  const top = Math.max(0, Math.floor(face.box.y + face.box.height / 2 - side / 2))
  const part = {
    x: left,
    y: top,
    width: Math.min(raster.width - left, Math.ceil(side)),
    height: Math.min(raster.height - top, Math.ceil(side)),
  }
  if (part.width < 1 || part.height < 1) return face
  const found = await look(net, raster, part, CLOSE.size, threshold)
  const shift = (other: PointedDetection) => Math.hypot(middleX(other) - middleX(face), middleY(other) - middleY(face))
  const [nearest] = found.toSorted((one, other) => shift(one) - shift(other))
  return nearest && shift(nearest) < face.box.width / 4 ? { ...nearest, score: face.score } : face
}

const middleX = ({ box }: Detection) => box.x + box.width / 2
const middleY = ({ box }: Detection) => box.y + box.height / 2

async function look(net: Net, raster: Raster, part: FaceBox, size: number, threshold: number): Promise<PointedDetection[]> {
  const letterbox = { ...INPUT, size }
  const { columns, rows } = letterboxShape(part, letterbox)
  const output = await net.run(letterboxed(raster, part, letterbox), columns, rows)
  const scale = Math.max(part.width, part.height) / size
  const found = STRIDES.flatMap((stride) => cellsOf(output, { stride, columns: columns / stride, threshold }))
  const place = (point: Point) => ({ x: point.x * scale + part.x, y: point.y * scale + part.y })
  return withoutOverlaps(found, OVERLAP).map(({ box, score, points }) => ({
    box: { ...place(box), width: box.width * scale, height: box.height * scale },
    score,
    points: points.map(place),
  }))
}

/** The faces that the cells of one stride found, in pixels of the net's input. */
function cellsOf(
  output: (name: string) => Float32Array,
  { stride, columns, threshold }: { stride: number; columns: number; threshold: number },
): PointedDetection[] {
  const [classes, objects] = [output(`cls_${stride}`), output(`obj_${stride}`)]
  const [boxes, points] = [output(`bbox_${stride}`), output(`kps_${stride}`)]
  const found: PointedDetection[] = []
  for (let cell = 0; cell < classes.length; cell++) {
    const score = Math.sqrt(Math.min(1, classes[cell] as number) * Math.min(1, objects[cell] as number))
    if (!(score > threshold)) continue
    const [column, row] = [cell % columns, Math.floor(cell / columns)]
    const [right = 0, down = 0, wide = 0, high = 0] = boxes.subarray(cell * 4, cell * 4 + 4)
    const [width, height] = [Math.exp(wide) * stride, Math.exp(high) * stride]
    const box = { x: (column + right) * stride - width / 2, y: (row + down) * stride - height / 2, width, height }
    const own = points.subarray(cell * 10, cell * 10 + 10)
    const five = Array.from({ length: 5 }, (_, at) => ({
      x: (column + (own[at * 2] as number)) * stride,
      y: (row + (own[at * 2 + 1] as number)) * stride,
    }))
    found.push({ box, score, points: five })
  }
  return found
}
