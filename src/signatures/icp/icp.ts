import { randomBytes, randomUUID } from 'node:crypto'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { TrustList } from '../verification/trust-list.ts'
import {
  answerRequest, type CertificateRow, endCertificate, findLive, insertCertificate, insertRequest, isRequestOpen, listLive, lockActive, noteChecked, purgeRequests, takePresented,
} from './icp.store.ts'
import { isNamed } from './holder.ts'
import { believedAnchors, type CertificateFault, type FitCertificate, judgeCertificate } from './judge.ts'
import type { IcpNotice, IcpPorts } from './ports.ts'
import { createRevocationChecks, notTwice, type RevocationChecks } from './revocation.ts'

/** Why a certificate bears a seal no more. */
export const ICP_ENDS = ['citizen', 'replaced', 'revoked', 'expired', 'unchecked', 'not-me', 'account-closed'] as const
export type IcpEnd = (typeof ICP_ENDS)[number]

export type ShownOutcome = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly why: CertificateFault | 'over' }

/** Who is signed in, in which browser. */
export interface IcpVisitor {
  readonly accountId: string
  readonly sessionId: string
}

/** ICP-Brasil certificates as evidence for ouro: shown on a host name of their own, judged, looked at again every day. */
export interface Icp {
  /** A word for the other host, good for one certificate. @throws {Problem} signatures/too-many-activations */
  begin(visitor: IcpVisitor): Promise<string>
  isOpen(request: string): Promise<boolean>
  /** Keeps what the browser showed and answers a ticket, which is worth something only to whoever asked; undefined when the request is over. */
  present(request: string, chain: readonly Uint8Array[]): Promise<string | undefined>
  /** Burns the ticket, whoever brings it, and judges what lies behind it for the visitor who asked. */
  finish(ticket: string, visitor: IcpVisitor | undefined): Promise<ShownOutcome>
  find(accountId: string): Promise<{ readonly notAfter: Date; readonly addedAt: Date; readonly checkedAt: Date } | undefined>
  /** Ends the seal and forgets the certificate; nothing where there is none. */
  end(tx: Sql, item: { accountId: string; why: IcpEnd; actor: AuditActor; notice?: IcpNotice; since?: Date }): Promise<void>
  /** Asks again about every one; returns how many ended. */
  recheck(): Promise<number>
  purge(): Promise<void>
  /** Whether an operator trusts a root of ICP-Brasil, and so a certificate can be believed. */
  authorities(): Promise<Buffer[]>
}

export interface IcpDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash'> }
  readonly audit: Pick<Audit, 'record'>
  readonly assurance: Pick<Assurance, 'add' | 'withdraw'>
  readonly trust: Pick<TrustList, 'list'>
  readonly ports: IcpPorts
}

/** As long as it takes to find the token and its PIN. */
const REQUEST_MS = 10 * 60_000
/** One redirect. */
const TICKET_MS = 2 * 60_000
const REQUESTS_PER_HOUR = 10
const HOUR_MS = 3_600_000
/** An authority may be away for some days; then nobody vouches any more. */
const UNCHECKED_MS = 7 * 24 * HOUR_MS
const MOST_CERTIFICATES = 6
const MOST_BYTES = 64 * 1024

export function createIcp(deps: IcpDependencies): Icp {
  const { platform: { db, clock, keyring }, audit, ports } = deps
  const hashOf = (word: string, kind: 'request' | 'ticket') => keyring.hash(word, `icp-${kind}`)
  const contextOf = (ticketHash: Buffer) => `icp-request:${ticketHash.toString('hex')}`
  const judge = createJudge(deps)
  const { accept, end, endOne } = createSeals(deps)

  return {
    async begin({ accountId, sessionId }) {
      const [word, now] = [randomBytes(32).toString('base64url'), clock.now()]
      const row = { requestHash: hashOf(word, 'request'), accountId, sessionId, now, expiresAt: new Date(now.getTime() + REQUEST_MS) }
      if (!(await insertRequest(db, row, { since: new Date(now.getTime() - HOUR_MS), most: REQUESTS_PER_HOUR }))) throw new Problem(SIGNATURE_PROBLEMS.tooManyActivations)
      return word
    },
    isOpen: (request) => isRequestOpen(db, hashOf(request, 'request'), clock.now()),
    async present(request, chain) {
      const [ticket, now] = [randomBytes(32).toString('base64url'), clock.now()]
      const ticketHash = hashOf(ticket, 'ticket')
      const sealed = keyring.seal(packed(chain), contextOf(ticketHash))
      const isKept = await answerRequest(db, { requestHash: hashOf(request, 'request'), ticketHash, sealed, now, expiresAt: new Date(now.getTime() + TICKET_MS) })
      return isKept ? ticket : undefined
    },
    async finish(ticket, visitor) {
      const ticketHash = hashOf(ticket, 'ticket')
      const row = await takePresented(db, ticketHash, clock.now())
      if (!row || !visitor || row.accountId !== visitor.accountId || row.sessionId !== visitor.sessionId) return { kind: 'refused', why: 'over' }
      const chain = unpacked(keyring.open(row.sealed, contextOf(ticketHash)))
      const person = await ports.findPerson(visitor.accountId)
      if (!person) return { kind: 'refused', why: 'over' }
      const judged = await judge.forPerson(chain, person)
      if (typeof judged !== 'string') return (await accept(visitor.accountId, person.personId, judged)) ? { kind: 'accepted' } : { kind: 'refused', why: 'over' }
      const actor = { kind: 'citizen', id: visitor.accountId } as const
      await db.transaction((tx) => audit.record(tx, { type: 'signatures/icp-refused', actor, subject: visitor.accountId, data: { why: judged } }))
      return { kind: 'refused', why: judged }
    },
    async find(accountId) {
      const row = await findLive(db, accountId)
      return row && { notAfter: row.notAfter, addedAt: row.addedAt, checkedAt: row.checkedAt }
    },
    end,
    async recheck() {
      let ended = 0
      const checks = createRevocationChecks({ clock, fetchBytes: notTwice(ports.fetchBytes) })
      for (const row of await listLive(db)) {
        const why = await judge.again(row, checks)
        if (why === undefined) continue
        const actor = { kind: 'system' } as const
        if (await db.transaction((tx) => endOne(tx, row, { why, actor, notice: why }))) ended += 1
      }
      return ended
    },
    purge: async () => void (await purgeRequests(db, new Date(clock.now().getTime() - 24 * HOUR_MS))),
    authorities: async () => believedAnchors(await deps.trust.list()).map(({ der }) => der),
  }
}

