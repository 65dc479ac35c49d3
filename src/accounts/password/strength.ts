import type { ZxcvbnFactory } from '@zxcvbn-ts/core'

/** Characters that are judged; the time of an estimate grows faster than the square of them (250 take 3 s). */
const JUDGED_LENGTH = 32
/** Ways to read signs as letters that are tried: with the library's 100 a hostile 32 characters take 460 ms, with 10 some 40. */
const MAX_SUBSTITUTIONS = 10

/** What the dictionaries say of a password. */
export interface Strength {
  /** One of the 49,000 commonest passwords, case and accents aside. */
  readonly common: boolean
  /** 0 (guessed at once) to 4. */
  readonly score: number
}

interface Judge {
  readonly estimator: ZxcvbnFactory
  readonly common: ReadonlySet<string>
}

let judge: Promise<Judge> | undefined

/**
 * How a password stands against dictionaries and patterns. For workers: it loads 30 MB on its first use and computes for long.
 *
 * Only its beginning is judged when it is long: a password is at least as strong as its first part.
 */
export async function estimateStrength(password: string, badWords: readonly string[]): Promise<Strength> {
  judge ??= loadJudge()
  const { estimator, common } = await judge
  const text = [...password.normalize('NFC')]
  const score = estimator.check(text.slice(0, JUDGED_LENGTH).join(''), [...badWords]).score
  return { common: common.has(fold(text.join(''))), score }
}

async function loadJudge(): Promise<Judge> {
  const [core, general, portuguese] = await Promise.all([
    import('@zxcvbn-ts/core'), import('@zxcvbn-ts/language-common'), import('@zxcvbn-ts/language-pt-br'),
  ])
  const dictionary = { ...general.dictionary, ...portuguese.dictionary }
  const estimator = new core.ZxcvbnFactory({ dictionary, graphs: general.adjacencyGraphs, l33tMaxSubstitutions: MAX_SUBSTITUTIONS })
  return { estimator, common: new Set(general.dictionary['passwords-common'].map((word) => fold(String(word)))) }
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
