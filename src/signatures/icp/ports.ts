import type { Sql } from '../../platform/db.ts'
import type { FetchBytes } from './revocation.ts'

/** What citizens are told of their certificate. */
export const ICP_NOTICES = ['added', 'removed', 'revoked', 'expired', 'unchecked'] as const
export type IcpNotice = (typeof ICP_NOTICES)[number]

/** What later rooms and the outside supply. */
export interface IcpPorts {
  /** An active account's person, as the base register names them; undefined for any other. */
  findPerson(accountId: string): Promise<{ readonly personId: string; readonly cpf: string; readonly name: string } | undefined>
  tell(tx: Sql, accountId: string, notice: IcpNotice): Promise<void>
  readonly fetchBytes: FetchBytes
}
