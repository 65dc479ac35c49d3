import { parsePersonId } from '../accounts/index.ts'
import { SEARCH_CHANNEL } from '../biometrics/index.ts'
import type { Oidc } from '../oidc/index.ts'
import { purgeEndedPageSessions } from '../platform/http/page-session.ts'
import { eraseClosedAccounts } from './closed-accounts.ts'
import type { Foundation } from './foundation.ts'
import { openRetention, watchRetention } from './retention/retention.ts'
import { COPY_IMAGE_JOB, DEATH_JOB, END_SESSIONS_JOB, type Rooms } from './rooms.ts'

const ROUND_EVERY_MS = 1000
const CARE_JOB = 'images-care'
const FIRST_SEAL_JOB = 'accounts-first-seal'
const REMAKE_JOB = 'faces-remake-templates'
/** A run ends before the next one is due. */
const REMAKE_BUDGET_MS = 8 * 60_000

/** Work beside the requests: jobs, the mail relay, the seals of the audit record, due sign-out notices. */
export interface Background {
  start(): Promise<void>
  stop(): Promise<void>
}

export function createBackground(foundation: Foundation, rooms: Rooms, oidc: Oidc): Background {
  const { db, jobs, outbox, log } = foundation
  const { audit, faceSearch, imageCare } = rooms
  const stopping = new AbortController()
  addAccountJobs(foundation, rooms, oidc)
  addFaceJobs(foundation, rooms, stopping.signal)
  addDeskJobs(foundation, rooms)
  addRetention(foundation, rooms)
  jobs.schedule('database-maintain', '41 * * * *', db.maintain)

  // Apart from one another: a relying party that does not answer its logout keeps no mandate's end from reaching the others.
  const rounds = [
    everySecond(() => oidc.deliverLogouts(), (error) => log.warn('sign-out notices failed', { error })),
    everySecond(() => oidc.representation.killEnded(), (error) => log.warn('ends of representations failed', { error })),
  ]
  let isStopped = false
  let unlisten = async () => {}
  /** A face that was stored is searched at once; the schedule sees to what a lost notice leaves. */
  const searchNew = () => {
    if (!isStopped) faceSearch.sweep().catch((error: unknown) => log.warn('face search failed', { error }))
  }
  return {
    async start() {
      audit.start()
      await outbox.start()
      for (const round of rounds) round.start()
      unlisten = await db.listen(SEARCH_CHANNEL, searchNew)
      await jobs.start()
      // After an update: rows from before tags are sealed, and faces that the nets in use have not seen are described.
      await jobs.send(CARE_JOB, {}, { singletonKey: 'start' })
      await jobs.send(FIRST_SEAL_JOB, {}, { singletonKey: 'start' })
      if ((await imageCare.jobs.missing()) > 0) await jobs.send(REMAKE_JOB, {}, { singletonKey: 'start' })
    },
    async stop() {
      isStopped = true
      stopping.abort()
      await unlisten()
      await Promise.all([faceSearch.close(), jobs.stop(), outbox.stop(), ...rounds.map((round) => round.stop())])
    },
  }
}

interface Round {
  start(): void
  stop(): Promise<unknown>
}

/** Work that begins again a second after it has ended. */
export function everySecond(work: () => Promise<unknown>, failed: (error: unknown) => void): Round {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let isStopped = false
  const start = () => {
    if (isStopped) return
    timer = setTimeout(() => {
      running = work().catch(failed).finally(start)
    }, ROUND_EVERY_MS).unref()
  }
  return {
    start,
    stop() {
      isStopped = true
      clearTimeout(timer)
      return running
    },
  }
}

/** Of the protocol, and of the accounts and sessions that it speaks of. */
function addAccountJobs({ db, clock, jobs }: Foundation, { accounts }: Rooms, oidc: Oidc): void {
  jobs.work(END_SESSIONS_JOB, async ({ accountId, sessionIds, reason, offlineToo, endedAt }) => {
    await oidc.sessions.end({
      accountId: String(accountId),
      sessionUids: String(sessionIds).split(' '),
      reason: String(reason),
      actor: { kind: 'system' },
      offlineToo: offlineToo === true,
      until: typeof endedAt === 'string' ? new Date(endedAt) : undefined,
    })
  })
  jobs.work(FIRST_SEAL_JOB, async () => void (await accounts.sealFirst()))
  jobs.schedule('oidc-purge', '*/5 * * * *', async () => void (await oidc.purgeExpired()))
  jobs.schedule('oidc-rotate-keys', '17 3 * * *', async () => void (await oidc.keys.rotate()))
  jobs.schedule('accounts-purge', '7 * * * *', accounts.purge)
  jobs.schedule('page-sessions-purge', '23 * * * *', async () => void (await purgeEndedPageSessions(db, clock.now())))
}

/** Of faces and their images; `signal` ends a long run when the server stops. */
function addFaceJobs({ clock, jobs, log }: Foundation, { accounts, documents, faceSearch, images, imageCare, liveness, outcomes }: Rooms, signal: AbortSignal): void {
  jobs.schedule('liveness-sweep', '* * * * *', liveness.sweep)
  jobs.schedule('face-outcomes', '11 * * * *', async () => void (await outcomes.watch()))
  jobs.schedule('face-search', '* * * * *', async () => void (await faceSearch.sweep()))
  jobs.schedule('face-search-everybody', '29 2 1 * *', async () => void (await faceSearch.startSweeps({ kind: 'system' })))
  jobs.work(COPY_IMAGE_JOB, async ({ imageId }) => void (await imageCare.jobs.makeCopies(String(imageId))))
  jobs.schedule(CARE_JOB, '13 * * * *', async () => {
    await imageCare.integrity.raiseAll()
    await imageCare.jobs.makeCopies()
  })
  jobs.schedule('images-retention', '43 7 * * *', async () => {
    await imageCare.custody.applyRetention()
    await imageCare.jobs.dropOutdated()
    const { people } = await imageCare.custody.toReview(0)
    if (people > 0) log.warn('images wait for somebody to look at them', { count: people })
  })
  jobs.schedule('images-of-closed-accounts', '51 7 * * *', async () => void (await eraseClosedAccounts({ clock }, { accounts, images, documents })))
  jobs.schedule(REMAKE_JOB, '*/10 * * * *', async () => void (await imageCare.jobs.remake({ budgetMs: REMAKE_BUDGET_MS, signal })))
}

/** Of the counters where people come in person. */
function addDeskJobs({ jobs }: Foundation, { accounts, proxies, line, signing, figures }: Rooms): void {
  jobs.work(DEATH_JOB, async ({ personId }) => {
    const id = parsePersonId(String(personId))
    const cpf = id && (await accounts.counter.cpfOf(id))
    if (cpf === undefined) return
    await proxies.lifecycle.refreshPerson(cpf)
    const account = await accounts.findByCpf(cpf)
    if (account) await signing.review.one(account.id)
  })
  jobs.schedule('appointment-reminders', '*/10 * * * *', async () => void (await line.appointments.remind()))
  jobs.schedule('line-closes-days', '7 5 * * *', async () => {
    await line.queue.closeDays()
    await line.appointments.closeDays()
  })
  jobs.schedule('attendance-surveys', '*/15 * * * *', async () => void (await figures.surveys.askAboutAttendances()))
}

/** What is past its term goes at night; the metrics say what did not. */
function addRetention({ db, clock, config, jobs, metrics }: Foundation, { audit }: Rooms): void {
  const retention = openRetention({ db, clock, config, audit })
  watchRetention(metrics, clock, retention)
  jobs.schedule('retention', '37 5 * * *', async () => void (await retention.apply()))
}
