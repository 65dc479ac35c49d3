import { z } from 'zod'
import { estimateStrength } from './strength.ts'

/** What a hash worker is asked. A `verify` without a hash does the same work and says no: an unknown CPF takes as long as a known one. */
export const passwordTask = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hash'), password: z.string() }),
  z.object({ kind: z.literal('verify'), password: z.string(), hash: z.string().nullable() }),
  z.object({ kind: z.literal('judge'), password: z.string(), badWords: z.array(z.string()) }),
])
export type PasswordTask = z.infer<typeof passwordTask>

/** What it answers; only the members that the task asks for are there. */
export interface PasswordAnswer {
  readonly hash?: string
  readonly matches?: boolean
  /** A hash at today's cost, when the stored one was made at another and the password was right. */
  readonly rehash?: string
  readonly common?: boolean
  readonly score?: number
}

export interface HashFunctions {
  hash(password: string): string
  verify(password: string, hash: string): boolean
  isOutdated(hash: string): boolean
}

/** The worker's work, apart from its thread. */
export function answerPasswordTask(functions: HashFunctions): (task: PasswordTask) => Promise<PasswordAnswer> {
  return async (task) => {
    switch (task.kind) {
      case 'hash':
        return { hash: functions.hash(task.password) }
      case 'verify':
        return verify(functions, task.password, task.hash)
      case 'judge': {
        const { common, score } = await estimateStrength(task.password, task.badWords)
        return { common, score }
      }
    }
  }
}

function verify(functions: HashFunctions, password: string, hash: string | null): PasswordAnswer {
  if (hash === null) {
    functions.hash(password)
    return { matches: false }
  }
  const matches = functions.verify(password, hash)
  return matches && functions.isOutdated(hash) ? { matches, rehash: functions.hash(password) } : { matches }
}
