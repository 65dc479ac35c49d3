import { createAddressLimit, networkOf } from '../accounts/index.ts'
import { type HttpMiddleware, requestFacts } from '../platform/http/request-facts.ts'

/** A hall's screens and tablets share an address, and each asks every few seconds. */
export const HALL = { burst: 240, perSecond: 8 } as const
/** A link that one person opens and answers once; a library's computers share an address. */
export const LINK = { burst: 30, perSecond: 0.5 } as const
/** Citizens' own screens of a whole unit behind one address, each asking twice in three seconds. */
export const SCREENS = { burst: 600, perSecond: 30 } as const
/** The camera page asks five times a second; each answer costs a run of the nets. */
export const FRAMES = { burst: 40, perSecond: 10 } as const

/**
 * Bounds what a network asks of routes that want no sign-in; 429 with when to come back. Each call counts by itself.
 *
 * Use it with the paths it is for: a router inside another runs what it `use`s without a path for every page of the other.
 */
export function limitAddresses(allowance: typeof HALL | typeof LINK | typeof SCREENS): HttpMiddleware {
  const limit = createAddressLimit({ allowance, networkOf })
  return async (ctx, next) => {
    const { ip } = requestFacts(ctx)
    limit.check(ip)
    limit.spend(ip)
    await next()
  }
}
