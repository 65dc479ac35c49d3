import { randomBytes, randomUUID } from 'node:crypto'
import type { Account } from '../../accounts/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { TellCitizen } from '../citizen-notice.ts'
import { localDay } from '../../platform/clock.ts'
import type { Ticket } from '../queue/ticket.ts'
import { SATISFACTION_PROBLEMS } from './problems.ts'
import {
  countScores, type Days, findAccountOf, findAccountOfTicket, findOpenSurvey, insertAnswer, insertSurvey, listSentences, listUnasked, type SurveySubject, useSurvey,
} from './survey.store.ts'

const DAY_MS = 86_400_000
const LINK_DAYS = 14
const ASK_WITHIN_DAYS = 2
const AT_ONCE = 100
const SECRET_BYTES = 32
/** Results of fewer answers could be told apart. */
export const LEAST_ANSWERS = 5
const MOST_SENTENCES = 50
const NOTICE = 'asked'

export interface Answer {
  readonly score: number
  readonly sentence: string | undefined
}

/** How people found it; `few` = not enough answered to show anything but that. */
export type Satisfaction =
  | { readonly kind: 'few' }
  | { readonly kind: 'shown'; readonly answers: number; readonly mean: number; readonly scores: readonly { score: number; count: number }[] }

/** One question after each attendance, answered once by whoever holds the link; nobody's name is kept with the answer. */
export interface Surveys {
  /**
   * Asks about a ticket that was finished: by message where the person booked from home, else by the secret of the link, for the printer or the
   * screen. `undefined` when it was mailed, or asked before.
   */
  askAboutTicket(ticket: Ticket): Promise<string | undefined>
  /** The address that a secret belongs to. */
  linkOf(secret: string): string
  /** Asks by message about cases that were decided lately; a job's work. Returns how many. */
  askAboutAttendances(): Promise<number>
  /** The unit that a link asks about. @throws {Problem} satisfaction/link-used */
  open(secret: string): Promise<{ readonly unitName: string }>
  /** Once. @throws {Problem} satisfaction/link-used */
  answer(secret: string, answer: Answer): Promise<void>
  result(unitId: string | undefined, days: Days): Promise<Satisfaction>
  /** Sentences of one unit, lowest scores first; none while too few have answered. */
  sentences(unitId: string, days: Days): Promise<readonly { readonly score: number; readonly text: string }[]>
}

export interface SurveysDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'hash' | 'seal' | 'open'> }
  readonly publicUrl: string
  readonly findAccount: (id: string) => Promise<Account | undefined>
  readonly tell: TellCitizen
}

export function createSurveys(deps: SurveysDependencies): Surveys {
  const { db, clock, keyring } = deps.platform
  const hashOf = (secret: string) => keyring.hash(secret, 'survey')
  const contextOf = (id: string) => `survey ${id}`

  async function result(unitId: string | undefined, days: Days): Promise<Satisfaction> {
    const scores = await countScores(db, unitId, days)
    const answers = scores.reduce((sum, { count }) => sum + count, 0)
    if (answers < LEAST_ANSWERS) return { kind: 'few' }
    return { kind: 'shown', answers, mean: scores.reduce((sum, { score, count }) => sum + score * count, 0) / answers, scores }
  }

  return {
    askAboutTicket: async ({ id, unitId }) => {
      const accountId = await findAccountOfTicket(db, id)
      return ask(deps, { unitId, subject: { ticketId: id }, accountId })
    },
    linkOf: (secret) => linkOf(deps.publicUrl, secret),
    async askAboutAttendances() {
      const unasked = await listUnasked(db, new Date(clock.now().getTime() - ASK_WITHIN_DAYS * DAY_MS), AT_ONCE)
      for (const { attendanceId, unitId, personId } of unasked) await ask(deps, { unitId, subject: { attendanceId }, accountId: await findAccountOf(db, personId) })
      return unasked.length
    },
    async open(secret) {
      const found = await findOpenSurvey(db, hashOf(secret), clock.now())
      if (found === undefined) throw new Problem(SATISFACTION_PROBLEMS.linkUsed)
      return found
    },
    answer: (secret, { score, sentence }) =>
      db.transaction(async (tx) => {
        const now = clock.now()
        const unitId = await useSurvey(tx, hashOf(secret), now)
        if (unitId === undefined) throw new Problem(SATISFACTION_PROBLEMS.linkUsed)
        const id = randomUUID()
        await insertAnswer(tx, { id, unitId, day: localDay(now), score, sealed: sentence === undefined ? undefined : keyring.seal(sentence, contextOf(id)) })
      }),
    result,
    async sentences(unitId, days) {
      if ((await result(unitId, days)).kind === 'few') return []
      const found = await listSentences(db, unitId, days, MOST_SENTENCES)
      return found.map(({ id, score, sealed }) => ({ score, text: keyring.open(sealed, contextOf(id)).toString('utf8') }))
    },
  }
}

const linkOf = (publicUrl: string, secret: string): string => `${publicUrl}/avaliacao/${secret}`

interface Asking {
  readonly unitId: string
  readonly subject: SurveySubject
  readonly accountId: string | undefined
}

async function ask({ platform, publicUrl, findAccount, tell }: SurveysDependencies, { unitId, subject, accountId }: Asking): Promise<string | undefined> {
  const { db, clock, keyring } = platform
  const account = accountId === undefined ? undefined : await findAccount(accountId)
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const now = clock.now()
  const survey = {
    id: randomUUID(), unitId, subject, secretHash: keyring.hash(secret, 'survey'), createdAt: now, expiresAt: new Date(now.getTime() + LINK_DAYS * DAY_MS),
  }
  return db.transaction(async (tx) => {
    if (!(await insertSurvey(tx, survey))) return undefined
    const isTold = account?.status === 'active' && (await tell(tx, account, `satisfaction.${NOTICE}`, { link: linkOf(publicUrl, secret) }))
    return isTold ? undefined : secret
  })
}
