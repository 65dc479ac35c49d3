import { createHash, randomUUID } from 'node:crypto'
import type { Cpf } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { nameIn } from '../verification/signer.ts'
import type { TrustList } from '../verification/trust-list.ts'
import { type CertificateRow, endCertificate, findLive, insertCertificate, listLive, lockActive, noteChecked, purgeRequests } from './icp.store.ts'
import { isNamed } from './holder.ts'
import { believedAnchors, type CertificateFault, type FitCertificate, judgeCertificate } from './judge.ts'
import type { IcpNotice, IcpPorts } from './ports.ts'
import { createPresentations, type IcpAsker, packed, type Presentations, unpacked } from './presentation.ts'
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
export interface Icp extends Pick<Presentations, 'findPage' | 'present'> {
  /** A word for the other host, which sends back to `page` + `/retorno`; good for one certificate. @throws {Problem} signatures/too-many-activations */
  begin(visitor: IcpVisitor, page: string): Promise<string>
  /** The same for a way in, whose page takes the ticket; undefined when that was asked too often. */
  beginFor(asker: IcpAsker, page: string): Promise<string | undefined>
  /** Burns the ticket, whoever brings it, and judges what lies behind it for the visitor who asked. */
  finish(ticket: string, visitor: IcpVisitor | undefined): Promise<ShownOutcome>
  /** Burns the ticket and judges what lies behind; its authority is asked only when `fault` finds none. */
  read<Fault extends string>(ticket: string, asker: IcpAsker | undefined, fault: (certificate: ReadableCertificate) => Promise<Fault | undefined>): Promise<ReadOutcome<Fault>>
  find(accountId: string): Promise<{ readonly notAfter: Date; readonly addedAt: Date; readonly checkedAt: Date } | undefined>
  /** Ends the seal and forgets the certificate; nothing where there is none. */
  end(tx: Sql, item: { accountId: string; why: IcpEnd; actor: AuditActor; notice?: IcpNotice; since?: Date }): Promise<void>
  /** Asks again about every one; returns how many ended. */
  recheck(): Promise<number>
  purge(): Promise<void>
  /** Whether an operator trusts a root of ICP-Brasil, and so a certificate can be believed. */
  authorities(): Promise<Buffer[]>
}

/** What a certificate says of itself, chain and time found right. */
export interface ReadableCertificate {
  readonly cpf: Cpf
  readonly fingerprint: Buffer
  /** Common name of the authority that issued it. */
  readonly issuer: string
  readonly inHardware: boolean
  readonly notAfter: Date
  isNamed(civilName: string): boolean
}

export type ReadOutcome<Fault> = { readonly kind: 'read'; readonly certificate: ReadableCertificate } | { readonly kind: 'refused'; readonly why: Fault | CertificateFault | 'over' }

export interface IcpDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash'> }
  readonly audit: Pick<Audit, 'record'>
  readonly assurance: Pick<Assurance, 'add' | 'withdraw'>
  readonly trust: Pick<TrustList, 'list'>
  readonly ports: IcpPorts
}

const HOUR_MS = 3_600_000
/** An authority may be away for some days; then nobody vouches any more. */
const UNCHECKED_MS = 7 * 24 * HOUR_MS
export function createIcp(deps: IcpDependencies): Icp {
  const { platform: { db, clock }, audit, ports } = deps
  const presentations = createPresentations(deps.platform)
  const judge = createJudge(deps)
  const { accept, end, endOne } = createSeals(deps)

  return {
    async begin({ accountId, sessionId }, page) {
      const word = await presentations.begin({ use: 'seal', accountId, binding: sessionId }, page)
      if (word === undefined) throw new Problem(SIGNATURE_PROBLEMS.tooManyActivations)
      return word
    },
    beginFor: presentations.begin,
    findPage: presentations.findPage,
    present: presentations.present,
    async finish(ticket, visitor) {
      const chain = await presentations.take(ticket, visitor && { use: 'seal', accountId: visitor.accountId, binding: visitor.sessionId })
      const person = visitor && chain && (await ports.findPerson(visitor.accountId))
      if (!visitor || !chain || !person) return { kind: 'refused', why: 'over' }
      const judged = await judge.forPerson(chain, person)
      if (typeof judged !== 'string') return (await accept(visitor.accountId, person.personId, judged)) ? { kind: 'accepted' } : { kind: 'refused', why: 'over' }
      const actor = { kind: 'citizen', id: visitor.accountId } as const
      await db.transaction((tx) => audit.record(tx, { type: 'signatures/icp-refused', actor, subject: visitor.accountId, data: { why: judged } }))
      return { kind: 'refused', why: judged }
    },
    async read(ticket, asker, fault) {
      const chain = await presentations.take(ticket, asker)
      return chain ? judge.forReading(chain, fault) : { kind: 'refused', why: 'over' }
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
    async forReading<Fault extends string>(chain: readonly Buffer[], fault: (certificate: ReadableCertificate) => Promise<Fault | undefined>): Promise<ReadOutcome<Fault>> {
      const judged = judgeCertificate(chain, await trust.list(), clock.now())
      if (judged.kind === 'unfit') return { kind: 'refused', why: judged.fault }
      const certificate = readable(judged.certificate)
      const why = await fault(certificate)
      if (why !== undefined) return { kind: 'refused', why }
      const verdict = await revocation.check(judged.certificate.path)
      return verdict === 'good' ? { kind: 'read', certificate } : { kind: 'refused', why: verdict }
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

function readable({ holder, path, notAfter, inHardware }: FitCertificate): ReadableCertificate {
  const [leaf, issuer] = path
  if (!leaf || !issuer) throw new Error('a fit certificate has an issuer')
  const fingerprint = createHash('sha256').update(leaf.der).digest()
  return { cpf: holder.cpf, fingerprint, issuer: nameIn(issuer, 'CN') ?? '', inHardware, notAfter, isNamed: (civilName) => isNamed(holder, civilName) }
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
