import type { Level } from '../../assurance/index.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { type DocumentSigning, type Person, SIGNATURE_PROBLEMS } from '../../signatures/index.ts'
import { ACCOUNTS_PROBLEMS, displayName } from '../../accounts/index.ts'
import type { Prove } from '../entrance.routes.ts'
import type { AreaPages, Page, Visit } from '../pages.ts'
import { explaining } from '../refusal.ts'

export type { Refusal } from '../refusal.ts'

/** What the pages about signing share. */
export interface SigningDesk {
  readonly pages: AreaPages
  readonly signing: DocumentSigning
  readonly prove: Prove
  readonly about: {
    readonly levelOf: (accountId: string) => Promise<Level>
    /** What a relying party is called. */
    readonly clientName: (clientId: string) => Promise<string>
    /** Who asks for a signature, as whoever is asked reads it. */
    readonly personName: (accountId: string) => Promise<string | undefined>
  }
}

export const PAGE = '/conta/assinaturas'

/** Who visits, as the signatures room knows them. */
export function personOf({ account }: Visit): Person {
  const citizen = account.citizen.reveal()
  return { accountId: account.id, cpf: citizen.cpf, name: displayName(citizen) }
}

export function showIn({ pages }: SigningDesk, ctx: HttpContext, visit: Visit, page: Omit<Page, 'section'>): void {
  pages.show(ctx, visit, { ...page, section: 'documents' })
}

/** Runs what may be refused; anything that the page cannot explain goes on up. */
export const refusalOf = explaining([
  SIGNATURE_PROBLEMS.notSignable, SIGNATURE_PROBLEMS.tooMuch, SIGNATURE_PROBLEMS.stepOutOfOrder, SIGNATURE_PROBLEMS.notYourTurn, SIGNATURE_PROBLEMS.signingBusy,
  SIGNATURE_PROBLEMS.attemptOver, SIGNATURE_PROBLEMS.mandateUnfit, SIGNATURE_PROBLEMS.clockBehind, SIGNATURE_PROBLEMS.noAuthority,
  SIGNATURE_PROBLEMS.notEntitled, SIGNATURE_PROBLEMS.activationOver, SIGNATURE_PROBLEMS.activationUnproven, SIGNATURE_PROBLEMS.tooManyActivations, SIGNATURE_PROBLEMS.mandateRefused, SIGNATURE_PROBLEMS.keyUnavailable,
  SIGNATURE_PROBLEMS.credentialUnusable, SIGNATURE_PROBLEMS.credentialUnknown, SIGNATURE_PROBLEMS.wrongSigningPassword, SIGNATURE_PROBLEMS.levelUnfit,
  ACCOUNTS_PROBLEMS.waysUnconfirmed,
])
