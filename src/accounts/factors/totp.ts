import { randomUUID } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import { isUuid } from '../../platform/database/uuid.ts'
import type { AccountId } from '../account.ts'
import { noteCredentialChange } from '../account.store.ts'
import { asChanger, type Changer, changing } from '../change-guard.ts'
import { citizen, type Core, type Tools } from '../core.ts'
import { formatCpf } from '../identity/cpf.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { makeTotpSecret, matchingStep, totpUri } from './totp-code.ts'
import { confirmTotp, findProvisionalTotp, findTotp, insertProvisionalTotp, removeTotp, useTotpStep } from './totp.store.ts'

const PROVISIONAL_MS = 30 * 60 * 1000

/** Authenticator apps: one per account, one code per time step. */
export interface Totp {
  /** A provisional secret; it counts for nothing until a code confirms it. */
  start(changer: Changer): Promise<{ factorId: string; secret: string; uri: string }>
  /**
   * Turns the provisional secret on, in place of a former one.
   *
   * @throws {Problem} accounts/wrong-code, accounts/unknown-factor, accounts/too-many-attempts and what a change may meet.
   */
  confirm(changer: Changer, presented: { factorId: string; code: string }): Promise<void>
  /** @throws {Problem} accounts/unknown-factor and what a change may meet. */
  remove(changer: Changer): Promise<void>
  isEnabled(accountId: AccountId): Promise<boolean>
  /** Whether the code is right and unused; uses it up. The caller throttles. */
  use(accountId: AccountId, code: string): Promise<boolean>
}

export function createTotp(core: Core, { throttle, limits, notices }: Pick<Tools, 'throttle' | 'limits' | 'notices'>): Totp {
  const { db, clock, keyring, audit, settings } = core
  const contextOf = (accountId: AccountId) => `totp:${accountId}`
  const openSecret = (sealed: Buffer, accountId: AccountId) => keyring.open(sealed, contextOf(accountId)).toString('utf8')

  async function findStep(accountId: AccountId, factorId: string, code: string): Promise<number> {
    const since = new Date(clock.now().getTime() - PROVISIONAL_MS)
    const factor = isUuid(factorId) ? await findProvisionalTotp(db, accountId, factorId, since) : undefined
    if (factor === undefined) throw new Problem(ACCOUNTS_PROBLEMS.unknownFactor)
    const step = matchingStep(openSecret(factor.secret, accountId), code, clock.now())
    if (step === undefined) throw new Problem(ACCOUNTS_PROBLEMS.wrongCode)
    return step
  }

  return {
    start: (changer) =>
      asChanger(core, changer, async (tx, account) => {
        const secret = makeTotpSecret()
        const factorId = randomUUID()
        const sealed = keyring.seal(secret, contextOf(account.id))
        await insertProvisionalTotp(tx, { id: factorId, accountId: account.id, secret: sealed, now: clock.now() })
        return { factorId, secret, uri: totpUri(secret, settings.serviceName, formatCpf(account.citizen.reveal().cpf)) }
      }),
    async confirm(changer, { factorId, code }) {
      const limit = limits.secondFactor(changer.accountId)
      await throttle.checkAdmitted([limit])
      const step = await findStep(changer.accountId, factorId, code)
      await changing(core, changer, async (tx, account) => {
        const now = clock.now()
        if (!(await confirmTotp(tx, { id: factorId, accountId: account.id, step, now }))) throw new Problem(ACCOUNTS_PROBLEMS.unknownFactor)
        await noteCredentialChange(tx, account.id, now)
        await audit.record(tx, { type: 'accounts/totp-enabled', actor: citizen(account.id), subject: account.id, data: { factorId } })
        await notices.tell(tx, account, 'totp-enabled')
      })
      await throttle.clear([limit])
    },
    remove: (changer) =>
      changing(core, changer, async (tx, account) => {
        const now = clock.now()
        const factorId = await removeTotp(tx, account.id, now)
        if (factorId === undefined) throw new Problem(ACCOUNTS_PROBLEMS.unknownFactor)
        await noteCredentialChange(tx, account.id, now)
        await audit.record(tx, { type: 'accounts/totp-removed', actor: citizen(account.id), subject: account.id, data: { factorId } })
        await notices.tellEverywhere(tx, account, 'totp-removed')
      }),
    isEnabled: async (accountId) => (await findTotp(db, accountId)) !== undefined,
    async use(accountId, code) {
      const factor = await findTotp(db, accountId)
      const step = factor && matchingStep(openSecret(factor.secret, accountId), code, clock.now())
      return factor !== undefined && step !== undefined && useTotpStep(db, factor.id, step)
    },
  }
}
