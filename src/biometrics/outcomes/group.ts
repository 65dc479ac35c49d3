/** The groups that outcomes of face checks are counted by: coarse on purpose, and nothing about race or sex. */
import type { LivenessFrame } from '../liveness/protocol.ts'
import type { FaceObservation } from '../observation.ts'

/** Form and family of system; `other` is what says neither, programs of agencies among them. */
export const DEVICE_CLASSES = [
  'phone-android',
  'phone-ios',
  'tablet-android',
  'tablet-ios',
  'desktop-windows',
  'desktop-macos',
  'desktop-linux',
  'desktop-chromeos',
  'other',
] as const
export type DeviceClass = (typeof DEVICE_CLASSES)[number]

/** How the face was lit in the middle one of its frames; `unknown` where no face was seen. */
export const LIGHT_BANDS = ['dark', 'even', 'uneven', 'bright', 'unknown'] as const
export type LightBand = (typeof LIGHT_BANDS)[number]

export const AGE_BANDS = ['0-17', '18-29', '30-44', '45-59', '60-74', '75+', 'unknown'] as const
export type AgeBand = (typeof AGE_BANDS)[number]

/** What is looked at one by one; combinations of them are stored and never shown, since they would single people out. */
export const DIMENSIONS = ['device', 'light', 'age', 'model', 'class'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/**
 * The coarse class that a browser's `User-Agent` tells; nothing else of it is kept.
 *
 * An iPad says that it is a Mac, and counts as one.
 */
export function deviceClassOf(userAgent: string): DeviceClass {
  if (/iPad/.test(userAgent)) return 'tablet-ios'
  if (/iPhone|iPod/.test(userAgent)) return 'phone-ios'
  if (/Android/.test(userAgent)) return /Mobile/.test(userAgent) ? 'phone-android' : 'tablet-android'
  if (/Windows NT/.test(userAgent)) return 'desktop-windows'
  if (/Macintosh/.test(userAgent)) return 'desktop-macos'
  if (/CrOS/.test(userAgent)) return 'desktop-chromeos'
  if (/Linux|X11/.test(userAgent)) return 'desktop-linux'
  return 'other'
}

/** The class in a text that was stored; `other` for none of them. */
export function parseDeviceClass(text: string | null | undefined): DeviceClass {
  return DEVICE_CLASSES.find((known) => known === text) ?? 'other'
}

const OLDEST: readonly (readonly [band: AgeBand, from: number])[] = [
  ['75+', 75],
  ['60-74', 60],
  ['45-59', 45],
  ['30-44', 30],
  ['18-29', 18],
  ['0-17', 0],
]

/** The band of a birth date (`YYYY-MM-DD`) on a day of the same form. */
export function ageBandOf(birthDate: string | undefined, day: string): AgeBand {
  if (birthDate === undefined) return 'unknown'
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4)) - (day.slice(5) < birthDate.slice(5) ? 1 : 0)
  return OLDEST.find(([, from]) => years >= from)?.[0] ?? 'unknown'
}

/** Between these a photograph taken by staff would be accepted (`capture-point` in quality/profiles.ts). */
const LUMA = { dark: 70, bright: 200 } as const
const EVEN_HALVES = 0.6

/** The band of the frame in the middle, of all frames' largest faces: flashes in colours do not move it. */
export function lightBandOf(frames: readonly LivenessFrame[]): LightBand {
  const faces = frames.flatMap(({ observation }) => observation.faces.slice(0, 1))
  if (faces.length === 0) return 'unknown'
  const luma = middle(faces.map(({ brightness }) => brightness))
  if (luma < LUMA.dark) return 'dark'
  if (luma > LUMA.bright) return 'bright'
  return middle(faces.map(uniformityOf)) < EVEN_HALVES ? 'uneven' : 'even'
}

function uniformityOf({ measures, unevenness }: FaceObservation): number {
  return measures?.illuminationUniformity ?? 1 - unevenness
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
