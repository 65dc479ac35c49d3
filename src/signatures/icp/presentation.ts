import { randomBytes } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { answerRequest, findOpenRequest, insertRequest, takePresented } from './icp.store.ts'

/** What a certificate is asked for; stored, and a ticket is good for that alone. */
export const ICP_USES = ['seal', 'enrol', 'sign-in', 'factor', 'recovery'] as const
export type IcpUse = (typeof ICP_USES)[number]

/** Who asks for a certificate. Nobody is known yet only at a sign-in that begins with it. */
export interface IcpAsker {
  readonly use: IcpUse
  readonly accountId: string | undefined
  /** What ties the ticket to this browser. */
  readonly binding: string
}

/** The way to the host that asks for certificates and back: a word for the one, a ticket for the other. */
export interface Presentations {
  /** A word for the other host, good for one certificate; undefined when that was asked too often. */
  begin(asker: IcpAsker, page: string): Promise<string | undefined>
  /** The page that asked, while the word is good. */
  findPage(request: string): Promise<string | undefined>
  /** Keeps what the browser showed and answers a ticket; undefined when the request is over. */
  present(request: string, chain: readonly Uint8Array[]): Promise<string | undefined>
  /** Burns the ticket, whoever brings it; what lies behind it only for whoever asked. */
  take(ticket: string, asker: IcpAsker | undefined): Promise<Buffer[] | undefined>
}

export interface PresentationDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash'>
}

/** As long as it takes to find the token and its PIN. */
const REQUEST_MS = 10 * 60_000
/** One redirect. */
const TICKET_MS = 2 * 60_000
/** Of one account; whoever begins without one is limited by the address. */
const PER_HOUR: Readonly<Record<IcpUse, number>> = { seal: 10, enrol: 10, recovery: 10, factor: 30, 'sign-in': 30 }
const HOUR_MS = 3_600_000
const MOST_CERTIFICATES = 6
const MOST_BYTES = 64 * 1024
/** Pages of our own only, without a query of their own. */
const PAGE = /^\/(?!\/)[\w/-]{1,200}$/

export function createPresentations({ db, clock, keyring }: PresentationDependencies): Presentations {
  const hashOf = (word: string, kind: 'request' | 'ticket') => keyring.hash(word, `icp-${kind}`)
  const contextOf = (ticketHash: Buffer, { use, accountId, binding }: IcpAsker) => `icp-request:${ticketHash.toString('hex')}|${use}|${accountId ?? ''}|${binding}`

  return {
    async begin({ use, accountId, binding }, page) {
      if (!PAGE.test(page)) throw new Error('not a page of ours')
      const [word, now] = [randomBytes(32).toString('base64url'), clock.now()]
      const row = { requestHash: hashOf(word, 'request'), accountId, binding, use, page, now, expiresAt: new Date(now.getTime() + REQUEST_MS) }
      return (await insertRequest(db, row, { since: new Date(now.getTime() - HOUR_MS), most: PER_HOUR[use] })) ? word : undefined
    },
    findPage: async (request) => (await findOpenRequest(db, hashOf(request, 'request'), clock.now()))?.page,
    async present(request, chain) {
      const [ticket, now, requestHash] = [randomBytes(32).toString('base64url'), clock.now(), hashOf(request, 'request')]
      const asker = await findOpenRequest(db, requestHash, now)
      if (asker === undefined) return undefined
      const ticketHash = hashOf(ticket, 'ticket')
      // Whoever writes rows cannot hand it to another account, browser or use: what is sealed says for whom.
      const sealed = keyring.seal(packed(chain), contextOf(ticketHash, asker))
      return (await answerRequest(db, { requestHash, ticketHash, sealed, now, expiresAt: new Date(now.getTime() + TICKET_MS) })) ? ticket : undefined
    },
    async take(ticket, asker) {
      const ticketHash = hashOf(ticket, 'ticket')
      const row = await takePresented(db, ticketHash, clock.now())
      if (!row || !asker || row.use !== asker.use || row.accountId !== asker.accountId || row.binding !== asker.binding) return undefined
      return unpacked(keyring.open(row.sealed, contextOf(ticketHash, asker)))
    },
  }
}

/** One after the other, in base64; what is too much is left out, and then the chain is not found. */
export function packed(chain: readonly Uint8Array[]): string {
  const kept: Uint8Array[] = []
  let size = 0
  for (const der of chain.slice(0, MOST_CERTIFICATES)) {
    size += der.length
    if (size <= MOST_BYTES) kept.push(der)
  }
  return kept.map((der) => Buffer.from(der).toString('base64')).join('\n')
}

export const unpacked = (text: Buffer): Buffer[] => text.toString('latin1').split('\n').filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
