import { randomInt } from 'node:crypto'
import type { Colour } from '../observation.ts'

export type TurnKind = 'turn-left' | 'turn-right' | 'look-up' | 'look-down'
export type StepKind = 'frontal' | 'flash' | TurnKind

/** One thing that the person is asked for. Data only: it is stored, and shown to the browser one step at a time. */
export interface Step {
  readonly kind: StepKind
  /** What the screen shows meanwhile; absent on the path without flashes. */
  readonly colour?: Colour
  /** How long the pose or the colour has to last. */
  readonly holdMs: number
  /** Time from the reveal to the last frame that counts, the network's share included. */
  readonly limitMs: number
  /** Consecutive frames that have to show it. */
  readonly frames: number
}

export interface PlanOptions {
  readonly flashes: boolean
  /** Chosen by the browser on a slow or metered link: fewer steps; without presentation-attack nets ten frames suffice. */
  readonly slowLink: boolean
  /** Ask for up and down too; off until the engine's pitch is shown to be reliable. */
  readonly pitch?: boolean
  /** The server's own, never the browser's: presentation-attack nets look at the frontal frames, and want ten of them. */
  readonly padNets?: boolean
  /** The server's own: coarse class of the device, which outcomes are counted by. */
  readonly device?: string
}

export interface Plan {
  readonly options: PlanOptions
  /** Frontal frames that the session needs in all; the last step waits for them. Ten is what the PAD nets' figures hold for. */
  readonly frontalFrames: number
  readonly steps: readonly Step[]
  /** Places at which the challenge was drawn anew: frames of those may show what an earlier step there asked. */
  readonly redrawnAt?: readonly number[]
}

/** An integer of [min, max), from a source that nobody can predict. */
export type RandomInt = (min: number, max: number) => number

export const WHITE: Colour = { red: 255, green: 255, blue: 255 }

/** No saturated red (WCAG 2.3.1: R/(R+G+B) < .8); spread over both colour ratios that the flash signal measures. */
export const FLASH_COLOURS: readonly Colour[] = [
  { red: 0, green: 255, blue: 0 },
  { red: 0, green: 0, blue: 255 },
  { red: 0, green: 255, blue: 255 },
  { red: 255, green: 0, blue: 255 },
  { red: 255, green: 255, blue: 0 },
  { red: 255, green: 140, blue: 0 },
]

/**
 * Times, in milliseconds. A person needs up to 4 s to hear or read an instruction and turn; 2 s more are for a 3G link: the answer that
 * reveals the step (half a round trip), one frame already on its way and the frame itself (25 KB at 400 kbit/s = .5 s each). A colour asks
 * nothing of the person. Finding the oval is not a surprise to anyone, so it may take most of the session.
 */
const TIMES = {
  positionLimit: 40_000,
  turnLimit: 6_000,
  frontalLimit: 5_000,
  slowLinkExtra: 2_000,
  turnHold: [300, 900],
  /** Frames come further apart, so that a hold lasts until the next one in any case. */
  slowTurnHold: [300, 600],
  frontalHold: [200, 500],
  /** Never under 350: at most three changes a second (WCAG 2.3.1 allows three flashes, which are two changes each). */
  flashHold: [350, 600],
} as const

const TURNS: readonly TurnKind[] = ['turn-left', 'turn-right']
const PITCHES: readonly TurnKind[] = ['look-up', 'look-down']

export function isTurn(kind: StepKind): kind is TurnKind {
  return kind !== 'frontal' && kind !== 'flash'
}

/**
 * A fresh random challenge: two or three turns, white and six to eight colours (five on a slow link), frontal at both ends.
 *
 * Turns repeat freely (left, left is as likely as left, right), so that each is worth a full bit to somebody who plays a recording.
 * Every turn is followed by a frontal step, which proves the return.
 */
