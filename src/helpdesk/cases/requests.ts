import type { CounterActs, WaysOfAccount } from '../../accounts/index.ts'
import type { ImageStore, ListedImage } from '../../biometrics/index.ts'
import { Problem } from '../../platform/problem.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { setFacts } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockHeld } from '../attendance/desk.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { CASE_TYPES } from './case-type.ts'
import type { CaseRequest } from './request.ts'

/** What the attendant chooses from when writing the request down: nothing that opens the account. */
export interface RequestChoices {
  readonly ways: WaysOfAccount | undefined
  readonly images: readonly Pick<ListedImage, 'id' | 'kind' | 'source' | 'capturedAt'>[]
}

/** What a case asks for, in the words of whoever is at the counter. */
export interface Requests {
  choices(attendance: Attendance): Promise<RequestChoices>
  /**
   * Writes it down while the draft is open; a later one takes its place.
   * @throws {Problem} helpdesk/request-unfit when it is not this case's kind or names what is not the person's, and what `lockHeld` may
   */
  save(id: string, request: CaseRequest, hand: Hand): Promise<void>
  /** A picture that may be another person's, for whoever holds or decides the case; told in the person's ledger. @throws {Problem} helpdesk/attendance-unknown */
  openImage(attendance: Attendance, imageId: string, hand: Hand): Promise<{ bytes: Buffer; contentType: string }>
}

export interface RequestDependencies {
  readonly desk: Desk
  readonly accounts: Pick<CounterActs, 'waysOf'>
  readonly images: Pick<ImageStore, 'list' | 'openFor'>
}

export function createRequests({ desk, accounts, images }: RequestDependencies): Requests {
  const { db, keyring } = desk

  /** What was withdrawn as somebody else's is not looked at once more. */
  const standing = async ({ personId }: Attendance) => (await images.list(personId)).filter(({ withdrawnAt, erasedAt }) => !withdrawnAt && !erasedAt)

  async function choices(attendance: Attendance): Promise<RequestChoices> {
    const { request } = CASE_TYPES[attendance.reason]
    const { accountId } = await ledgerOf(db, attendance)
    const found = request === 'wrong-person' ? await standing(attendance) : []
    return {
      ways: (request === 'lost-phone' || request === 'kept-ways') && accountId !== undefined ? await accounts.waysOf(accountId) : undefined,
      images: found.map(({ id, kind, source, capturedAt }) => ({ id, kind, source, capturedAt })),
    }
  }

  return {
    choices,
    async save(id, request, hand) {
      const seen = await db.transaction((tx) => lockHeld(desk, tx, id, hand, 'open'))
      const offered = await choices(seen)
      await db.transaction(async (tx) => {
        const attendance = await lockHeld(desk, tx, id, hand, 'open')
        if (!isOf(offered, attendance, request)) throw new Problem(HELPDESK_PROBLEMS.requestUnfit)
        await setFacts(tx, keyring, id, { ...attendance.facts.reveal(), request }, desk.clock.now())
      })
    },
    async openImage(attendance, imageId, hand) {
      if (CASE_TYPES[attendance.reason].request !== 'wrong-person') throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
      const isTheirs = (await standing(attendance)).some(({ id }) => id === imageId)
      if (!isTheirs) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
      return images.openFor(imageId, { actor: actorOf(hand), purpose: 'counter-wrong-person' })
    },
  }
}

function isOf({ ways, images }: RequestChoices, { reason }: Attendance, request: CaseRequest): boolean {
  // What stays of a blocked account is said by the citizen and by nobody else.
  if (CASE_TYPES[reason].request !== request.kind || request.kind === 'kept-ways') return false
  if (request.kind === 'lost-phone') return request.passkeyIds.every((id) => ways?.passkeys.some((passkey) => passkey.id === id))
  return request.kind !== 'wrong-person' || request.imageIds.every((id) => images.some((image) => image.id === id))
}
