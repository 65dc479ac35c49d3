/** A whole login: authorize, password, consent, code, token, userinfo; with a hash that costs nothing, and with argon2id. */
import { compare } from './rig/compare.ts'
import { discover, fullLogin } from './rig/flows.ts'
import { hashAlonePerSecond } from './rig/hash-alone.ts'
import { measure } from './rig/load.ts'
import { ours } from './rig/servers.ts'
import { median, relativeTo, type Result } from './result.ts'

export const name = 'login'
const PEOPLE = 8
const ARGON2_LEAST = 0.85
const ROUNDS = 3

export async function run(): Promise<readonly Result[]> {
  const work = (at: Parameters<typeof fullLogin>[0]) => fullLogin(at, PEOPLE)
  const comparison = { bench: name, metric: 'full login, free hash', work, least: { postgresql: 0.55, redis: 0.7 } }
  return [...(await compare(comparison, ['postgresql', 'redis', 'pglite'])), await withArgon2id()]
}

/** The hash sets the pace: how much of it is left when the whole flow shares its core. */
async function withArgon2id(): Promise<Result> {
  const at = await discover((await ours('argon2id')).origin)
  const alone: number[] = []
  const logins: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(await hashAlonePerSecond())
    logins.push((await measure({ people: PEOPLE, seconds: 5 }, fullLogin(at, PEOPLE))).perSecond)
  }
  const measured = { bench: name, metric: 'full login, argon2id 19 MiB, postgresql (reference: the hash alone)', value: median(logins), unit: '/s' }
  return relativeTo(median(alone), measured, ARGON2_LEAST)
}
