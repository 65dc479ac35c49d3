import type { Sql } from '../../platform/db.ts'
import type { ReasonCode } from '../reason.ts'
import { sortReasons } from '../reason.ts'
import type { MatchRule, OperatingPoint } from './match-rule.ts'
import { isTurn } from './plan.ts'
import type { LivenessFrame, LivenessSession } from './protocol.ts'
import { continuitySignal } from './signals/continuity-signal.ts'
import { flashSignal } from './signals/flash-signal.ts'
import type { IdentitySignal, ReferenceTemplate } from './signals/identity-signal.ts'
import { identitySignal } from './signals/identity-signal.ts'
import { padSignal } from './signals/pad-signal.ts'
import { neutralPitch, poseHint, poseSignal } from './signals/pose-signal.ts'
import { commonHints } from './signals/quality-signal.ts'
import { repeatSignal } from './signals/repeat-signal.ts'
import type { EarlierPrint } from './signals/replay-signal.ts'
import { replaySignal } from './signals/replay-signal.ts'
import type { Signal } from './signals/signal.ts'
import { facesOf } from './signals/signal.ts'

/** What a passed check is worth, weakest first: policy caps the level by it. None is certified by ISO/IEC 30107-3. */
export const LIVENESS_CLASSES = ['basic', 'active', 'active+bound', 'attended'] as const
export type LivenessClass = (typeof LIVENESS_CLASSES)[number]

/** What is known of the occasion, beyond the frames. */
export interface Occasion {
  /** The session is at aal2 with a device key older than 24 hours, and nothing flags it as risky. */
  readonly boundDevice: boolean
  /** Staff captured it at a counter under dual control. */
  readonly attended: boolean
}

export interface Evidence {
  readonly session: LivenessSession
  readonly frames: readonly LivenessFrame[]
  readonly reference: ReferenceTemplate
  readonly rule: MatchRule
  readonly earlier: readonly EarlierPrint[]
  readonly occasion: Occasion
  /** The presentation-attack nets that scored the frames; absent where none are installed. */
  readonly padModel?: string | undefined
}

/** What was decided and by what: everything that a court may ask for, and no picture and no template. */
export interface LivenessVerdict {
  readonly passed: boolean
  readonly class: LivenessClass
  readonly reasons: readonly ReasonCode[]
  /** For the record; never for the browser. */
  readonly scores: Readonly<Record<string, number>>
  readonly modelId: string
  readonly k: number
  readonly threshold: number
  /** False match rate that the threshold stands for: the stricter one where the check may lift to ouro. */
  readonly point: OperatingPoint
  /** The presentation-attack nets that had a say in it. */
  readonly padModel?: string
}

/** What a verdict brings about, in the transaction that records it. */
export type SettleVerdict = (tx: Sql, verdict: LivenessVerdict) => Promise<void>

type Finding = 'pose' | 'continuity' | 'repeat' | 'replay' | 'identity' | 'pad' | 'flash'
type Findings = Readonly<Record<Finding, Signal>> & { readonly identity: IdentitySignal }
type Claim = Finding | 'light' | 'bound' | 'reference-in-person' | 'identity-strict' | 'attended'

/** Whatever fails here refuses, whoever asks and for whatever class. Flash may be absent: a turn more stands in for it. */
const DECISIVE: readonly Finding[] = ['pose', 'continuity', 'repeat', 'replay', 'identity', 'pad']

/** Strongest first: the class is the first whose every claim holds (specs/biometrics.md 1.8). */
const CLASS_RULES: readonly (readonly [LivenessClass, readonly Claim[]])[] = [
  ['attended', ['attended', 'pose', 'continuity', 'identity']],
  ['active+bound', ['pose', 'continuity', 'light', 'pad', 'replay', 'bound', 'reference-in-person', 'identity-strict']],
  ['active', ['pose', 'continuity', 'light', 'pad', 'replay']],
  ['basic', ['pose', 'continuity']],
]

/**
 * The judgement of a finished session, by the server alone.
 *
 * Refused means refused: `class` then says `basic` and nothing may be read from it.
 */
export function judge(evidence: Evidence): LivenessVerdict {
  const { session, frames, rule, reference, earlier, padModel } = evidence
  const steps = session.plan.steps
  const identity = identitySignal(frames, reference, rule)
  const findings: Findings = {
    pose: poseSignal(session.plan, frames, session.wrongTurns),
    continuity: continuitySignal(frames, rule),
    repeat: repeatSignal(frames),
    replay: replaySignal(frames, earlier),
    identity,
    pad: padSignal(frames),
    flash: flashSignal(steps, frames),
  }
  const failed = DECISIVE.filter((finding) => findings[finding].outcome === 'failed')
  const lit = hasLight(session, findings.flash)
  const complete = session.state === 'complete'
  const passed = complete && failed.length === 0 && lit
  const reasons = sortReasons([
    ...failed.flatMap((finding) => findings[finding].reasons),
    ...(lit ? [] : (['face/window-behind'] as const)),
  ])
  const worth = passed ? classOf(findings, evidence, lit) : 'basic'
  const strict = worth === 'active+bound' ? identity.strict : undefined
  return {
    passed,
    class: worth,
    reasons: passed || reasons.length > 0 ? (passed ? [] : reasons) : ['face/not-live'],
    scores: flatScores(findings),
    modelId: rule.modelId,
    k: identity.k,
    threshold: strict?.threshold ?? identity.threshold,
    point: strict ? 'fmr1e-5' : 'fmr1e-4',
    ...(padModel !== undefined && findings.pad.outcome !== 'absent' && { padModel }),
  }
}

/** Colours answered; or, where they were not asked for or drowned in daylight, a third turn. */
function hasLight(session: LivenessSession, flash: Signal): boolean {
  if (flash.outcome === 'passed') return true
  const turns = session.plan.steps.filter(({ kind }) => isTurn(kind)).length
  return turns >= 3 && (session.fallback || !session.plan.options.flashes)
}

function classOf(findings: Findings, { reference, occasion }: Evidence, lit: boolean): LivenessClass {
  const holds = (claim: Claim): boolean => {
    if (claim === 'light') return lit
    if (claim === 'bound') return occasion.boundDevice
    if (claim === 'reference-in-person') return reference.inPerson
    if (claim === 'attended') return occasion.attended
    if (claim === 'identity-strict') return findings.identity.strict?.passed === true
    return findings[claim].outcome === 'passed'
  }
  return CLASS_RULES.find(([, claims]) => claims.every(holds))?.[0] ?? 'basic'
}

function flatScores(findings: Findings): Record<string, number> {
  return Object.fromEntries(
    Object.entries(findings).flatMap(([finding, { scores }]) =>
      Object.entries(scores).map(([name, value]) => [`${finding}.${name}`, Math.round(value * 10_000) / 10_000] as const),
    ),
  )
}

/** Why a session that was never completed came to nothing, from the last frames of the step it stuck at. */
export function giveUpReasons(session: LivenessSession, frames: readonly LivenessFrame[]): ReasonCode[] {
  const step = session.plan.steps[session.step]
  const latest = frames.filter((frame) => frame.step === session.step).slice(-6)
  if (!step || latest.length === 0) return frames.length === 0 ? ['face/none'] : ['face/too-slow']
  const hints = commonHints(latest, step.kind)
  if (hints.length > 0) return hints
  const last = latest.at(-1)
  const face = last && facesOf(last.observation)[0]
  const pose = face && poseHint(step.kind, face, neutralPitch(frames))
  return sortReasons([...(pose ? [pose] : []), 'face/too-slow', ...(isTurn(step.kind) ? (['face/not-live'] as const) : [])])
}
