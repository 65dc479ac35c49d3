import { PAD_LIMITS } from '../../../src/biometrics/liveness/signals/pad-signal.ts'
import { type Proportion, proportion } from '../proportion.ts'
import type { SessionOutcome } from './sessions.ts'

/** What a presentation was taken for. */
export type Answer = 'bona fide' | 'attack' | 'none'

/**
 * Attack presentation classification error rate of one species: the share of its presentations taken for bona fide (ISO/IEC 30107-3).
 *
 * Per species, never averaged over them: an attacker brings the one that works. The average of errors of both kinds (ACER) is not used, as
 * the standard advises. A presentation without an answer was not accepted: it is no error, and is told apart (`nonResponse`).
 */
export function attackError(answers: readonly Answer[]): Proportion {
  return proportion(answers.filter((answer) => answer === 'bona fide').length, answers.length)
}

/** Bona fide presentation classification error rate; one without an answer is an error here, since nobody gets in by it. */
export function bonaFideError(answers: readonly Answer[]): Proportion {
  return proportion(answers.filter((answer) => answer !== 'bona fide').length, answers.length)
}

/** Attack or bona fide presentation non-response rate: no decision was reached. */
export function nonResponse(answers: readonly Answer[]): Proportion {
  return proportion(answers.filter((answer) => answer === 'none').length, answers.length)
}

/** Equal error rate of detection (D-EER) of scores that are high for the living: where the share of attacks and of people taken wrongly meet. */
export function detectionEqualError(bonaFide: readonly number[], attacks: readonly number[]): { rate: number; threshold: number } {
  let best = { rate: 1, threshold: Number.NaN, gap: Number.POSITIVE_INFINITY }
  for (const threshold of [...new Set([...bonaFide, ...attacks, 2])].sort((a, b) => a - b)) {
    const taken = attacks.filter((score) => score >= threshold).length / attacks.length
    const refused = bonaFide.filter((score) => score < threshold).length / bonaFide.length
    const gap = Math.abs(taken - refused)
    if (gap < best.gap) best = { rate: (taken + refused) / 2, threshold, gap }
  }
  return { rate: best.rate, threshold: best.threshold }
}

export type Judgement = keyof Pick<SessionOutcome, 'passed' | 'live' | 'passedWithoutNets' | 'liveWithoutNets'> | 'nets alone'

/** The answer of one kind of judgement; no face, or a challenge that was never completed, is none. */
export function answerOf(outcome: SessionOutcome | undefined, judgement: Judgement): Answer {
  if (!outcome) return 'none'
  if (judgement === 'nets alone') return answerOfNets(outcome)
  if (!outcome.complete) return 'none'
  return outcome[judgement] ? 'bona fide' : 'attack'
}

/** As the PAD signal of the liveness check: below the limit an attack, above it a person, but only from enough frames. */
function answerOfNets(outcome: SessionOutcome): Answer {
  const mean = meanScore(outcome)
  if (mean === undefined) return 'none'
  if (mean < PAD_LIMITS.minMean) return 'attack'
  return outcome.padScores.length < PAD_LIMITS.minFrames ? 'none' : 'bona fide'
}

export function meanScore({ padScores }: SessionOutcome): number | undefined {
  return padScores.length === 0 ? undefined : padScores.reduce((sum, score) => sum + score, 0) / padScores.length
}
