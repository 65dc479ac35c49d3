/** Identity levels, weakest first. The order is the meaning: a later one satisfies every demand for an earlier one. */
export const LEVELS = ['bronze', 'prata', 'ouro'] as const

export type Level = (typeof LEVELS)[number]

/** Whether `held` satisfies a demand for `wanted`. */
export function isLevelAtLeast(held: Level, wanted: Level): boolean {
  return LEVELS.indexOf(held) >= LEVELS.indexOf(wanted)
}

/** The stronger of two levels. */
export function higherLevel(one: Level, other: Level): Level {
  return isLevelAtLeast(one, other) ? one : other
}
