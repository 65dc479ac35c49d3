import { randomBytes, randomUUID } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import { actorOf, type Desk, type Hand } from '../attendance/desk.ts'
import { parseScreenCode, screenCode } from '../consent/consent.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { countKioskTry, endKiosk, findKiosk, insertKiosk, type Kiosk, listKiosks, pairKiosk } from './kiosk.store.ts'

/** From the manager's screen to the device. */
export const PAIR_SECONDS = 15 * 60
/** Faces and codes tried at one device in an hour. */
export const TRIES_AN_HOUR = 60

/** The unit's devices for citizens: registered by the manager, tied by a code that is typed on the device itself. */
export interface Kiosks {
  /** The code works once, for 15 minutes, and is shown now only. @throws {Problem} helpdesk/role-needed */
  register(name: string, hand: Hand): Promise<string>
  list(unitId: string): Promise<Kiosk[]>
  /** Takes it out of use at once. @throws {Problem} helpdesk/kiosk-unknown, helpdesk/role-needed */
  end(id: string, hand: Hand): Promise<void>
  /** The device's own secret, or `undefined` for a code that is gone. */
  pair(code: string): Promise<string | undefined>
  find(secret: string): Promise<Kiosk | undefined>
  /** @throws {Problem} helpdesk/kiosk-busy */
  countTry(kiosk: Kiosk): Promise<void>
}

export function createKiosks(desk: Desk): Kiosks {
  const { db, clock, keyring, audit, staff } = desk
  const hashOf = (part: 'pair' | 'key', value: string) => keyring.hash(value, `kiosk-${part}`)
  return {
    register: (name, hand) =>
      db.transaction(async (tx) => {
        await staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'unit-manager' })
        const [id, code, now] = [randomUUID(), screenCode(randomBytes(8)), clock.now()]
        await insertKiosk(tx, { id, unitId: hand.unitId, name, by: hand.id, pairHash: hashOf('pair', code), pairUntil: new Date(now.getTime() + PAIR_SECONDS * 1000), now })
        await audit.record(tx, { type: 'helpdesk/kiosk-registered', actor: actorOf(hand), data: { kioskId: id, unitId: hand.unitId } })
        return code
      }),
    list: (unitId) => listKiosks(db, unitId),
    end: (id, hand) =>
      db.transaction(async (tx) => {
        await staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'unit-manager' })
        if (!(await endKiosk(tx, id, hand.unitId, hand.id, clock.now()))) throw new Problem(HELPDESK_PROBLEMS.kioskUnknown)
        await audit.record(tx, { type: 'helpdesk/kiosk-ended', actor: actorOf(hand), data: { kioskId: id, unitId: hand.unitId } })
      }),
    pair: (typed) =>
      db.transaction(async (tx) => {
        const code = parseScreenCode(typed)
        const secret = randomBytes(32).toString('base64url')
        const kiosk = code && (await pairKiosk(tx, hashOf('pair', code), hashOf('key', secret), clock.now()))
        if (kiosk === undefined || kiosk === '') return undefined
        await audit.record(tx, { type: 'helpdesk/kiosk-paired', actor: { kind: 'system' }, data: { kioskId: kiosk.id, unitId: kiosk.unitId } })
        return secret
      }),
    find: (secret) => findKiosk(db, hashOf('key', secret)),
    async countTry({ id }) {
      if (!(await countKioskTry(db, id, TRIES_AN_HOUR, clock.now()))) throw new Problem(HELPDESK_PROBLEMS.kioskBusy, { retryAfterSeconds: 1800 })
    },
  }
}