/** What a certificate is worth, for whom. */
function createJudge({ platform: { db, clock, keyring }, trust, ports }: IcpDependencies) {
  const revocation = createRevocationChecks({ clock, fetchBytes: ports.fetchBytes })
  return {
    /** The certificate, or what is wrong with it; strangers' certificates are not asked about. */
    async forPerson(chain: readonly Buffer[], person: { cpf: string; name: string }): Promise<FitAndDer | CertificateFault> {
      const judged = judgeCertificate(chain, await trust.list(), clock.now())
      if (judged.kind === 'unfit') return judged.fault
      const { holder, path } = judged.certificate
      if (holder.cpf !== person.cpf) return 'another-person'
      if (!isNamed(holder, person.name)) return 'another-name'
      const verdict = await revocation.check(path)
      return verdict === 'good' ? { ...judged.certificate, chain: path.slice(0, -1).map(({ der }) => der) } : verdict
    },
    /** Why it ends now; undefined while it stands. */
    async again(row: CertificateRow, checks: RevocationChecks): Promise<'revoked' | 'expired' | 'unchecked' | undefined> {
      const now = clock.now()
      const judged = judgeCertificate(unpacked(keyring.open(row.sealed, `icp-certificate:${row.id}`)), await trust.list(), now)
      if (judged.kind === 'unfit') return judged.fault === 'not-in-time' ? 'expired' : 'unchecked'
      const verdict = await checks.check(judged.certificate.path)
      if (verdict === 'good') return void (await noteChecked(db, row.id, now))
      return verdict === 'revoked' || now.getTime() - row.checkedAt.getTime() > UNCHECKED_MS ? verdict : undefined
    },
  }
}

interface FitAndDer extends FitCertificate {
  readonly chain: readonly Buffer[]
}

interface Ending {
  readonly why: IcpEnd
  readonly actor: AuditActor
  readonly notice?: IcpNotice | undefined
}

/** Certificates and the seals that they bear, which come and go together. */
function createSeals({ platform: { db, clock, keyring }, audit, assurance, ports }: IcpDependencies) {
  async function endOne(tx: Sql, { id, accountId, evidenceId }: CertificateRow, { why, actor, notice }: Ending): Promise<boolean> {
    if (!(await endCertificate(tx, id, { why, now: clock.now() }))) return false
    await assurance.withdraw(tx, { id: evidenceId, accountId, reason: `icp-${why}`, actor })
    await audit.record(tx, { type: 'signatures/icp-ended', actor, subject: accountId, data: { certificateId: id, why } })
    if (notice) await ports.tell(tx, accountId, notice)
    return true
  }

  return {
    endOne,
    async end(tx: Sql, { accountId, since, ...ending }: { accountId: string; since?: Date } & Ending): Promise<void> {
      const row = await findLive(tx, accountId)
      if (row && (since === undefined || row.addedAt >= since)) await endOne(tx, row, ending)
    },
    /** False when the account is not active any more. */
    accept: (accountId: string, personId: string, { chain, notAfter }: FitAndDer): Promise<boolean> =>
      db.transaction(async (tx) => {
        if (!(await lockActive(tx, accountId))) return false
        const actor = { kind: 'citizen', id: accountId } as const
        const before = await findLive(tx, accountId)
        if (before) await endOne(tx, before, { why: 'replaced', actor })
        const evidence = await assurance.add(tx, { method: 'icp-brasil', personId, accountId, source: 'icp-brasil', actor, endsAt: notAfter })
        if (!evidence) throw new Error('the policy has no row for ICP-Brasil')
        const id = randomUUID()
        const [sealed, now] = [keyring.seal(packed(chain), `icp-certificate:${id}`), clock.now()]
        await insertCertificate(tx, { id, accountId, evidenceId: evidence.id, sealed, notAfter, addedAt: now, checkedAt: now })
        await audit.record(tx, { type: 'signatures/icp-accepted', actor, subject: accountId, data: { certificateId: id, evidenceId: evidence.id } })
        await ports.tell(tx, accountId, 'added')
        return true
      }),
  }
}

/** One after the other, in base64; what is too much is left out, and then the chain is not found. */
function packed(chain: readonly Uint8Array[]): string {
  const kept: Uint8Array[] = []
  let size = 0
  for (const der of chain.slice(0, MOST_CERTIFICATES)) {
    size += der.length
    if (size <= MOST_BYTES) kept.push(der)
  }
  return kept.map((der) => Buffer.from(der).toString('base64')).join('\n')
}

const unpacked = (text: Buffer): Buffer[] => text.toString('latin1').split('\n').filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