export function createPlan(options: PlanOptions, random: RandomInt = randomInt): Plan {
  const turns = options.flashes ? (options.slowLink ? 2 : random(2, 4)) : 3
  const frontals = options.slowLink ? 6 : random(7, 10)
  return {
    options,
    frontalFrames: options.slowLink && !options.padNets ? 6 : 10,
    steps: sequence(options, { turns, frontals, patience: 1, opening: true }, random),
  }
}

/**
 * The same plan with everything from `step` on drawn anew: nothing that was already revealed is asked again as it was.
 *
 * For the one extension of time (`patience: 2` doubles the limits), the one pardoned wrong turn and the daylight fallback (`extraTurns: 1`).
 */
export function redrawPlan(
  plan: Plan,
  step: number,
  change: { extraTurns?: number; patience?: number; flashes?: boolean },
  random: RandomInt = randomInt,
): Plan {
  const rest = plan.steps.slice(step)
  const turns = rest.filter(({ kind }) => isTurn(kind)).length + (change.extraTurns ?? 0)
  const flashes = change.flashes ?? plan.options.flashes
  const frontals = rest.filter(({ kind }) => !isTurn(kind)).length
  const tail = sequence({ ...plan.options, flashes }, { turns, frontals, patience: change.patience ?? 1, opening: step === 0 }, random)
  return { ...plan, steps: [...plan.steps.slice(0, step), ...tail], redrawnAt: [...(plan.redrawnAt ?? []), step] }
}

interface Amounts {
  readonly turns: number
  /** With flashes the first is white and every other one a colour; without, one at each end and one between turns. */
  readonly frontals: number
  readonly patience: number
  readonly opening: boolean
}

function sequence(options: PlanOptions, amounts: Amounts, random: RandomInt): Step[] {
  const context: Context = { options, random, patience: amounts.patience, opening: amounts.opening }
  const blocks = Array.from({ length: amounts.turns + 1 }, () => 1)
  for (let spare = amounts.frontals - blocks.length; options.flashes && spare > 0; spare -= 1) {
    const lucky = random(0, blocks.length)
    blocks[lucky] = (blocks[lucky] ?? 0) + 1
  }
  const steps: Step[] = []
  for (const [index, size] of blocks.entries()) {
    if (index > 0) steps.push(turnStep(context))
    for (let i = 0; i < size; i += 1) steps.push(frontalStep(context, steps))
  }
  return steps
}

interface Context {
  readonly options: PlanOptions
  readonly random: RandomInt
  readonly patience: number
  readonly opening: boolean
}

function turnStep({ options, patience, random }: Context): Step {
  const kinds = options.pitch ? [...TURNS, ...PITCHES] : TURNS
  const [shortest, longest] = options.slowLink ? TIMES.slowTurnHold : TIMES.turnHold
  return {
    kind: kinds[random(0, kinds.length)] ?? 'turn-left',
    ...(options.flashes && { colour: WHITE }),
    holdMs: random(shortest, longest),
    limitMs: limit(TIMES.turnLimit, options, patience),
    frames: options.slowLink ? 2 : 3,
  }
}

/** The first is white (a sample of the light at rest, and it lights the face while the oval is sought); the others are colours. */
function frontalStep({ options, patience, random, opening }: Context, before: readonly Step[]): Step {
  const first = before.length === 0
  const limitMs = limit(first && opening ? TIMES.positionLimit : TIMES.frontalLimit, options, patience)
  if (first || !options.flashes) {
    return { kind: 'frontal', ...(options.flashes && { colour: WHITE }), holdMs: random(...TIMES.frontalHold), limitMs, frames: 1 }
  }
  const last = before.findLast(({ kind }) => kind === 'flash')?.colour
  const choice = FLASH_COLOURS.filter((colour) => colour !== last)
  return { kind: 'flash', colour: choice[random(0, choice.length)] ?? WHITE, holdMs: random(...TIMES.flashHold), limitMs, frames: 1 }
}

function limit(milliseconds: number, options: PlanOptions, patience: number): number {
  return (milliseconds + (options.slowLink ? TIMES.slowLinkExtra : 0)) * patience
}
