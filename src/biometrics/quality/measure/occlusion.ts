import { centreOf } from '../../engine/alignment.ts'
import type { Point } from '../../observation.ts'
import type { FaceMeasures } from '../measures.ts'
import type { FaceSquare } from './face-square.ts'
import { SQUARE } from './face-square.ts'
import type { Skin, SkinTone } from './skin.ts'
import { bluenessOf, rednessOf, shadeOf } from './skin.ts'

/** An ellipse in the square; half axes in distances between the eyes. */
interface Region {
  readonly centre: Point
  readonly across: number
  readonly down: number
}

/** Where a pixel stops being this skin: logarithms of the colours' ratios, and of the luma towards dark and light. */
const UNLIKE = { colour: 0.3, darker: 0.5, lighter: 0.45 } as const

/**
 * What hides parts of the face, found by its not being this person's skin.
 *
 * Dark glasses reach below the eyes, where everybody has bare skin, like that of the cheeks or that between the brows. A mask is of one colour over lip, mouth and chin, and not that of the
 * forehead; a beard is darker than skin but hardly of another colour. Things of the skin's own colour, a hand above all, are not found.
 */
export function occlusionOf(square: FaceSquare, skin: Skin): Pick<FaceMeasures, 'eyesOcclusion' | 'mouthOcclusion' | 'faceOcclusion'> {
  const { landmarks, centres } = square
  const [left, right, mouth] = centres
  const at = (index: number) => landmarks[index] ?? { x: SQUARE / 2, y: SQUARE / 2 }
  const underEye = ({ x, y }: Point): Region => ({ centre: { x, y: y + 0.2 * square.eyeDistance }, across: 0.22, down: 0.07 })
  const lip = { centre: centreOf([at(33), at(51)]), across: 0.2, down: 0.08 }
  const chin = { centre: centreOf([at(57), at(8)]), across: 0.3, down: 0.13 }
  const around = { centre: mouth, across: 0.45, down: 0.25 }
  const middle = { centre: centreOf([left, right, mouth]), across: 0.65, down: 0.75 }
  return {
    eyesOcclusion: Math.min(
      ...[left, right].flatMap((eye) => [skin.lower, skin.upper].map((tone) => unlikeShare(square, tone, underEye(eye)))),
    ),
    mouthOcclusion: Math.min(...[lip, around, chin].map((region) => colourDistance(square, skin.upper, region))),
    faceOcclusion: unlikeShare(square, skin.whole, middle),
  }
}

/** Share of a region's pixels that do not look like this skin. */
function unlikeShare(square: FaceSquare, skin: SkinTone, region: Region): number {
  let [unlike, count] = [0, 0]
  eachPixel(square, region, (red, green, blue) => {
    const shade = shadeOf(red, green, blue) - skin.shade
    const colour = Math.hypot(rednessOf(red, green) - skin.redness, bluenessOf(blue, green) - skin.blueness)
    if (colour > UNLIKE.colour || shade < -UNLIKE.darker || shade > UNLIKE.lighter) unlike++
    count++
  })
  return count === 0 ? 0 : unlike / count
}

/** How far a region's mean colour is from this skin's, whatever the light. */
function colourDistance(square: FaceSquare, skin: SkinTone, region: Region): number {
  let [redness, blueness, count] = [0, 0, 0]
  eachPixel(square, region, (red, green, blue) => {
    redness += rednessOf(red, green) - skin.redness
    blueness += bluenessOf(blue, green) - skin.blueness
    count++
  })
  return count === 0 ? 0 : Math.hypot(redness, blueness) / count
}

/** Every second pixel of every second row of the region. */
function eachPixel({ planes, eyeDistance }: FaceSquare, region: Region, visit: (red: number, green: number, blue: number) => void): void {
  const area = SQUARE * SQUARE
  const { x, y } = region.centre
  const [across, down] = [region.across * eyeDistance, region.down * eyeDistance]
  const bottom = Math.min(SQUARE - 1, Math.floor(y + down))
  for (let row = Math.max(0, Math.ceil(y - down)); row <= bottom; row += 2) {
    const reach = across * Math.sqrt(Math.max(0, 1 - ((row - y) / down) ** 2))
    const last = row * SQUARE + Math.min(SQUARE - 1, Math.floor(x + reach))
    for (let at = row * SQUARE + Math.max(0, Math.ceil(x - reach)); at <= last; at += 2) {
      visit(planes[at] ?? 0, planes[at + area] ?? 0, planes[at + 2 * area] ?? 0)
    }
  }
}
