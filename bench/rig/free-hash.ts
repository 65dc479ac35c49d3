import type { AccountsOverrides } from '../../src/app/rooms.ts'
import type { HashCost } from '../../src/accounts/settings.ts'

/** The least that argon2id allows: a login then shows what everything but the hash costs. No environment can set it. */
export const FREE_COST: HashCost = { memoryKib: 8, passes: 1, parallelism: 1 }

/** The real cost unless asked for the free one. */
export function costFor(hash: string | undefined): AccountsOverrides {
  return (settings) => ({
    ...settings,
    // Every citizen of a bench is at one address.
    throttle: { ...settings.throttle, visitsPerAddress: { burst: 1_000_000, perSecond: 1_000_000 } },
    ...(hash === 'free' && { password: { ...settings.password, cost: FREE_COST } }),
  })
}
