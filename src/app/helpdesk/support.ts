import { randomBytes } from 'node:crypto'
import type { Accounts } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit } from '../../audit/index.ts'
import { createSupport, createTellCitizen, type Support } from '../../helpdesk/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { RemoteSigning } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'

export interface SupportParts {
  readonly audit: Audit
  readonly accounts: Accounts
  readonly assurance: Assurance
  readonly messages: Messages
  readonly signing: Pick<RemoteSigning, 'credentials'>
}

/** Support over the accounts' own acts. A recovery that it starts belongs to nobody's browser until the mailed link is opened. */
export function openSupport({ db, clock, keyring, outbox, config }: Foundation, { audit, accounts, assurance, messages, signing }: SupportParts): Support {
  return createSupport({
    platform: { db, clock, keyring },
    audit,
    tell: createTellCitizen({ outbox, messages, publicUrl: config.platform.publicUrl }),
    accounts: {
      findByCpf: accounts.findByCpf,
      get: accounts.get,
      levelOf: assurance.levelOf,
      countSessions: async (id) => (await accounts.sessions.list(id)).length,
      faceTriesLeft: accounts.faceAttempts.left,
      unlock: accounts.waits.lift,
      endSessions: async (tx, id) => void (await accounts.sessions.endAll(tx, id, 'support')),
      revokeCertificates: async (tx, { id: accountId, personId }, actor) => void (await signing.credentials.revokeAll(tx, { accountId, personId, cause: 'support', actor })),
      async startRecovery(account, facts) {
        const { cpf, email } = account.citizen.reveal()
        if (email === undefined) return false
        const binding = randomBytes(24).toString('base64url')
        return (await accounts.recovery.start({ cpf, method: 'email', binding, facts })).kind === 'started'
      },
    },
  })
}
