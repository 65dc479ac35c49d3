/** Distance between two descriptors of the same model: 0 = the same picture; compare with a threshold of `calibration.ts`. */
export function descriptorDistance(left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length || left.length === 0) throw new RangeError(`descriptors of ${left.length} and ${right.length} numbers`)
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += ((left[index] ?? Number.NaN) - (right[index] ?? Number.NaN)) ** 2
  return Math.sqrt(sum)
}

/** The mean of several descriptors of one person: one template. Its threshold depends on how many they are. */
export function meanTemplate(descriptors: readonly (readonly number[])[]): number[] {
  const [first] = descriptors
  if (!first) throw new RangeError('no descriptor to average')
  if (descriptors.some((descriptor) => descriptor.length !== first.length)) throw new RangeError('descriptors of different models')
  return first.map((_, index) => descriptors.reduce((sum, descriptor) => sum + (descriptor[index] ?? 0), 0) / descriptors.length)
}
