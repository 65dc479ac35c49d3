import type { AccountsOverrides } from '../../src/app/rooms.ts'
import type { HashCost } from '../../src/accounts/settings.ts'

/** The least that argon2id allows: a login then shows what everything but the hash costs. No environment can set it. */
export const FREE_COST: HashCost = { memoryKib: 8, passes: 1, parallelism: 1 }

/** The real cost unless asked for the free one. */
export function costFor(hash: string | undefined): AccountsOverrides {
  return (settings) => (hash === 'free' ? { ...settings, password: { ...settings.password, cost: FREE_COST } } : settings)
}
