import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import type { Authority } from '../authority/authority.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { grantStamp, issueStamp, parseStampRequest, refuseStamp, type StampRequest, StampRefused } from './time-stamp.ts'

/** Seconds that the clock may step back, as it does when it is set right, before we stop to say what time it is. */
const STEP_SECONDS = 1

export interface TimeStamping {
  /** TimeStampResp for a TimeStampReq, a refusal included; every token leaves a line in the audit record. */
  answer(request: Uint8Array, actor: AuditActor): Promise<Buffer>
  /** A token for a digest of our own. @throws {Problem} signatures/no-authority, signatures/clock-behind */
  stamp(sha256: Buffer): Promise<Buffer>
  /** A token for a client's digest; it leaves a line as `answer` does. @throws {Problem} as `stamp` */
  token(request: StampRequest, actor: AuditActor): Promise<Buffer>
  /** For whoever cannot go back once they began: that a token can be had now. @throws {Problem} as `stamp` */
  check(): Promise<void>
}

export interface TimeStampingDependencies {
  readonly db: Sql
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  readonly authority: Pick<Authority, 'service'>
}

export function createTimeStamping({ db, clock, audit, authority }: TimeStampingDependencies): TimeStamping {
  let last = 0

  /** Time only goes forward here: a stamp that says earlier than one before it would be a lie that somebody could order. */
  function currentTime(): Date {
    const now = clock.now()
    if (now.getTime() < last - STEP_SECONDS * 1000) throw new Problem(SIGNATURE_PROBLEMS.clockBehind)
    last = Math.max(last, now.getTime())
    return new Date(last)
  }

  async function issue(request: StampRequest, actor: AuditActor): Promise<Buffer> {
    const { signer, certificates } = await authority.service('tsa')
    const { token, serial } = await issueStamp(request, currentTime(), { signer, certificates })
    await audit.record(db, { type: 'signatures/time-stamped', actor, ...(actor.kind === 'client' && { clientId: actor.id }), data: { serial } })
    return token
  }

  return {
    async answer(bytes, actor) {
      try {
        return grantStamp(await issue(parseStampRequest(bytes), actor))
      } catch (error) {
        if (error instanceof StampRefused) return refuseStamp(error.failure)
        if (isProblem(error, SIGNATURE_PROBLEMS.clockBehind)) return refuseStamp('timeNotAvailable')
        if (isProblem(error, SIGNATURE_PROBLEMS.noAuthority)) return refuseStamp('systemFailure')
        throw error
      }
    },
    token: issue,
    async check() {
      await authority.service('tsa')
      currentTime()
    },
    stamp: (imprint) => issue({ imprint, digest: 'sha256', nonce: undefined, wantsCertificates: true }, { kind: 'system' }),
  }
}
