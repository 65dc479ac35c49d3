import type { AccountId } from '../account.ts'
import { listContacts, removeContact } from '../contacts/contact.store.ts'
import { listCertificates, removeCertificate } from '../factors/certificate.store.ts'
import { listPasskeys, removePasskey } from '../factors/passkey.store.ts'
import { replaceRecoveryCodes } from '../factors/recovery-code.store.ts'
import { removeTotp } from '../factors/totp.store.ts'
import { removeDevices } from '../sessions/device.store.ts'
import type { WaysTx } from '../ways/ways.store.ts'

/** Before somebody says "não fui eu", another may have been in the account for this long. */
export const DOUBTED_MS = 30 * 86_400_000

/** What a citizen knows as theirs of the ways into a blocked account; whatever is not named goes. */
export interface KeptWays {
  readonly passkeyIds: readonly string[]
  readonly certificateIds: readonly string[]
  readonly contactIds: readonly string[]
  readonly totp: boolean
  readonly recoveryCodes: boolean
  /** Addresses that were taken out after it are told too. */
  readonly doubtedSince: Date
}

/** How much went, for the record. */
export interface RemovedWays {
  readonly passkeys: number
  readonly certificates: number
  readonly contacts: number
  readonly totp: boolean
}

/** Leaves the account what its owner knows: every other passkey, certificate, address, code and device that it remembers ends. */
export async function removeOthers(tx: WaysTx, accountId: AccountId, kept: KeptWays, now: Date): Promise<RemovedWays> {
  let [passkeys, certificates, contacts] = [0, 0, 0]
  for (const { id } of await listPasskeys(tx, accountId)) if (!kept.passkeyIds.includes(id) && (await removePasskey(tx, accountId, id, now))) passkeys += 1
  for (const { id } of await listCertificates(tx, accountId)) if (!kept.certificateIds.includes(id) && (await removeCertificate(tx, accountId, id, now))) certificates += 1
  for (const { id } of await listContacts(tx, accountId, { former: false })) if (!kept.contactIds.includes(id) && (await removeContact(tx, accountId, id, now))) contacts += 1
  const totp = !kept.totp && (await removeTotp(tx, accountId, now)) !== undefined
  if (!kept.recoveryCodes) await replaceRecoveryCodes(tx, accountId, [], now)
  await removeDevices(tx, accountId, now)
  return { passkeys, certificates, contacts, totp }
}
