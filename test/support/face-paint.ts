import sharp from 'sharp'
import type { Point } from '../../src/biometrics/observation.ts'

/** What a person wears before the camera, painted on a photograph along its landmarks. */
export type Worn = 'sunglasses' | 'glasses' | 'mask' | 'black-mask' | 'beard'

const MASK = { mask: '#9fc4d8', 'black-mask': '#1c1c20' } as const

/** The picture with this worn. A drawing, not the thing: detection rates on it are not rates on people. */
export async function wearing(picture: Buffer, landmarks: readonly Point[], worn: Worn): Promise<Buffer> {
  const { width = 0, height = 0 } = await sharp(picture).metadata()
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawing(landmarks, worn)}</svg>`
  return sharp(picture)
    .composite([{ input: Buffer.from(svg) }])
    .jpeg({ quality: 90 })
    .toBuffer()
}

function drawing(landmarks: readonly Point[], worn: Worn): string {
  const points = (indices: readonly number[]) => indices.map((index) => `${landmarks[index]?.x ?? 0},${landmarks[index]?.y ?? 0}`).join(' ')
  const jaw = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
  switch (worn) {
    case 'sunglasses':
      return lenses(landmarks, '#101012', 0.97)
    case 'glasses':
      return lenses(landmarks, '#ffffff', 0.05)
    case 'beard':
      return `<polygon points="${points([...jaw, 54, 52, 51, 50, 48])}" fill="#2a2018" fill-opacity="0.7"/>
        <polygon points="${points([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59])}" fill="#a05a50" fill-opacity="0.8"/>`
    default:
      return `<polygon points="${points([...jaw, 28])}" fill="${MASK[worn]}"/>`
  }
}

function lenses(landmarks: readonly Point[], fill: string, opacity: number): string {
  const [left, right] = [landmarks.slice(36, 42), landmarks.slice(42, 48)].map((eye) => ({
    x: eye.reduce((sum, { x }) => sum + x, 0) / eye.length,
    y: eye.reduce((sum, { y }) => sum + y, 0) / eye.length,
  }))
  if (!left || !right) return ''
  const unit = Math.hypot(right.x - left.x, right.y - left.y)
  const lens = ({ x, y }: Point) =>
    `<rect x="${x - 0.4 * unit}" y="${y - 0.22 * unit}" width="${0.8 * unit}" height="${0.52 * unit}" rx="${0.2 * unit}"
      fill="${fill}" fill-opacity="${opacity}" stroke="#1a1a1a" stroke-width="${0.04 * unit}"/>`
  return lens(left) + lens(right)
}
