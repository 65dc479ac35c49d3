import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Cpf } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import type { LivenessCaller } from '../../liveness/session.ts'
import { type AgencyClient, getPurpose } from '../policy.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { doorOf, type FindSubject } from '../subject.ts'
import { createValidationProgress, type ProgressDependencies, type ValidationProgress } from './progress.ts'
import { standingOf, type Validation } from './validation.ts'
import { findValidation, findValidationBySecret, insertValidation, openValidation, sweepValidations } from './validation.store.ts'
import { createWayBack, type WayBack } from './way-back.ts'

/** From the request to the end of the face check: a message has to reach the person, and the person a quiet place. */
const PAGE_MS = 30 * 60_000
const API_MS = 10 * 60_000
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
export interface Validations extends Omit<ValidationProgress, 'record'>, WayBack {
  /** @throws {Problem} agencies/purpose-not-allowed, agencies/return-not-registered */
  ask(client: AgencyClient, request: ValidationRequest): Promise<{ validation: Validation; secret: string }>
  /** @throws {Problem} agencies/validation-not-found, also for another client's */
  get(clientId: string, id: string): Promise<Validation>
  /** `undefined`, here and by its secret, also as soon as its client may not validate any more. */
  find(id: string): Promise<Validation | undefined>
  findBySecret(secret: string): Promise<Validation | undefined>
  /** Takes the link for one browser; whoever holds it agreed to the check. @throws {Problem} agencies/link-used */
  open(validation: Validation, secret: string): Promise<void>
  sweep(): Promise<void>
}

export interface ValidationDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'hash'>; readonly publicUrl: string }
  readonly audit: Pick<Audit, 'record'>
  readonly people: Pick<ProgressDependencies, 'clearAttempts'> & { readonly findSubject: FindSubject }
  readonly modelId: () => string
  /** Whether a client may validate for this purpose now: one that was disabled takes its running checks with it. */
  readonly mayValidate: (clientId: string, purpose: string) => Promise<boolean>
}

/** Whose check it is: every step must come with the same. */
export function validationCaller({ id, clientId, subjectId }: Validation): LivenessCaller {
  return { accountId: subjectId, door: doorOf(clientId), bindingHash: createHash('sha256').update(`agencia ${id}`).digest('hex'), purpose: `agencia:${id}` }
}

export function createValidations({ platform, audit, people, modelId, mayValidate }: ValidationDependencies): Validations {
  const { db, clock, keyring, publicUrl } = platform
  const hashOf = (secret: string, use: 'secret' | 'code') => keyring.hash(secret, `agency-validation-${use}`)
  const progress = createValidationProgress({ platform, audit, modelId, clearAttempts: people.clearAttempts })
  const { record, ...steps } = progress
  const wayBack = createWayBack({ db, clock, publicUrl, hashOf: (code) => hashOf(code, 'code'), keptDays: KEPT_DAYS })
  const standing = (validation: Validation | undefined) => validation && standingOf(validation, clock.now())
  const served = async (validation: Validation | undefined) =>
    validation && (await mayValidate(validation.clientId, validation.purpose)) ? standing(validation) : undefined

  return {
    ...steps,
    ...wayBack,
    async ask(client, { cpf, purpose: code, flow, returnUri, returnState }) {
      const purpose = getPurpose(client, code)
      if (flow === 'page' && !client.policy.returnUris.includes(returnUri ?? '')) throw new Problem(AGENCY_PROBLEMS.returnNotRegistered)
      const { id: subjectId, person } = await people.findSubject(cpf)
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
    find: async (id) => served(await findValidation(db, id)),
    async findBySecret(secret) {
      const bare = secret.startsWith(APP_KEY_PREFIX) ? secret.slice(APP_KEY_PREFIX.length) : secret
      const found = /^[\w-]{43}$/.test(bare) ? await findValidationBySecret(db, hashOf(bare, 'secret')) : undefined
      // A link opens no endpoint of the application, and its key no page.
      return served(found && (found.flow === 'api') === (bare !== secret) ? found : undefined)
    },

    open: (validation, secret) =>
      db.transaction(async (tx) => {
        if (!(await openValidation(tx, hashOf(secret, 'secret'), clock.now()))) throw new Problem(AGENCY_PROBLEMS.linkUsed)
        await record(tx, 'agreed', validation)
      }),

    sweep: async () => void (await sweepValidations(db, clock.now(), KEPT_DAYS)),
  }
}
