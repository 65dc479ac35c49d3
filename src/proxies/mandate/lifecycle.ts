import type { Cpf } from '../../accounts/index.ts'
import type { Core } from '../core.ts'
import { personRef } from '../party/actor.ts'
import { documentOf, FINAL_STANDINGS, type Party, type PartyId, refOf, type Standing } from '../party/party.ts'
import { findParty, listStale } from '../party/party.store.ts'
import { keepParty, lookUpParty } from '../party/registers.ts'
import type { ChangeBySystem } from './changes.ts'
import type { ChangeReason } from './steps.ts'
import { lapseRequests, purgeAttempts } from '../request/request.store.ts'
import { addDays, dayOf } from './day.ts'
import type { MandateId } from './mandate.ts'
import { listDue, listOpenOf, listPath } from './mandate.store.ts'

const SYSTEM = { kind: 'system' } as const
const BATCH = 200
/** Younger answers of a register are left alone by the nightly round. */
const STALE_MS = 20 * 3_600_000
const REASONS: Partial<Record<Standing, ChangeReason>> = { deceased: 'deceased', dissolved: 'dissolved', cancelled: 'cancelled' }

/** What ends by itself: terms, what nobody accepted, and everything of parties who are no more. */
export interface Lifecycle {
  /** Ends what the calendar ends; returns how many. For a job every few minutes: no decision waits for it. */
  sweep(): Promise<number>
  /** Asks the registers about everybody who stands in an open mandate. For a job at night. */
  refreshParties(): Promise<number>
  /** Asks the base register about one person now: a death ends their mandates at once. For a job after the counter noted it, or took it back. */
  refreshPerson(cpf: Cpf): Promise<void>
  /** Asks the registers about the parties of these mandates now. */
  refresh(mandates: readonly MandateId[]): Promise<void>
}

export function createLifecycle(core: Core, changeBySystem: ChangeBySystem): Lifecycle {
  const { db, clock } = core.platform

  async function renew(party: Party): Promise<void> {
    const found = await lookUpParty(core, refOf(party))
    // Whom the register no longer knows is not regular; a mistake of the register ends nothing for good.
    const standing = found?.standing ?? 'suspended'
    await db.transaction((tx) => keepParty(core, tx, { ref: refOf(party), name: found?.name ?? party.name, standing }))
    if (FINAL_STANDINGS.includes(standing)) await endParty(party.id, REASONS[standing] ?? 'cancelled')
  }

  async function endParty(id: PartyId, reason: ChangeReason): Promise<void> {
    for (const { id: mandateId } of await listOpenOf(db, id)) {
      await db.transaction((tx) => changeBySystem(tx, mandateId, { change: 'terminated', capacity: 'system', reason, actor: SYSTEM }))
    }
  }

  return {
    async sweep() {
      const now = clock.now()
      let ended = await lapseRequests(db, now)
      await purgeAttempts(db, addDays(dayOf(now), -1))
      for (const { id, change } of await listDue(db, dayOf(now), now, BATCH)) {
        const reason = change === 'expired' ? 'term' : 'unanswered'
        if (await db.transaction((tx) => changeBySystem(tx, id, { change, capacity: 'system', reason, actor: SYSTEM }))) ended += 1
      }
      return ended
    },
    async refreshParties() {
      const parties = await listStale(db, new Date(clock.now().getTime() - STALE_MS), 10_000)
      for (const party of parties) await renew(party)
      return parties.length
    },
    async refreshPerson(cpf) {
      const party = await findParty(db, documentOf(personRef(cpf)))
      if (party !== undefined) await renew(party)
    },
    async refresh(mandates) {
      const parties = new Map((await listPath(db, mandates)).flatMap(({ grantor, delegate }) => [grantor, delegate].map((party) => [party.id, party] as const)))
      for (const party of parties.values()) if (party.kind !== 'organisation') await renew(party)
    },
  }
}
