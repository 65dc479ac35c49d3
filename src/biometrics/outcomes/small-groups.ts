/** A group of fewer checks than this is never shown by itself (k-anonymity with k = 10). */
export const SMALLEST_GROUP = 10

/**
 * Which of the sizes may not be shown by themselves.
 *
 * Those under the limit; and where they are together still under it, the next larger too, or the difference to the total would tell them.
 */
export function hiddenGroups<Name>(sizes: readonly (readonly [name: Name, size: number])[], smallest = SMALLEST_GROUP): Set<Name> {
  const ascending = sizes.filter(([, size]) => size > 0).sort(([, a], [, b]) => a - b)
  const hidden = new Set<Name>()
  let together = 0
  for (const [name, size] of ascending) {
    if (size >= smallest && (hidden.size === 0 || together >= smallest)) break
    hidden.add(name)
    together += size
  }
  return hidden
}

export interface Protected<Item> {
  readonly shown: readonly Item[]
  /** Too few by themselves, to be told as one; empty when there are none. */
  readonly merged: readonly Item[]
}

/** Items that may be shown, apart from those that are told together. What is merged and still under the limit is not told at all. */
export function protectSmall<Item>(items: readonly Item[], sizeOf: (item: Item) => number): Protected<Item> {
  const present = items.filter((item) => sizeOf(item) > 0)
  const hidden = hiddenGroups(present.map((item) => [item, sizeOf(item)] as const))
  return { shown: present.filter((item) => !hidden.has(item)), merged: present.filter((item) => hidden.has(item)) }
}
