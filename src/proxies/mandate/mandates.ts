import { Problem } from '../../platform/problem.ts'
import type { Core } from '../core.ts'
import { type Acting, actorDocuments, getActor } from '../party/actor.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Roles } from '../role/roles.ts'
import { type ChangeBySystem, type Changes, capacitiesOf, createChanges } from './changes.ts'
import { createGrants, type Grants } from './grants.ts'
import type { Mandate, MandateEvent, MandateId } from './mandate.ts'
import { findMandate, listBelow, listBySide, listMandateEvents, listPath, listSigners } from './mandate.store.ts'

/** Everything that people do with mandates. Who has no part in one is told that there is none. */
export interface Mandates extends Grants, Changes {
  /** One in which the caller stands on a side. @throws {Problem} proxies/mandate-not-found */
  get(by: Acting, id: MandateId): Promise<Mandate>
  /** Given by the caller, or in the caller's name further down a chain; newest first. */
  listGiven(by: Acting): Promise<Mandate[]>
  listReceived(by: Acting): Promise<Mandate[]>
  history(by: Acting, id: MandateId): Promise<MandateEvent[]>
  /** For machines of ours: without asking who wants to know. */
  find(id: MandateId): Promise<Mandate | undefined>
  /** The links from the root to a mandate, for nested `act` claims. */
  pathOf(mandate: Mandate): Promise<Mandate[]>
  listBelow(mandate: Mandate): Promise<Mandate[]>
  /** Names of whose hands are under the giving of these, which the caller has seen. */
  signersOf(mandates: readonly Mandate[]): Promise<ReadonlyMap<string, readonly string[]>>
}

export function createMandates(core: Core, roles: Roles): { mandates: Mandates; changeBySystem: ChangeBySystem } {
  const { db } = core.platform
  const { changes, changeBySystem } = createChanges(core, roles)

  async function get(by: Acting, id: MandateId): Promise<Mandate> {
    const actor = await getActor(core, by)
    const mandate = await findMandate(db, id)
    if (!mandate || capacitiesOf(actor, mandate).length === 0) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    return mandate
  }

  const mandates: Mandates = {
    ...createGrants(core, roles),
    ...changes,
    get,
    listGiven: async (by) => listBySide(db, 'given', actorDocuments(await getActor(core, by))),
    listReceived: async (by) => listBySide(db, 'received', actorDocuments(await getActor(core, by))),
    history: async (by, id) => listMandateEvents(db, (await get(by, id)).id),
    find: (id) => findMandate(db, id),
    pathOf: ({ path }) => listPath(db, path),
    listBelow: (mandate) => listBelow(db, mandate),
    signersOf: (seen) => listSigners(db, seen.map(({ id }) => id)),
  }
  return { mandates, changeBySystem }
}
