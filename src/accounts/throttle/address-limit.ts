import { Problem } from '../../platform/problem.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'

/** Addresses remembered at once; the least recently seen is forgotten first, so that a flood of addresses costs memory only up to here. */
const MOST_ADDRESSES = 50_000

/** How many one address may do at once, and how quickly it may go on. */
export interface AddressAllowance {
  readonly burst: number
  readonly perSecond: number
}

/** A token bucket for each address, in this process's memory: cheaper than what it protects, and gone with a restart. */
export interface AddressLimit {
  /** @throws {Problem} platform/too-many with when to come back, while the address has nothing left. */
  check(address: string): void
  /** Takes one; below zero as well, so that what ran at the same time is paid for afterwards. */
  spend(address: string): void
  /** Addresses that are remembered now. */
  size(): number
}

export interface AddressLimitOptions {
  readonly allowance: AddressAllowance
  /** What counts as one address, e.g. the /64 of an IPv6 one. */
  readonly networkOf: (address: string) => string
  /** Milliseconds that only ever grow. */
  readonly now?: () => number
  readonly mostAddresses?: number
}

/** Limits what costs us something and asks nothing of whoever does it. */
export function createAddressLimit(options: AddressLimitOptions): AddressLimit {
  const { allowance, networkOf, now = () => performance.now(), mostAddresses = MOST_ADDRESSES } = options
  const buckets = new Map<string, { left: number; at: number }>()

  const leftAt = (key: string, at: number): number => {
    const known = buckets.get(key)
    return known ? Math.min(allowance.burst, known.left + ((at - known.at) / 1000) * allowance.perSecond) : allowance.burst
  }

  return {
    check(address) {
      const left = leftAt(networkOf(address), now())
      if (left >= 1) return
      throw new Problem(HTTP_PROBLEMS.tooMany, { retryAfterSeconds: Math.ceil((1 - left) / allowance.perSecond) })
    },
    spend(address) {
      const key = networkOf(address)
      const at = now()
      const left = leftAt(key, at) - 1
      buckets.delete(key)
      buckets.set(key, { left, at })
      const [oldest] = buckets.keys()
      if (buckets.size > mostAddresses && oldest !== undefined) buckets.delete(oldest)
    },
    size: () => buckets.size,
  }
}
