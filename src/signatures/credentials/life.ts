import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { CertificateNotice } from '../activation/ports.ts'
import type { SigningCore } from '../activation/core.ts'
import { releaseIn, revokeIn } from '../authority/revocation.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Credential, type EndCause, type HoldCause, REASON_OF } from './credential.ts'
import { findCredential, listLiveCertificates, lockCredential, setEnded, setHeld } from './credential.store.ts'
import type { CredentialChange, Credentials } from './credentials.ts'
import { clearWrong } from './tries.ts'

export interface EndedCertificates {
  readonly kept: number
  readonly oneShot: number
}

/** Suspension, resumption and end of certificates; status answers are right from the commit on. */
export function createLife(core: SigningCore): Pick<Credentials, 'suspend' | 'resume' | 'revoke' | 'revokeAll'> {
  const { db, clock, audit, people } = core

  /** Runs a change on a credential that nobody else changes meanwhile, and tells its citizen. */
  async function change<Cause>({ id, accountId }: CredentialChange<Cause>, notice: CertificateNotice, work: (tx: Sql, credential: Credential) => Promise<void>): Promise<void> {
    await db.transaction(async (tx) => {
      const isTheirs = await lockCredential(tx, id, accountId)
      const credential = isTheirs ? await findCredential(tx, id, clock.now()) : undefined
      if (!credential) throw new Problem(SIGNATURE_PROBLEMS.credentialUnknown)
      await work(tx, credential)
      await people.tell(tx, accountId, notice)
    })
  }

  return {
    suspend: (asked) => change(asked, asked.cause === 'wrong-password' ? 'wrong-password' : 'suspended', (tx, credential) => suspendIn(core, tx, credential, asked)),
    resume: (asked) =>
      change(asked, 'resumed', async (tx, credential) => {
        const { id, serial } = credential
        if (credential.state !== 'suspended' || !(await releaseIn(tx, credential))) throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
        await setHeld(tx, id, undefined, clock.now())
        await clearWrong(core, tx, id)
        await audit.record(tx, { type: 'signatures/credential-resumed', actor: asked.actor, subject: asked.accountId, data: { credentialId: id, serial } })
      }),
    revoke: (asked) =>
      change(asked, 'revoked', async (tx, credential) => {
        if (!(await revokeIn(tx, credential, REASON_OF[asked.cause], clock.now()))) throw new Problem(SIGNATURE_PROBLEMS.certificateRevoked)
        await end(core, tx, credential, asked)
      }),
    async revokeAll(tx, { personId, accountId, cause, actor }) {
      const ended = { kept: 0, oneShot: 0 }
      for (const { authorityId, serial, credentialId } of await listLiveCertificates(tx, personId, clock.now())) {
        // In the order of a change of one: the credential, then its certificate.
        if (credentialId !== undefined) await lockCredential(tx, credentialId, accountId)
        if (!(await revokeIn(tx, { authorityId, serial }, REASON_OF[cause], clock.now()))) continue
        if (credentialId === undefined) {
          await audit.record(tx, { type: 'signatures/certificate-revoked', actor, data: { authorityId, serial, reason: REASON_OF[cause] } })
          ended.oneShot += 1
        } else {
          await end(core, tx, { id: credentialId, serial }, { accountId, cause, actor })
          ended.kept += 1
        }
      }
      if (ended.kept > 0) await people.tell(tx, accountId, 'revoked')
      return ended
    },
  }
}

interface Ended {
  readonly accountId: string
  readonly cause: EndCause
  readonly actor: AuditActor
}

async function end({ clock, audit }: SigningCore, tx: Sql, { id, serial }: Pick<Credential, 'id' | 'serial'>, { accountId, cause, actor }: Ended): Promise<void> {
  await setEnded(tx, id, cause, clock.now())
  const data = { credentialId: id, serial, reason: REASON_OF[cause], cause }
  await audit.record(tx, { type: 'signatures/credential-revoked', actor, subject: accountId, data })
}

async function suspendIn({ clock, audit }: SigningCore, tx: Sql, credential: Credential, { accountId, cause, actor }: CredentialChange<HoldCause>): Promise<void> {
  const { id, serial, state } = credential
  if (state !== 'active' || !(await revokeIn(tx, credential, 'certificateHold', clock.now()))) throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
  await setHeld(tx, id, cause, clock.now())
  await audit.record(tx, { type: 'signatures/credential-suspended', actor, subject: accountId, data: { credentialId: id, serial, cause } })
}
