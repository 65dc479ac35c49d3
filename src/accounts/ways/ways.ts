/**
 * The ways into an account (whose it is, password, factors, codes, addresses, its state and the hold on it) under one seal of the keyring.
 *
 * Whoever writes rows can change any of them, but not the seal; and not go back to an older sealed state, because each change leaves its
 * number in the audit record, which is chained and noted outside the database.
 */
import { equalSecrets, type Keyring } from '../../platform/keyring.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { AccountId } from '../account.ts'
import { type Core, SYSTEM } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import type { WaysPlace } from './places.ts'
import { advanceWays, findWays, type KeyOf, lockWays, SEALED, setWaysSeal, type StoredWays, type WaysTx } from './ways.store.ts'

type Sealing = Pick<Core, 'keyring' | 'audit'>
type Hash = Pick<Core, 'keyring'>

export function waysSeal({ hash }: Pick<Keyring, 'hash'>, { text }: Pick<StoredWays, 'text'>): Buffer {
  return hash(text, 'ways-in')
}

/** True when the ways into the account are its owner's, as they were sealed last. */
export async function isOwn(core: Hash, sql: Sql, id: AccountId): Promise<boolean> {
  const ways = await findWays(sql, id, waysKeyOf(core))
  return ways !== undefined && isNewest(core, ways)
}

/** The same for ways that were read together with what was judged by them: rows may be others a moment before and after. */
export function isNewest({ keyring }: Hash, ways: StoredWays): boolean {
  const isSealed = ways.seal !== null && equalSecrets(ways.seal, waysSeal(keyring, ways))
  return isSealed && ways.key === waysKeyOf({ keyring })(ways.cpf) && ways.recorded === ways.version
}

/** @throws {Problem} accounts/ways-unconfirmed; whoever began the transaction notes it, which is undone by this. */
export async function checkOwn(core: Hash, tx: Sql, id: AccountId): Promise<void> {
  if (!(await isOwn(core, tx, id))) throw new Problem(ACCOUNTS_PROBLEMS.waysUnconfirmed)
}

/**
 * Checks that whoever registers takes no account over: a closed one was closed by its owner, and none went missing.
 *
 * @throws {Problem} accounts/ways-unconfirmed
 */
export async function checkRegistrable(core: Sealing, tx: Sql, cpf: string, closed: AccountId | undefined): Promise<void> {
  const recorded = () => core.audit.highest(tx, { type: SEALED, subject: waysKeyOf(core)(cpf), field: 'version' })
  const isFree = closed === undefined ? (await recorded()) === undefined : await isOwn(core, tx, closed)
  if (!isFree) throw new Problem(ACCOUNTS_PROBLEMS.waysUnconfirmed)
}

/** Writes down that somebody changed rows; an operator's alarm. */
export async function noteBroken({ audit }: Pick<Core, 'audit'>, sql: Sql, id: AccountId, place: WaysPlace): Promise<void> {
  await audit.record(sql, { type: 'accounts/ways-broken', actor: SYSTEM, subject: id, data: { place } })
}

/**
 * Changes ways in and seals what comes of it, in the caller's transaction.
 *
 * Ways that were not the owner's before are not sealed by it: what only closes doors may go on, and blesses nothing.
 */
export async function changeWays<Result>(core: Sealing, tx: Sql, id: AccountId, work: (ways: WaysTx) => Promise<Result>): Promise<Result> {
  const before = await lockWays(tx, id, waysKeyOf(core))
  const result = await work(tx as WaysTx)
  if (before !== undefined && isNewest(core, before)) await sealWays(core, tx, id, before.recorded)
  else await noteBroken(core, tx, id, 'change')
  return result
}

/** Makes all ways in anew, whatever there was: `work` leaves none that it did not make itself. Nothing is sealed when it gives nothing. */
export async function renewWays<Made extends { readonly id: AccountId } | undefined>(core: Sealing, tx: Sql, work: (ways: WaysTx) => Promise<Made>): Promise<Made> {
  const made = await work(tx as WaysTx)
  // After an attack the row's number may be behind: what is made anew goes on from the record's.
  if (made !== undefined) await sealWays(core, tx, made.id, (await findWays(tx, made.id, waysKeyOf(core)))?.recorded ?? 0)
  return made
}

async function sealWays(core: Sealing, tx: Sql, id: AccountId, above: number): Promise<void> {
  const ways = await advanceWays(tx, id, above, waysKeyOf(core))
  await setWaysSeal(tx, id, waysSeal(core.keyring, ways))
  await core.audit.record(tx, { type: SEALED, actor: SYSTEM, subject: ways.key, data: { version: ways.version } })
}

/** Under which the record keeps a person's numbers, whatever account is theirs: apart from the ledger, which shows what changed in words. */
export function waysKeyOf({ keyring }: Hash): KeyOf {
  return (cpf) => {
    const hex = keyring.hash(cpf, 'ways-number').toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
  }
}
