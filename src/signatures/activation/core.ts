import { ACCOUNTS_PROBLEMS } from '../../accounts/index.ts'
import { isLevelAtLeast } from '../../assurance/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { CertifiedPerson } from '../authority/people.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { SignerFacts, SignerPorts } from './ports.ts'

/** What everything about citizens' signatures stands on. */
export interface SigningCore {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash' | 'isCurrent'>
  readonly audit: Pick<Audit, 'record' | 'highest' | 'ledger'>
  readonly people: SignerPorts
}

/** Who signs from this level on (issue 6: prata or above). */
export const SIGNING_LEVEL = 'prata'

/** The signer, who may sign at this moment. @throws {Problem} signatures/not-entitled, accounts/ways-unconfirmed */
export async function entitledSigner({ people }: Pick<SigningCore, 'people'>, accountId: string): Promise<SignerFacts> {
  const signer = await people.findSigner(accountId)
  if (signer?.status !== 'active') throw new Problem(SIGNATURE_PROBLEMS.notEntitled, { detail: 'account' })
  if (signer.isHeld) throw new Problem(SIGNATURE_PROBLEMS.notEntitled, { detail: 'recovered' })
  if (!isLevelAtLeast(signer.level, SIGNING_LEVEL)) throw new Problem(SIGNATURE_PROBLEMS.notEntitled, { detail: 'level' })
  if (!(await signer.hasOwnWays())) throw new Problem(ACCOUNTS_PROBLEMS.waysUnconfirmed)
  return signer
}

/** As certificates name the signer; the number is the same in each of theirs and leads nobody to them. */
export function certifiedPerson({ keyring }: Pick<SigningCore, 'keyring'>, { personId, person }: SignerFacts): CertifiedPerson {
  return { ...person, number: keyring.hash(personId, 'certificate-subject').toString('hex').slice(0, 20).toUpperCase() }
}

export const citizenActor = (accountId: string): AuditActor => ({ kind: 'citizen', id: accountId })
