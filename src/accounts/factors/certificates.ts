import { randomUUID } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import type { Account, AccountId } from '../account.ts'
import { findAccount, noteCredentialChange } from '../account.store.ts'
import { asChanger, type Changer, changing } from '../change-guard.ts'
import { citizen, type Core, SYSTEM, type Tools } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { certificateSeal, isSeal } from '../sessions/proof-seal.ts'
import { type CertificateFactor, findCertificate, insertCertificate, listCertificates, noteRevoked, removeCertificate, takeEnding, useCertificate } from './certificate.store.ts'
import type { CertificateAsker, CertificateDoor, CertificateRefusal, ShownCertificate } from './certificate-door.ts'

/** Long enough to buy the next one. */
const WARNED_MS = 30 * 86_400_000

interface Refused {
  readonly kind: 'refused'
  readonly why: CertificateRefusal
}

/** One of an account, and whether it still opens anything. */
export interface EnrolledCertificate extends CertificateFactor {
  readonly state: 'good' | 'ended' | 'revoked'
}

/** Whose certificate was shown, and how strong that is. */
export interface CertificateProof {
  readonly kind: 'proved'
  readonly accountId: AccountId
  readonly amr: readonly string[]
}

/**
 * ICP-Brasil certificates as ways in: the very certificate that its owner added, good at each use by its authority's own word.
 *
 * Beside a password any of them is a second factor. By itself only one of a card or token signs in, which its PIN opens (A3, A4).
 */
export interface Certificates {
  /** Where certificates are shown; undefined where that is not possible here. */
  host(): Promise<string | undefined>
  list(accountId: AccountId): Promise<EnrolledCertificate[]>
  /** Where to send the browser, which comes back to `page` + `/retorno?bilhete=…`; undefined when that was asked too often. */
  begin(asker: CertificateAsker, page: string): Promise<string | undefined>
  /** Burns a ticket that came to a browser that did not ask. */
  discard(ticket: string): Promise<void>
  /** Adds the certificate behind the ticket. @throws {Problem} what a change may meet */
  add(changer: Changer, ticket: string): Promise<{ readonly kind: 'added' } | Refused>
  /** The account's own certificate behind the ticket, at a sign-in's second step, a step-up or a recovery. */
  proveFactor(accountId: AccountId, shown: { ticket: string; use: 'factor' | 'recovery'; binding: string }): Promise<CertificateProof | Refused>
  /** Whoever the certificate behind the ticket lets in by itself. */
  proveAlone(shown: { ticket: string; binding: string }): Promise<CertificateProof | Refused>
  /** @throws {Problem} accounts/unknown-factor and what a change may meet */
  remove(changer: Changer, id: string): Promise<void>
  /** Tells the owners of those that soon end, once. A daily job's work. */
  warn(): Promise<void>
}

