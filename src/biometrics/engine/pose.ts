import type { Point, Pose } from '../observation.ts'
import { rollOf } from './alignment.ts'

/**
 * Sixteen points of an average adult face in millimetres: right in the picture, down, towards the camera; origin under the nose.
 *
 * Eyes, nose and mouth only: the jaw's landmarks slide along the outline as the head turns.
 */
const TEMPLATE: readonly (readonly [landmark: number, x: number, y: number, z: number])[] = [
  [27, 0, -44, -4],
  [28, 0, -32, 2],
  [29, 0, -21, 8],
  [30, 0, -10, 14],
  [31, -12, -3, -8],
  [33, 0, 0, 0],
  [35, 12, -3, -8],
  [36, -42, -46, -28],
  [39, -18, -45, -18],
  [42, 18, -45, -18],
  [45, 42, -46, -28],
  [48, -26, 20, -16],
  [51, 0, 13, -1],
  [54, 26, 20, -16],
  [57, 0, 33, -4],
  [8, 0, 66, -14],
]

type Row = readonly [number, number, number]

const MODEL = centred(TEMPLATE.map(([, x, y, z]) => [x, y, z] as const))
const INVERSE = inverseOfSquares(MODEL)

/**
 * Where a head looks: scaled-orthographic fit of the template to the landmarks, roll from the eyes.
 *
 * Yaw is dependable to about 30°, where it saturates; pitch only against the same person's own neutral.
 */
export function poseOf(landmarks: readonly Point[]): Pose {
  const rollRadians = rollOf(landmarks)
  const [sine, cosine] = [Math.sin(rollRadians), Math.cos(rollRadians)]
  const points = TEMPLATE.map(([landmark]) => landmarks[landmark] ?? { x: Number.NaN, y: Number.NaN })
  const across = fitted(points.map(({ x, y }) => x * cosine + y * sine))
  const down = fitted(points.map(({ x, y }) => y * cosine - x * sine))
  const right = unit(across)
  const below = unit(down)
  const facing = right[0] * below[1] - right[1] * below[0]
  return {
    yawDegrees: degrees(Math.atan2(right[2], facing)),
    pitchDegrees: degrees(Math.asin(Math.max(-1, Math.min(1, -below[2])))),
    rollDegrees: degrees(rollRadians),
  }
}

const degrees = (radians: number) => (radians * 180) / Math.PI

/** Least squares: the row of the camera matrix that takes the template to these coordinates. */
function fitted(values: readonly number[]): Row {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const product = [0, 0, 0]
  for (const [index, [x, y, z]] of MODEL.entries()) {
    const value = (values[index] ?? Number.NaN) - mean
    product[0] = (product[0] ?? 0) + x * value
    product[1] = (product[1] ?? 0) + y * value
    product[2] = (product[2] ?? 0) + z * value
  }
  const [a, b, c] = INVERSE.map((row) => row[0] * (product[0] ?? 0) + row[1] * (product[1] ?? 0) + row[2] * (product[2] ?? 0))
  return [a ?? 0, b ?? 0, c ?? 0]
}

function unit([x, y, z]: Row): Row {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}

function centred(points: readonly Row[]): readonly Row[] {
  const mean = (axis: 0 | 1 | 2) => points.reduce((sum, point) => sum + point[axis], 0) / points.length
  const [x, y, z] = [mean(0), mean(1), mean(2)]
  return points.map((point) => [point[0] - x, point[1] - y, point[2] - z])
}

/** Inverse of the 3 × 3 matrix of the points' products (adjugate over determinant). */
function inverseOfSquares(points: readonly Row[]): readonly [Row, Row, Row] {
  const sum = (left: 0 | 1 | 2, right: 0 | 1 | 2) => points.reduce((total, point) => total + point[left] * point[right], 0)
  const [a, b, c, d, e, f] = [sum(0, 0), sum(0, 1), sum(0, 2), sum(1, 1), sum(1, 2), sum(2, 2)]
  const determinant = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d)
  const over = (value: number) => value / determinant
  return [
    [over(d * f - e * e), over(c * e - b * f), over(b * e - c * d)],
    [over(c * e - b * f), over(a * f - c * c), over(b * c - a * e)],
    [over(b * e - c * d), over(b * c - a * e), over(a * d - b * b)],
  ]
}
