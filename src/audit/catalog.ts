import type { z } from 'zod'

export type EventType = `${string}/${string}`

/** Event types and the shape of their data; unknown members are refused. */
export type EventCatalog = Readonly<Record<EventType, z.ZodObject>>

/**
 * A room's event types, each strict about its data.
 *
 * Stored for ever: a name is never reused and a shape only grows. Data holds ids, enumerations and counts; `test/audit` checks the names.
 */
export function defineEvents<const Events extends Record<EventType, z.ZodObject>>(events: Events): EventCatalog {
  const strict = Object.entries(events).map(([type, schema]) => [type, schema.strict()] as const)
  return Object.freeze(Object.fromEntries(strict))
}

/** All rooms' catalogs as one; a type that two rooms define is a mistake. */
export function joinCatalogs(catalogs: readonly EventCatalog[]): ReadonlyMap<string, z.ZodObject> {
  const joined = new Map<string, z.ZodObject>()
  for (const [type, schema] of catalogs.flatMap((catalog) => Object.entries(catalog))) {
    if (joined.has(type)) throw new Error(`two rooms define the event ${type}`)
    joined.set(type, schema)
  }
  return joined
}
