/** A repeatable stream of numbers in [0, 1) (xorshift32 after a mixing step): the same seed gives the same report. */
export function repeatable(seed: number): () => number {
  let state = (Math.imul(seed + 0x9e3779b9, 0x85ebca6b) ^ 0x27d4eb2f) | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** The first `count` of the items in an order that chance makes. */
export function drawn<T>(items: readonly T[], count: number, random: () => number): T[] {
  const left = [...items]
  for (let at = 0; at < Math.min(count, left.length); at++) {
    const other = at + Math.floor(random() * (left.length - at))
    const [a, b] = [left[at] as T, left[other] as T] // both inside
    left[at] = b
    left[other] = a
  }
  return left.slice(0, count)
}
