import type { Level } from '../../assurance/index.ts'
import type { Asks, Credentials, SigningClients } from '../../signatures/index.ts'
import type { Prove } from '../entrance.routes.ts'
import type { AreaPages } from '../pages.ts'

/** Where a citizen answers what a client asks. */
export const PAGE = '/conta/autorizar'

/** What the pages about lending a key stand on. */
export interface LendingDesk {
  readonly pages: AreaPages
  readonly signing: { readonly asks: Asks; readonly credentials: Pick<Credentials, 'list'> }
  readonly prove: Prove
  readonly levelOf: (accountId: string) => Promise<Level>
  readonly clients: SigningClients & {
    /** By address: strangers make us remember what they ask. @throws {Problem} platform/too-many */
    readonly claimAddress: (ip: string) => void
  }
}
