import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { CONFIRM_REASONS, type CandidateReason, type CandidateState, type FaceCandidate } from './candidate.ts'
import { countCandidates, judgePending, selectCandidate, selectCandidates } from './candidate.store.ts'
import { findLedgers } from './ledger.store.ts'
import { SEARCH_PROBLEMS } from './problems.ts'

/** The pairs that the search found, and who judges them. Works with the search switched off. */
export interface FaceCandidates {
  /** Nearest pairs first. */
  list(state: CandidateState, limit: number): Promise<FaceCandidate[]>
  count(state: CandidateState): Promise<number>
  /**
   * Judges a pair, once: the reason says whether it is confirmed or dismissed.
   *
   * It takes nothing from anybody: what follows from a confirmed pair is decided where cases are, by people.
   * @throws {Problem} biometrics/candidate-unknown, biometrics/candidate-decided
   */
  judge(id: string, reason: CandidateReason, actor: AuditActor & { readonly id: string }): Promise<FaceCandidate>
}

export interface FaceCandidatesDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
}

/** The pairs of this database. */
export function createFaceCandidates({ db, clock, audit }: FaceCandidatesDependencies): FaceCandidates {
  return {
    list: (state, limit) => selectCandidates(db, state, limit),
    count: (state) => countCandidates(db, state),
    judge: (id, reason, actor) =>
      db.transaction(async (tx) => {
        const state = CONFIRM_REASONS.some((known) => known === reason) ? 'confirmed' : 'dismissed'
        const judged = await judgePending(tx, id, { state, reason, by: actor.id }, clock.now())
        if (!judged) {
          throw new Problem((await selectCandidate(tx, id)) ? SEARCH_PROBLEMS.candidateDecided : SEARCH_PROBLEMS.candidateUnknown)
        }
        const { leftPersonId, rightPersonId } = judged
        await audit.record(tx, { type: 'biometrics/candidate-judged', actor, data: { candidateId: id, leftPersonId, rightPersonId, state, reason } })
        const ledgers = await findLedgers(tx, [leftPersonId, rightPersonId])
        for (const subject of ledgers.values()) await audit.record(tx, { type: 'biometrics/face-match-judged', actor, subject, data: { candidateId: id, state } })
        return judged
      }),
  }
}
