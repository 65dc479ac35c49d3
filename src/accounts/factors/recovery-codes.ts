import { randomBytes, randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import type { Account, AccountId } from '../account.ts'
import { noteCredentialChange } from '../account.store.ts'
import { type Changer, changing, checkMayChange, type CheckMayChange } from '../change-guard.ts'
import { citizen, type Core, type Tools } from '../core.ts'
import { changeWays } from '../ways/ways.ts'
import { countRecoveryCodes, hasRecoveryCode, replaceRecoveryCodes, useRecoveryCode } from './recovery-code.store.ts'

const CODES = 10
/** Crockford's base32: no I, L, O or U to misread. Sixteen symbols are 80 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const SYMBOLS = 16

/** Codes on paper for who lost the other factor: ten, shown once, each works once. */
export interface RecoveryCodes {
  /** Ten new codes; former ones are dead. They are shown now and never again. */
  make(changer: Changer): Promise<string[]>
  countLeft(accountId: AccountId): Promise<number>
  /** Whether a code works now; uses nothing up. The caller throttles. */
  holds(accountId: AccountId, code: string): Promise<boolean>
  /** Uses a code up in the caller's transaction and tells the citizen; false when it does not work. The caller throttles. */
  use(tx: Sql, account: Account, code: string): Promise<boolean>
}

export function createRecoveryCodes(core: Core, { notices }: Pick<Tools, 'notices'>, checkChange: CheckMayChange = checkMayChange): RecoveryCodes {
  const { db, clock, keyring, audit } = core
  const hashOf = (accountId: AccountId, code: string) => keyring.hash(`${accountId}:${normalise(code)}`, 'recovery-code')

  return {
    make: (changer) =>
      changing(core, changer, async (tx, account) => {
        const codes = Array.from({ length: CODES }, makeCode)
        const now = clock.now()
        await replaceRecoveryCodes(tx, account.id, codes.map((code) => ({ id: randomUUID(), hash: hashOf(account.id, code) })), now)
        await noteCredentialChange(tx, account.id, now)
        const data = { count: CODES }
        await audit.record(tx, { type: 'accounts/recovery-codes-made', actor: citizen(account.id), subject: account.id, data })
        await notices.tell(tx, account, 'recovery-codes-made')
        return codes
      }, checkChange),
    countLeft: (accountId) => countRecoveryCodes(db, accountId),
    holds: (accountId, code) => hasRecoveryCode(db, accountId, hashOf(accountId, code)),
    async use(tx, account, code) {
      // A wrong one changes no ways in, and seals none anew.
      if (!(await hasRecoveryCode(tx, account.id, hashOf(account.id, code)))) return false
      if (!(await changeWays(core, tx, account.id, (ways) => useRecoveryCode(ways, account.id, hashOf(account.id, code), clock.now())))) return false
      const left = await countRecoveryCodes(tx, account.id)
      await audit.record(tx, { type: 'accounts/recovery-code-used', actor: citizen(account.id), subject: account.id, data: { left } })
      await notices.tellEverywhere(tx, account, 'recovery-code-used', { left })
      return true
    },
  }
}

/** `7QK2-M0XB-9ZTR-4HVC` */
function makeCode(): string {
  const symbols = [...randomBytes(SYMBOLS)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '')
  return (symbols.join('').match(/.{4}/g) ?? []).join('-')
}

/** What people type for what they read: lower case, O for 0, I and L for 1, any separators. */
function normalise(code: string): string {
  return code.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1').replace(/[^0-9A-Z]/g, '')
}
