import { deleteFrom, sweepOf } from '../platform/retention/sweep.store.ts'

const REMOVED = 't.removed_at IS NOT NULL'
const owner = '(SELECT a.person_id FROM account a WHERE a.id = t.account_id)'
const removedFrom = (table: string, more = 'true') =>
  sweepOf({ from: `${table} t`, since: 't.removed_at', where: `${REMOVED} AND ${more}`, people: [owner], end: deleteFrom(table) })

export const removedContacts = removedFrom('contact')
export const removedPasskeys = removedFrom('passkey')
export const removedApps = removedFrom('totp_factor')
export const removedCodes = removedFrom('recovery_code')
export const removedCertificates = removedFrom('certificate_factor')
/** A device goes after the sessions that were begun on it. */
export const removedDevices = removedFrom('device', 'NOT EXISTS (SELECT 1 FROM sign_in_session s WHERE s.device_id = t.id)')
