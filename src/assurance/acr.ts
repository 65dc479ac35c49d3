import { isLevelAtLeast, LEVELS, type Level } from './level.ts'

export const AAL_VALUES = [1, 2, 3] as const
export type Aal = (typeof AAL_VALUES)[number]

/** How old a face check may be when the relying party names none (`max_age` absent). */
export const DEFAULT_FACE_MAX_AGE_SECONDS = 300

const LEVEL_PREFIX = 'urn:mt-login:nivel:'
const AAL_PREFIX = 'urn:mt-login:aal:'
const FACE = 'urn:mt-login:face'

/** Every `acr` value that this server understands, for discovery. */
export const ACR_VALUES: readonly string[] = [
  ...LEVELS.map((level) => LEVEL_PREFIX + level),
  ...AAL_VALUES.map((aal) => AAL_PREFIX + aal),
  FACE,
]

/** The `acr` URN of an identity level. */
export function levelUrn(level: Level): string {
  return LEVEL_PREFIX + level
}

/** What a request demands on each axis; an absent axis demands nothing. */
export interface Requirement {
  readonly level?: Level | undefined
  readonly aal?: Aal | undefined
  readonly face?: { readonly maxAgeSeconds: number } | undefined
  /** A value that this server does not know was named on its own: nothing can satisfy it. */
  readonly impossible?: true | undefined
}

/** What a session can show at this moment. */
export interface SessionAssurance {
  readonly level: Level
  readonly aal: Aal
  readonly authenticatedAt: Date
  readonly faceAt?: Date | undefined
}

/** First axis that a session falls short on. */
export type Shortfall = 'impossible' | 'aal' | 'level' | 'face'

/**
 * Reads `acr_values` (or the values of an essential `acr` claim) as a demand.
 *
 * Values are grouped by axis. Within an axis any of the listed values is acceptable, so the weakest one is the demand;
 * every axis that is named must be met, voluntary or essential: a request that can't be met ends in
 * `unmet_authentication_requirements`, never in a weaker token. Values of other systems are ignored beside known ones.
 */
export function parseRequirement(values: readonly string[], maxAgeSeconds?: number): Requirement {
  const level = LEVELS.find((name) => values.includes(LEVEL_PREFIX + name))
  const aal = AAL_VALUES.find((number) => values.includes(AAL_PREFIX + number))
  const face = values.includes(FACE) ? { maxAgeSeconds: maxAgeSeconds ?? DEFAULT_FACE_MAX_AGE_SECONDS } : undefined
  const named = values.filter((value) => value !== '')
  const impossible = named.length > 0 && !named.some((value) => ACR_VALUES.includes(value)) ? true : undefined
  return { ...(level && { level }), ...(aal && { aal }), ...(face && { face }), ...(impossible && { impossible }) }
}

/** The demand that satisfies both: the stronger one on each axis. */
export function combineRequirements(one: Requirement, other: Requirement): Requirement {
  const level = one.level && other.level ? (isLevelAtLeast(one.level, other.level) ? one.level : other.level) : (one.level ?? other.level)
  const aal = one.aal && other.aal ? (one.aal >= other.aal ? one.aal : other.aal) : (one.aal ?? other.aal)
  const ages = [one.face?.maxAgeSeconds, other.face?.maxAgeSeconds].filter((age) => age !== undefined)
  const face = ages.length > 0 ? { maxAgeSeconds: Math.min(...ages) } : undefined
  const impossible = one.impossible ?? other.impossible
  return { ...(level && { level }), ...(aal && { aal }), ...(face && { face }), ...(impossible && { impossible }) }
}

/**
 * What the session still lacks, or `undefined` when it bears the demand.
 *
 * The order is the order of the steps: a second factor first, so that a face check counts on a session already at aal2.
 */
export function findShortfall(requirement: Requirement, session: SessionAssurance, now: Date): Shortfall | undefined {
  if (requirement.impossible) return 'impossible'
  if (requirement.aal !== undefined && session.aal < requirement.aal) return 'aal'
  if (requirement.level !== undefined && !isLevelAtLeast(session.level, requirement.level)) return 'level'
  if (requirement.face !== undefined && !isFaceFresh(session.faceAt, requirement.face.maxAgeSeconds, now)) return 'face'
  return undefined
}

/**
 * The `acr` to state for a session: its identity level, or, where the request lists the only values it accepts
 * (OpenID Connect Core 5.5.1.1), the strongest listed value that the session bears; `undefined` when it bears none.
 */
export function acrFor(session: SessionAssurance, now: Date, accepted?: readonly string[]): string | undefined {
  const own = levelUrn(session.level)
  if (accepted === undefined || accepted.length === 0 || accepted.includes(own)) return own
  const strongestFirst = [...ACR_VALUES].reverse().filter((value) => accepted.includes(value))
  const byLevel = strongestFirst.filter((value) => value.startsWith(LEVEL_PREFIX))
  return [...byLevel, ...strongestFirst].find((value) => findShortfall(parseRequirement([value]), session, now) === undefined)
}

function isFaceFresh(faceAt: Date | undefined, maxAgeSeconds: number, now: Date): boolean {
  return faceAt !== undefined && now.getTime() - faceAt.getTime() <= maxAgeSeconds * 1000
}
