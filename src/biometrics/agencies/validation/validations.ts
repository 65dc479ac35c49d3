import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Cpf } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import type { LivenessCaller, LivenessOutcome } from '../../liveness/session.ts'
import type { SettleVerdict } from '../../liveness/verdict.ts'
import { type AgencyClient, getPurpose } from '../policy.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { attemptsKey, type FindSubject, ledgerOf } from '../subject.ts'
import { findPerson } from '../subject.store.ts'
import { isOver, nextValidationState, standingOf, type Validation, type ValidationEvent, type ValidationOutcome } from './validation.ts'
import {
  findValidation, findValidationBySecret, finishValidation, insertValidation, noteOutcome, openValidation, setCode, sweepValidations, useCode,
} from './validation.store.ts'

/** From the request to the end of the face check: a message has to reach the person, and the person a quiet place. */
const PAGE_MS = 30 * 60_000
const API_MS = 10 * 60_000
const CODE_MS = 5 * 60_000
const KEPT_DAYS = 90

/** How an application's keys begin, so that a leaked one is known for what it is. */
export const APP_KEY_PREFIX = 'mtv_'

export interface ValidationRequest {
  readonly cpf: Cpf
  readonly purpose: string
  readonly flow: 'page' | 'api'
  readonly returnUri?: string | undefined
  readonly returnState?: string | undefined
}

/** Selfies that agencies ask for; who has a reference, and who exists, never shows. */
export interface Validations {
  /** @throws {Problem} agencies/purpose-not-allowed, agencies/return-not-registered */
  ask(client: AgencyClient, request: ValidationRequest): Promise<{ validation: Validation; secret: string }>
  /** @throws {Problem} agencies/validation-not-found, also for another client's */
  get(clientId: string, id: string): Promise<Validation>
  find(id: string): Promise<Validation | undefined>
  findBySecret(secret: string): Promise<Validation | undefined>
  /** Takes the link for one browser; whoever holds it agreed to the check. @throws {Problem} agencies/link-used */
  open(validation: Validation, secret: string): Promise<void>
  /** What a verdict does to the validation, in the verdict's transaction. */
  settle(validation: Validation, sessionId: string): SettleVerdict
  /** The same for a check that ended by itself, told afterwards. */
  noteEnded(validation: Validation, sessionId: string, outcome: LivenessOutcome): Promise<void>
  /** The person goes back without a passed check: refused if one was judged, declined otherwise. */
  leave(validation: Validation): Promise<void>
  /** Where the person goes back to, with a code that the client redeems once. @throws {Problem} agencies/validation-over */
  wayBack(validation: Validation): Promise<string>
  /** @throws {Problem} agencies/code-refused */
  redeem(validation: Validation, code: string): Promise<void>
  sweep(): Promise<void>
}

export interface ValidationDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'hash'>; readonly publicUrl: string }
  readonly audit: Pick<Audit, 'record'>
  readonly findSubject: FindSubject
  readonly modelId: () => string
  /** A passed check gives the tries back. */
  readonly clearAttempts: (key: string, tx: Sql) => Promise<void>
}

/** Whose check it is: every step must come with the same. */
export function validationCaller({ id, subjectId }: Validation): LivenessCaller {
  return { accountId: subjectId, bindingHash: createHash('sha256').update(`agencia ${id}`).digest('hex'), purpose: `agencia:${id}` }
}

export function createValidations(deps: ValidationDependencies): Validations {
  const { platform, audit, findSubject, modelId, clearAttempts } = deps
  const { db, clock, keyring, publicUrl } = platform
  const hashOf = (secret: string, use: 'secret' | 'code') => keyring.hash(secret, `agency-validation-${use}`)

  /** An event in the person's ledger; for a CPF that nobody has one without a person, so that both take the same time. */
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

  const standing = (validation: Validation | undefined) => validation && standingOf(validation, clock.now())

  return {
    async ask(client, { cpf, purpose: code, flow, returnUri, returnState }) {
      const purpose = getPurpose(client, code)
      if (flow === 'page' && !client.policy.returnUris.includes(returnUri ?? '')) throw new Problem(AGENCY_PROBLEMS.returnNotRegistered)
      const { id: subjectId, person } = await findSubject(cpf)
      const createdAt = clock.now()
      const secret = randomBytes(32).toString('base64url')
      const validation: Validation = {
        id: randomUUID(), clientId: client.id, subjectId, personId: person?.personId, purpose: purpose.code, legalBasis: purpose.legalBasis,
        flow, state: 'asked', returnUri, returnState, outcome: undefined, outcomeSession: undefined, createdAt,
        expiresAt: new Date(createdAt.getTime() + (flow === 'page' ? PAGE_MS : API_MS)), finishedAt: undefined,
      }
      await db.transaction(async (tx) => {
        await insertValidation(tx, validation, hashOf(secret, 'secret'))
        await record(tx, 'asked', validation, { flow })
      })
      return { validation, secret: flow === 'api' ? APP_KEY_PREFIX + secret : secret }
    },

    async get(clientId, id) {
      const validation = standing(await findValidation(db, id))
      if (validation?.clientId !== clientId) throw new Problem(AGENCY_PROBLEMS.validationNotFound)
      return validation
    },
    find: async (id) => standing(await findValidation(db, id)),
    async findBySecret(secret) {
      const bare = secret.startsWith(APP_KEY_PREFIX) ? secret.slice(APP_KEY_PREFIX.length) : secret
      const found = /^[\w-]{43}$/.test(bare) ? await findValidationBySecret(db, hashOf(bare, 'secret')) : undefined
      // A link opens no endpoint of the application, and its key no page.
      return standing(found && (found.flow === 'api') === (bare !== secret) ? found : undefined)
    },

    open: (validation, secret) =>
      db.transaction(async (tx) => {
        if (!(await openValidation(tx, hashOf(secret, 'secret'), clock.now()))) throw new Problem(AGENCY_PROBLEMS.linkUsed)
        await record(tx, 'agreed', validation)
      }),

    settle: (validation, sessionId) => async (tx, { passed, reasons, class: livenessClass, modelId: model }) => {
      if (!(await note(tx, validation, sessionId, { passed, reasons, livenessClass, modelId: model }))) throw new Problem(AGENCY_PROBLEMS.validationOver)
      if (passed) await clearAttempts(attemptsKey(validation.subjectId), tx)
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

    async wayBack({ id, returnUri, returnState }) {
      const code = randomBytes(32).toString('base64url')
      const expiresAt = new Date(clock.now().getTime() + CODE_MS)
      const set = () => setCode(db, id, hashOf(code, 'code'), expiresAt)
      // One whose time is over may not have been swept yet.
      const isSet = (await set()) || ((await sweepValidations(db, clock.now(), KEPT_DAYS)) > 0 && (await set()))
      if (returnUri === undefined || !isSet) throw new Problem(AGENCY_PROBLEMS.validationOver)
      const url = new URL(returnUri)
      url.searchParams.set('codigo', code)
      if (returnState !== undefined) url.searchParams.set('estado', returnState)
      url.searchParams.set('iss', publicUrl)
      return url.href
    },

    async redeem({ id }, code) {
      if (!(await useCode(db, id, hashOf(code, 'code'), clock.now()))) throw new Problem(AGENCY_PROBLEMS.codeRefused)
    },

    sweep: async () => void (await sweepValidations(db, clock.now(), KEPT_DAYS)),
  }
}
