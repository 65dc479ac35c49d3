import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import type { Account } from '../account.ts'
import { completeRecovery, findAccount, findAccountByCpf, lockAccount } from '../account.store.ts'
import { citizen, type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import { type Cpf, parseCpf } from '../identity/cpf.ts'
import { ownerOf } from '../password/password-owner.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Factors, VerifyFactor } from '../sign-in/second-factor.ts'
import { CODE_TTL_SECONDS, type TokenSecrets } from '../token/one-time-tokens.ts'
import { changeWays, checkOwn, noteBroken } from '../ways/ways.ts'
import { attemptsLimit, createProving, isRecoverable } from './proving.ts'
import type { Recovery, RecoveryEnd, RecoveryHandle, RecoveryProgress, RecoveryStart, VerifyFaceRecovery } from './recovery.ts'
import { createRecoveryFlows, RECOVERY_KIND, type RecoveryFlow } from './recovery-flow.ts'
import { checkStep, FIRST_STEPS, nextStep, type RecoveryStep } from './step.ts'

export interface RecoveryDependencies {
  readonly core: Core
  readonly tools: Tools
  readonly factors: Factors
  readonly sessions: Sessions
  readonly ports: RecoveryPorts
}

export interface RecoveryPorts {
  readonly verifyFace: VerifyFaceRecovery
  readonly verifyFactor: VerifyFactor
}

const LEAST_MS = 150

type Runs<Name extends keyof Recovery> = Recovery[Name]

/** Recovery over one-time tokens whose state follows the table of `step.ts`. */
export function createRecovery(deps: RecoveryDependencies): Recovery {
  const { core, tools, factors, ports } = deps
  const { db, settings, audit } = core
  const { tokens, throttle, limits, notices } = tools
  const flows = createRecoveryFlows(tokens)
  const proving = createProving({ core, tools, flows })
  const find = ({ id, binding }: RecoveryHandle) => flows.find(id, binding)

  /** Runs a step of the flow if it stands at `step`. */
  async function at(handle: RecoveryHandle, step: RecoveryStep, run: (flow: RecoveryFlow) => Promise<RecoveryProgress>): Promise<RecoveryProgress> {
    const flow = await find(handle)
    if (flow === undefined) return { kind: 'gone' }
    checkStep(flow.step, step)
    return run(flow)
  }

  function sendCode(tx: Sql, account: Account, { code, link }: TokenSecrets): Promise<void> {
    const address = `${settings.publicUrl}/recuperar/link?t=${link}`
    return notices.tell(tx, account, 'recovery-code', { code, link: address, minutes: CODE_TTL_SECONDS / 60 })
  }

  const begin: Runs<'start'> = async ({ cpf: typed, method, binding, facts }): Promise<RecoveryStart> => {
    const cpf = parseCpf(typed)
    if (cpf === undefined) return { kind: 'invalid-cpf' }
    const admission = await throttle.admit([limits.start('recovery', facts.ip), limits.message(`recovery:${cpf}`)])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const known = await findAccountByCpf(db, cpf)
    const account = known !== undefined && isRecoverable(known) ? known : undefined
    const { id } = await db.transaction(async (tx) => {
      const secrets = await flows.begin(tx, { method, cpf, binding, accountId: account?.id, sentTo: account?.citizen.reveal().email })
      if (account !== undefined && method === 'email') await sendCode(tx, account, secrets)
      const data = { method, origin: originOf(core, facts) }
      await audit.record(tx, { type: 'accounts/recovery-started', actor: SYSTEM, ...(account && { subject: account.id }), data })
      return secrets
    })
    return { kind: 'started', id, step: FIRST_STEPS[method] }
  }

  const start: Runs<'start'> = (asked) => evenly(begin(asked))

  const resend: Runs<'resend'> = async (handle) => {
    const flow = await find(handle)
    if (flow === undefined) return { kind: 'gone' }
    nextStep(flow.step, 'resent')
    const admission = await throttle.admit([limits.message(`recovery:${flow.cpf}`)])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const account = flow.accountId && (await findAccount(db, flow.accountId))
    if (account !== undefined && account.citizen.reveal().email !== flow.sentTo) return { kind: 'gone' }
    await db.transaction(async (tx) => {
      const secrets = await tokens.renew(tx, flow.id)
      if (secrets !== undefined && account !== undefined) await sendCode(tx, account, secrets)
    })
    return { kind: 'sent' }
  }

  return {
    start,
    resend,
    async find(handle) {
      const flow = await find(handle)
      if (flow === undefined) return undefined
      const account = flow.accountId && (await findAccount(db, flow.accountId))
      const subject = account && { accountId: account.id, personId: account.personId }
      const { step, method } = flow
      const faceSubject = subject?.accountId ?? standIn(core, flow.cpf)
      return { step, method, factors: step === 'second-factor' ? await proving.factorsOf(flow) : [], subject, faceSubject }
    },
    proveByCode: (handle, code, facts) =>
      at(handle, 'email-sent', (flow) =>
        proving.prove(flow, facts, { before: async () => (await tokens.checkCode({ kind: RECOVERY_KIND, ...handle, code })).kind === 'right' }),
      ),
    async proveByLink(link, binding) {
      const flow = await flows.findByLink(link)
      return flow?.step === 'email-sent' ? proving.advance(flow, { binding }) : { kind: 'gone' }
    },
    proveByRecoveryCode: (handle, code, facts) =>
      at(handle, 'recovery-code', (flow) => proving.prove(flow, facts, {
        // Looked up first: a wrong code of an account takes no longer than one of nobody's.
        before: (account) => factors.recoveryCodes.holds(account.id, code),
        within: (tx, account) => factors.recoveryCodes.use(tx, account, code),
      })),
    proveByFace: (handle, proof, facts) =>
      at(handle, 'face', (flow) =>
        proving.prove(flow, facts, {
          before: ({ id: accountId, personId }) => ports.verifyFace({ accountId, personId, recoveryId: flow.id, proof }),
        }),
      ),
    async startPasskey(handle) {
      const flow = await find(handle)
      if (flow?.accountId === undefined) return undefined
      checkStep(flow.step, 'second-factor')
      return factors.passkeys.startAuthentication({ accountId: flow.accountId, binding: handle.binding })
    },
    async startCertificate(handle, page) {
      const flow = await find(handle)
      if (flow?.accountId === undefined) return undefined
      checkStep(flow.step, 'second-factor')
      return factors.certificates.begin({ use: 'recovery', binding: handle.binding, accountId: flow.accountId }, page)
    },
    proveSecondFactor: (handle, proof, facts) =>
      at(handle, 'second-factor', async (flow) => {
        const account = flow.accountId && (await findAccount(db, flow.accountId))
        const isOwed = (await proving.factorsOf(flow)).includes(proof.method)
        if (account === undefined || !isOwed) return { kind: 'wrong' }
        const verdict = await ports.verifyFactor(account, proof, facts)
        return verdict.kind === 'proved' ? proving.advance(flow) : verdict
      }),
    setPassword: createPasswordStep(deps, find),
  }
}

/** The last step: everything of it in one transaction. */
function createPasswordStep({ core, tools, sessions }: RecoveryDependencies, find: (handle: RecoveryHandle) => Promise<RecoveryFlow | undefined>) {
  const { db, clock, audit } = core
  const { tokens, passwords, throttle, limits, notices } = tools

  function complete(flow: RecoveryFlow, account: Account, hash: string, facts: Facts): Promise<Account | undefined> {
    return db.transaction(async (tx) => {
      const locked = await lockAccount(tx, account.id)
      if (locked === undefined || !isRecoverable(locked) || !(await tokens.consume(tx, flow.id))) return undefined
      await checkOwn(core, tx, account.id)
      await changeWays(core, tx, account.id, (ways) => completeRecovery(ways, account.id, { hash, by: flow.method, at: clock.now() }))
      await sessions.endAll(tx, account.id, 'recovered')
      await tokens.consumeAllOf(tx, account.id)
      const data = { method: flow.method, origin: originOf(core, facts) }
      await audit.record(tx, { type: 'accounts/recovered', actor: citizen(account.id), subject: account.id, data })
      await notices.tellEverywhere(tx, locked, 'recovered')
      return findAccount(tx, account.id)
    })
  }

  return async (handle: RecoveryHandle, password: string, facts: Facts): Promise<RecoveryEnd> => {
    const flow = await find(handle)
    const account = flow?.accountId && (await findAccount(db, flow.accountId))
    if (flow === undefined || account === undefined) return { kind: 'gone' }
    checkStep(flow.step, 'new-password')
    const owner = account.citizen.reveal()
    const fault = await passwords.findFault(password, ownerOf(owner))
    if (fault !== undefined) return { kind: 'refused', fault }
    const recovered = await complete(flow, account, await passwords.hash(password), facts).catch(async (error: unknown) => {
      if (isProblem(error, ACCOUNTS_PROBLEMS.waysUnconfirmed)) await noteBroken(core, db, account.id, 'recovery')
      throw error
    })
    if (recovered === undefined) return { kind: 'gone' }
    const { near, whole } = limits.signIn({ cpf: owner.cpf, ip: facts.ip })
    await throttle.clear([near, attemptsLimit(limits, flow), ...(whole ? [whole] : [])])
    return { kind: 'recovered', account: recovered }
  }
}

/**
 * The same time for everybody: writing and sending a message takes longer than not doing so, and would tell who has an account
 * (ASVS 6.3.8). Nobody starts a recovery often enough to mind the wait.
 */
async function evenly<T>(work: Promise<T>): Promise<T> {
  const [result] = await Promise.all([work, sleep(LEAST_MS)])
  return result
}

/** An id in the form of an account's, the same for a CPF whenever it is asked, so that tries are counted alike for everybody. */
function standIn({ keyring }: Core, cpf: Cpf): string {
  const hex = keyring.hash(cpf, 'recovery-stand-in').toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
