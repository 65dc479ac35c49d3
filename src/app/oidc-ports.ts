import type { Account, Accounts } from '../accounts/index.ts'
import { type Assurance, evidenceState } from '../assurance/index.ts'
import type { OidcPorts, RepresentationPort, Subject } from '../oidc/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/db.ts'
import { destroyPageSessionsBySid } from '../platform/http/page-session.ts'

export interface OidcPortsDependencies {
  readonly accounts: () => Pick<Accounts, 'find' | 'sessions'>
  readonly assurance: Assurance
  readonly representation: RepresentationPort
  readonly db: Database
  readonly clock: Clock
}

/** What the protocol asks of the rooms that know people; `accounts` comes later than the protocol is described, hence a function. */
export function createOidcPorts({ accounts, assurance, representation, db, clock }: OidcPortsDependencies): OidcPorts {
  return {
    representation,
    async findPerson(accountId, sessionUid) {
      if (sessionUid === undefined) return { subject: subjectOf(await accounts().find(accountId)), standing: undefined }
      const found = await assurance.findStanding(accountId, sessionUid)
      const used = found?.session && (await accounts().sessions.use(found.session))
      if (!found || !used) return { subject: subjectOf(found?.account), standing: undefined }
      const { aal, amr, authenticatedAt, faceAt } = used.session
      return { subject: subjectOf(found.account), standing: { level: found.level, aal, amr, authenticatedAt, faceAt, isLive: used.isLive } }
    },

    async listEvidence(accountId) {
      const { evidence } = await assurance.standingOf(accountId)
      return evidence.filter((item) => evidenceState(item, clock.now()) === 'live')
    },

    async sessionEnded(sessionUid) {
      await accounts().sessions.noteSignedOut(sessionUid, 'signed-out')
      await destroyPageSessionsBySid(db, sessionUid)
    },
  }
}

function subjectOf(account: Account | undefined): Subject | undefined {
  if (account?.status !== 'active') return undefined
  const { cpf, name, socialName, birthDate, email, phone } = account.citizen.reveal()
  return {
    accountId: account.id, cpf, name, socialName, birthDate,
    // Only confirmed addresses are ever stored with an account.
    email: email && { address: email, verified: true },
    phone: phone && { number: phone, verified: true },
  }
}
