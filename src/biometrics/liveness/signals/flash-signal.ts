import type { Colour } from '../../observation.ts'
import type { Step } from '../plan.ts'
import type { LivenessFrame } from '../protocol.ts'
import type { Signal } from './signal.ts'
import { isFrontal, mean, singleFaces } from './signal.ts'

export const FLASH_LIMITS = {
  /** A chance answer reaches this once in some hundred sessions: see the figures in the test. */
  correlation: 0.75,
  /** Least change of log colour ratio for a full change of the screen: below it noise decides. */
  minSlope: 0.01,
  /** The room answers at most this much as strongly as the skin, which is nearer to the screen. */
  maxBackgroundShare: 0.7,
  minSamples: 6,
  maxLagFrames: 5,
  /** Camera and browser need this long to show a new colour; frames further apart than that allow no lag. */
  maxLagMs: 400,
} as const

interface Sample {
  readonly atMs: number
  readonly shown: Ratios
  readonly skin: Ratios
  readonly background: Ratios
}

/** log(R/G) and log(B/G): what a coloured light changes and a brighter one does not. */
type Ratios = readonly [number, number]

function ratios({ red, green, blue }: Colour, ambient: number): Ratios {
  return [Math.log((red + ambient) / (green + ambient)), Math.log((blue + ambient) / (green + ambient))]
}

function samples(steps: readonly Step[], frames: readonly LivenessFrame[]): Sample[] {
  return singleFaces(frames).flatMap(({ frame, face }) => {
    const colour = steps[frame.step]?.colour
    if (!colour || !isFrontal(face)) return []
    const { background } = frame.observation
    return [{ atMs: frame.capturedMs, shown: ratios(colour, 255), skin: ratios(face.skin, 1), background: ratios(background, 1) }]
  })
}

interface Fit {
  readonly correlation: number
  readonly slope: number
}

/** Joint correlation of both ratios, each about its own mean, and how strongly the second follows the first. */
function fit(shown: readonly Ratios[], seen: readonly Ratios[]): Fit {
  const [x, y] = [centred(shown), centred(seen)]
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
  const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)]
  return { correlation: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0, slope: xx > 0 ? xy / xx : 0 }
}

function centred(all: readonly Ratios[]): number[] {
  const [red, blue] = [mean(all.map(([ratio]) => ratio)), mean(all.map(([, ratio]) => ratio))]
  return all.flatMap(([r, b]) => [r - red, b - blue])
}

/** Frames by which the picture may trail the screen, in view of how far apart the frames are. */
function possibleLags(all: readonly Sample[]): number[] {
  const lags = [0]
  for (let lag = 1; lag <= FLASH_LIMITS.maxLagFrames && all.length - lag >= FLASH_LIMITS.minSamples; lag += 1) {
    const gaps = all.slice(lag).map(({ atMs }, i) => atMs - (all[i]?.atMs ?? 0))
    if (mean(gaps) <= FLASH_LIMITS.maxLagMs) lags.push(lag)
  }
  return lags
}

/**
 * Whether the skin's colour follows the screen's, and the room's does not follow it as much.
 *
 * `absent` when the light of the screen is too weak to tell, as in daylight, and on the path without flashes: then one turn more is asked.
 */
export function flashSignal(steps: readonly Step[], frames: readonly LivenessFrame[]): Signal {
  const all = samples(steps, frames)
  const distinct = new Set(all.map(({ shown }) => shown.join())).size
  if (all.length < FLASH_LIMITS.minSamples || distinct < 4) return { outcome: 'absent', reasons: [], scores: { samples: all.length } }
  const fits = possibleLags(all).map((lag) => {
    const shown = all.slice(0, all.length - lag).map((sample) => sample.shown)
    const late = all.slice(lag)
    const background = fit(
      shown,
      late.map((sample) => sample.background),
    )
    return {
      lag,
      ...fit(
        shown,
        late.map((sample) => sample.skin),
      ),
      background: background.slope,
    }
  })
  const best = fits.reduce((a, b) => (b.correlation > a.correlation ? b : a))
  const scores = { samples: all.length, lag: best.lag, correlation: best.correlation, slope: best.slope, background: best.background }
  return isAnswer(best) ? { outcome: 'passed', reasons: [], scores } : { outcome: 'absent', reasons: ['face/window-behind'], scores }
}

function isAnswer(best: Fit & { background: number }): boolean {
  const { correlation, minSlope, maxBackgroundShare } = FLASH_LIMITS
  return best.correlation >= correlation && best.slope >= minSlope && best.background <= maxBackgroundShare * best.slope
}