export function createCertificates(core: Core, { notices }: Pick<Tools, 'notices'>, door: CertificateDoor): Certificates {
  const { db, clock, audit } = core
  const find = createFind(core)

  async function prove(ticket: string, asker: CertificateAsker, isFit: (certificate: ShownCertificate) => CertificateRefusal | undefined): Promise<CertificateProof | Refused> {
    let factor: CertificateFactor | undefined
    const result = await door.read(ticket, asker, async (shown) => {
      factor = await find(shown)
      return factor === undefined || (asker.accountId !== undefined && factor.accountId !== asker.accountId) ? 'strange' : isFit(shown)
    })
    if (factor === undefined) return result.kind === 'read' ? { kind: 'refused', why: 'strange' } : result
    if (result.kind === 'refused') {
      if (result.why === 'revoked') await tellRevoked(factor)
      return result
    }
    if (!(await useCertificate(db, factor.id, clock.now()))) return { kind: 'refused', why: 'strange' }
    return { kind: 'proved', accountId: factor.accountId, amr: ['pop', ...(result.certificate.inHardware ? ['hwk', 'sc'] : ['swk'])] }
  }

  async function tellRevoked({ id, accountId }: CertificateFactor): Promise<void> {
    await db.transaction(async (tx) => {
      const account = await findAccount(tx, accountId)
      if (account === undefined || !(await noteRevoked(tx, id, clock.now()))) return
      await audit.record(tx, { type: 'accounts/certificate-revoked', actor: SYSTEM, subject: accountId, data: { certificateId: id } })
      await notices.tellEverywhere(tx, account, 'certificate-revoked')
    })
  }

  return {
    host: door.host,
    async list(accountId) {
      const now = clock.now()
      return (await listCertificates(db, accountId)).map((factor) => ({ ...factor, state: stateOf(factor, now) }))
    },
    begin: door.begin,
    discard: async (ticket) => void (await door.read(ticket, undefined, async () => 'over')),
    async add(changer, ticket) {
      const account = await asChanger(core, changer, async (_tx, found) => found)
      const asker = { use: 'enrol', accountId: account.id, binding: changer.sessionId ?? '' } as const
      const result = await door.read(ticket, asker, async (shown) => faultFor(account, shown) ?? ((await findCertificate(db, shown.fingerprint)) && 'taken'))
      if (result.kind === 'refused') return result
      return (await store(changer, result.certificate)) ? { kind: 'added' } : { kind: 'refused', why: 'taken' }
    },
    proveFactor: (accountId, { ticket, use, binding }) => prove(ticket, { use, binding, accountId }, () => undefined),
    async proveAlone({ ticket, binding }) {
      const proof = await prove(ticket, { use: 'sign-in', binding, accountId: undefined }, ({ inHardware }) => (inHardware ? undefined : 'software'))
      return proof.kind === 'proved' ? { ...proof, amr: [...proof.amr, 'pin', 'mfa'] } : proof
    },
    remove: (changer, id) =>
      changing(core, changer, async (tx, account) => {
        if (!(await removeCertificate(tx, account.id, id, clock.now()))) throw new Problem(ACCOUNTS_PROBLEMS.unknownFactor)
        await noteCredentialChange(tx, account.id, clock.now())
        await audit.record(tx, { type: 'accounts/certificate-removed', actor: citizen(account.id), subject: account.id, data: { certificateId: id } })
        await notices.tellEverywhere(tx, account, 'certificate-removed')
      }),
    warn: () =>
      db.transaction(async (tx) => {
        const now = clock.now()
        for (const { accountId } of await takeEnding(tx, { now, before: new Date(now.getTime() + WARNED_MS) })) {
          const account = await findAccount(tx, accountId)
          if (account?.status === 'active') await notices.tell(tx, account, 'certificate-ending')
        }
      }),
  }

  async function store(changer: Changer, { fingerprint, issuer, inHardware, notAfter }: ShownCertificate): Promise<boolean> {
    return changing(core, changer, async (tx, account) => {
      const [id, now] = [randomUUID(), clock.now()]
      const seal = certificateSeal(core.keyring, { accountId: account.id, fingerprint })
      if (!(await insertCertificate(tx, { id, accountId: account.id, fingerprint, issuer, inHardware, notAfter, addedAt: now, seal }))) return false
      await noteCredentialChange(tx, account.id, now)
      await audit.record(tx, { type: 'accounts/certificate-added', actor: citizen(account.id), subject: account.id, data: { certificateId: id } })
      await notices.tellEverywhere(tx, account, 'certificate-added', { issuer })
      return true
    })
  }
}

/** The row of a shown certificate: sealed, and of the person whom the certificate itself names. */
function createFind({ db, keyring }: Core) {
  return async (shown: ShownCertificate): Promise<CertificateFactor | undefined> => {
    const factor = await findCertificate(db, shown.fingerprint)
    // A certificate that somebody wrote into the table is no way in.
    if (factor === undefined || !isSeal(factor.seal, certificateSeal(keyring, factor))) return undefined
    const account = await findAccount(db, factor.accountId)
    return account?.citizen.reveal().cpf === shown.cpf ? factor : undefined
  }
}

function stateOf({ notAfter, revokedAt }: CertificateFactor, now: Date): EnrolledCertificate['state'] {
  if (revokedAt !== undefined) return 'revoked'
  return notAfter > now ? 'good' : 'ended'
}

function faultFor(account: Account, shown: ShownCertificate): CertificateRefusal | undefined {
  const { cpf, name } = account.citizen.reveal()
  if (shown.cpf !== cpf) return 'another-person'
  return shown.isNamed(name) ? undefined : 'another-name'
}
