import { ACCOUNTS_PROBLEMS } from '../../accounts/index.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { type Credential, type Credentials, fingerprintOf, type Represented, shownParty, SIGNATURE_PROBLEMS } from '../../signatures/index.ts'
import type { Prove } from '../entrance.routes.ts'
import type { Ledger } from '../history/ledger-line.ts'
import type { AreaPages, Visit } from '../pages.ts'

export const PAGE = '/conta/certificados'

/** What the pages of certificates stand on. */
export interface CertificateDesk {
  readonly pages: AreaPages
  readonly credentials: Credentials
  readonly prove: Prove
  readonly ledger: Ledger
  /** Companies and agencies that a person may sign for, now. */
  readonly representedBy: (visit: Visit) => Promise<readonly Represented[]>
}

/** A certificate as its owner sees it. */
export interface CertificateCard {
  readonly id: string
  readonly href: string
  readonly state: Credential['state']
  readonly from: Date
  readonly until: Date
  readonly why: string | undefined
  readonly serial: string
  readonly fingerprint: string
  readonly keyKind: string
  /** Whom its holder represents by it. */
  readonly represents: Represented['represented'] | undefined
}

export function cardOf({ id, state, notBefore, notAfter, heldFor, endedFor, serial, keyKind, certificates, represents }: Credential): CertificateCard {
  return {
    id, href: `${PAGE}/${id}`, state, from: notBefore, until: notAfter, serial: serial.toUpperCase(), keyKind, fingerprint: fingerprintOf(certificates[0]),
    why: heldFor ?? endedFor, represents: represents && shownParty(represents),
  }
}

/** Refusals that a page explains; anything else goes on up. */
const EXPLAINED = [
  SIGNATURE_PROBLEMS.notEntitled, SIGNATURE_PROBLEMS.mandateRefused, SIGNATURE_PROBLEMS.mandateUnfit, SIGNATURE_PROBLEMS.tooManyCertificates, SIGNATURE_PROBLEMS.credentialUnusable, SIGNATURE_PROBLEMS.certificateRevoked,
  SIGNATURE_PROBLEMS.activationOver, SIGNATURE_PROBLEMS.activationUnproven, SIGNATURE_PROBLEMS.tooManyActivations, SIGNATURE_PROBLEMS.noAuthority,
  ACCOUNTS_PROBLEMS.tooManyAttempts, ACCOUNTS_PROBLEMS.waysUnconfirmed,
] as const

/** Runs what a form asked for; a refusal becomes a page that says what to do instead. */
export async function orExplain({ pages }: CertificateDesk, ctx: HttpContext, visit: Visit, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Problem) || !EXPLAINED.some(({ code }) => code === error.code)) throw error
    ctx.status = error.status
    const levelHref = error.code === SIGNATURE_PROBLEMS.notEntitled.code ? '/conta/nivel' : undefined
    pages.show(ctx, visit, { section: 'certificates', view: 'certificates/refused', data: { code: error.code, levelHref } })
  }
}

/** What a form says of a power; it is looked up again among those of the person. */
export const keyOfPower = ({ mandateId, party, power }: Represented): string => `${mandateId}|${party}|${power}`
