import type { Audit } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import { Problem } from '../../../platform/problem.ts'
import type { LivenessOutcome } from '../../liveness/session.ts'
import type { SettleVerdict } from '../../liveness/verdict.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { doorOf, ledgerOf } from '../subject.ts'
import { findPerson } from '../subject.store.ts'
import { isOver, nextValidationState, type Validation, type ValidationEvent, type ValidationOutcome } from './validation.ts'
import { finishValidation, noteOutcome } from './validation.store.ts'

export interface ProgressDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock }
  readonly audit: Pick<Audit, 'record'>
  readonly modelId: () => string
  /** A passed check gives the tries at this agency back. */
  readonly clearAttempts: (subjectId: string, tx: Sql, door: string) => Promise<void>
}

/** What face checks, and the person's leaving, do to a validation. */
export interface ValidationProgress {
  /** An event in the person's ledger; for a CPF that nobody has one without a person, so that both take the same time. */
  record(tx: Sql, kind: string, validation: Validation, data?: object): Promise<void>
  /** What a verdict does to the validation, in the verdict's transaction. */
  settle(validation: Validation, sessionId: string): SettleVerdict
  /** The same for a check that ended by itself, told afterwards. */
  noteEnded(validation: Validation, sessionId: string, outcome: LivenessOutcome): Promise<void>
  /** The person goes back without a passed check: refused if one was judged, declined otherwise. */
  leave(validation: Validation): Promise<void>
}

export function createValidationProgress({ platform: { db, clock }, audit, modelId, clearAttempts }: ProgressDependencies): ValidationProgress {
  async function record(tx: Sql, kind: string, validation: Validation, data: object = {}): Promise<void> {
    const person = await findPerson(tx, validation.personId ?? validation.subjectId)
    await audit.record(tx, {
      type: `biometrics/agency-validation-${kind}`,
      actor: { kind: 'client', id: validation.clientId },
      clientId: validation.clientId,
      ...ledgerOf(person),
      data: { validationId: validation.id, purpose: validation.purpose, legalBasis: validation.legalBasis, ...data },
    })
  }

  async function finish(tx: Sql, validation: Validation, event: ValidationEvent): Promise<void> {
    const to = nextValidationState(validation.state, event)
    if (!(await finishValidation(tx, validation.id, validation.state, to, clock.now()))) throw new Problem(AGENCY_PROBLEMS.validationOver)
  }

  /** False when this very check was noted before. */
  async function note(tx: Sql, validation: Validation, sessionId: string, outcome: ValidationOutcome): Promise<boolean> {
    if (!(await noteOutcome(tx, validation.id, sessionId, outcome, clock.now()))) return false
    const { livenessClass, modelId: model, reasons } = outcome
    if (outcome.passed) await record(tx, 'passed', validation, { livenessClass, modelId: model })
    else await record(tx, 'refused', validation, { reasons: [...reasons], modelId: model })
    // On the page one may try again until one leaves; an application asks for a new validation.
    if (outcome.passed) await finish(tx, validation, 'pass')
    else if (validation.flow === 'api') await finish(tx, validation, 'refuse')
    return true
  }

  return {
    record,
    settle: (validation, sessionId) => async (tx, { passed, reasons, class: livenessClass, modelId: model }) => {
      if (!(await note(tx, validation, sessionId, { passed, reasons, livenessClass, modelId: model }))) throw new Problem(AGENCY_PROBLEMS.validationOver)
      if (passed) await clearAttempts(validation.subjectId, tx, doorOf(validation.clientId))
    },

    async noteEnded(validation, sessionId, { passed, reasons, class: livenessClass }) {
      // A passed check was settled with its verdict, or is worth nothing.
      if (passed || isOver(validation) || validation.outcomeSession === sessionId) return
      await db.transaction((tx) => note(tx, validation, sessionId, { passed, reasons, livenessClass, modelId: modelId() }))
    },

    async leave(validation) {
      if (isOver(validation)) return
      await db.transaction(async (tx) => {
        await finish(tx, validation, validation.outcome ? 'refuse' : 'decline')
        if (!validation.outcome) await record(tx, 'declined', validation)
      })
    },
  }
}
