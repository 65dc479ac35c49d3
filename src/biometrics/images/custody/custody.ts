import { randomUUID } from 'node:crypto'
import type { AuditActor } from '../../../audit/index.ts'
import { Problem } from '../../../platform/problem.ts'
import { type HoldRow, insertHold, releaseHold, selectHolds } from './custody.store.ts'
import { checkNoHold, eraseAll, removeImages } from './erasure.ts'
import { selectPerson } from '../image.store.ts'
import type { ImageStoreDependencies } from '../image-store.ts'
import { openBrokenDraft, openDraft } from '../person-images.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import { countToReview, deleteRetention, type RetentionRow, selectDue, selectRetention, selectToReview, selectToReviewOf, writeRetention } from './retention.store.ts'

/** A row of the retention policy: images of a kind and source go, or are looked at by people, so many days after what the rule counts from. */
export type RetentionRule = Pick<RetentionRow, 'kind' | 'source' | 'counts' | 'days' | 'ending' | 'reason'>
/** People whose images somebody has to look at, and how many such people there are. */
export interface ToReview {
  readonly people: number
  readonly first: readonly { readonly personId: string; readonly images: number; readonly oldest: Date }[]
}
export type Hold = HoldRow

/** How long images stay: legal hold, retention by policy, erasure. Who did what is in the audit record and the person's ledger. */
export interface Custody {
  /** Nothing of the person is erased while it stands; `until` none = until released. @throws {Problem} biometrics/person-not-found */
  hold(personId: string, hold: { reason: string; until?: Date | undefined }, by: AuditActor): Promise<Hold>
  /** Ends all holds of a person; how many. */
  release(personId: string, by: AuditActor): Promise<number>
  holds(personId?: string): Promise<Hold[]>
  /** LGPD erasure by forgetting the key. @throws {Problem} biometrics/legal-hold, biometrics/person-not-found */
  erase(personId: string, by: AuditActor): Promise<void>
  retention(): Promise<RetentionRow[]>
  setRetention(rule: RetentionRule, by: AuditActor): Promise<void>
  dropRetention(rule: Pick<RetentionRule, 'kind' | 'source' | 'counts'>, by: AuditActor): Promise<boolean>
  /** Erases what the policy says is over; `dryRun` only counts. People whose rows are not sound are left out and counted. */
  applyRetention(options?: { dryRun?: boolean }): Promise<{ images: number; people: number; unsound: number }>
  /** Whose images the policy gives to people to look at: nothing of them goes by itself. */
  toReview(limit: number): Promise<ToReview>
  /**
   * What somebody found of a person's images that were to be looked at: kept, their time begins anew; not needed, they go. How many images it is about.
   *
   * @throws {Problem} biometrics/person-not-found
   */
  review(personId: string, verdict: 'kept' | 'erased', by: AuditActor): Promise<number>
  /**
   * Drops a person's rows that are not as the store wrote them, and these as well; what is sound serves again. How many were dropped.
   *
   * @throws {Problem} biometrics/legal-hold
   */
  mend(personId: string, drop: readonly string[], by: AuditActor): Promise<number>
}

const BATCH = 200
const SYSTEM: AuditActor = { kind: 'system' }
const nameOf = ({ kind, id }: AuditActor) => id ?? kind

/** Custody over the same tables as the image store, under the same locks. */
export function createCustody(deps: ImageStoreDependencies): Custody {
  const { db, clock, audit, keyring } = deps
  const recordRule = (rule: Pick<RetentionRule, 'kind' | 'source' | 'counts'> & Partial<RetentionRule>, days: number | null, actor: AuditActor) => {
    const { kind, source, counts, ending } = rule
    return { type: 'biometrics/retention-set', actor, data: { kind, source, counts, days, ...(ending && { ending }) } }
  }
  return {
    hold: (personId, { reason, until }, actor) =>
      db.transaction(async (tx) => {
        const person = await selectPerson(tx, personId, 'write')
        if (person === undefined) throw new Problem(IMAGE_PROBLEMS.personNotFound)
        const hold = { id: randomUUID(), person_id: personId, reason, placed_by: nameOf(actor), placed_at: clock.now(), until: until ?? null }
        await insertHold(tx, hold)
        await audit.record(tx, { type: 'biometrics/hold-placed', actor, subject: person.ledger_id, data: { personId, holdId: hold.id } })
        return hold
      }),
    release: (personId, actor) =>
      db.transaction(async (tx) => {
        const person = await selectPerson(tx, personId, 'write')
        const holds = await selectHolds(tx, personId, clock.now())
        for (const { id: holdId } of holds) {
          await releaseHold(tx, holdId, nameOf(actor), clock.now())
          await audit.record(tx, { type: 'biometrics/hold-released', actor, subject: person?.ledger_id, data: { personId, holdId } })
        }
        return holds.length
      }),
    holds: (personId) => selectHolds(db, personId, clock.now()),
    erase: (personId, actor) => db.transaction((tx) => eraseAll(deps, tx, personId, actor)),
    retention: () => selectRetention(db),
    setRetention: (rule, actor) =>
      db.transaction(async (tx) => {
        await writeRetention(tx, { ...rule, set_by: nameOf(actor), set_at: clock.now() })
        await audit.record(tx, recordRule(rule, rule.days, actor))
      }),
    dropRetention: (rule, actor) =>
      db.transaction(async (tx) => {
        const dropped = await deleteRetention(tx, rule)
        if (dropped > 0) await audit.record(tx, recordRule(rule, null, actor))
        return dropped > 0
      }),
    applyRetention: ({ dryRun = false } = {}) => applyRetention(deps, dryRun),
    async toReview(limit) {
      const now = clock.now()
      return { people: await countToReview(db, now), first: await selectToReview(db, now, limit) }
    },
    review: (personId, verdict, actor) =>
      db.transaction(async (tx) => {
        const draft = await openDraft(tx, keyring, personId)
        const due = await selectToReviewOf(tx, clock.now(), personId)
        const images = draft.images.filter(({ id }) => due.includes(id))
        if (images.length === 0) return 0
        await audit.record(tx, { type: 'biometrics/images-reviewed', actor, subject: draft.ledgerId, data: { personId, verdict, images: images.length } })
        if (verdict === 'erased') await removeImages(deps, tx, draft, { images, reason: 'retention', actor })
        return images.length
      }),
    mend: (personId, drop, actor) =>
      db.transaction(async (tx) => {
        const found = await openBrokenDraft(tx, keyring, personId)
        if (found === undefined) return 0
        await checkNoHold(deps, tx, personId)
        const also = found.draft.images.filter(({ id, erasedAt }) => drop.includes(id) && erasedAt === null && !found.bad.some((image) => image.id === id))
        const images = [...found.bad, ...also]
        await removeImages(deps, tx, found.draft, { images, reason: 'tampered', actor })
        return images.length
      }),
  }
}

async function applyRetention(deps: ImageStoreDependencies, dryRun: boolean): Promise<{ images: number; people: number; unsound: number }> {
  const { db, clock } = deps
  const done = { images: 0, people: 0, unsound: 0 }
  for (let after: string | null = null; ; ) {
    const due: { id: string; person_id: string }[] = await selectDue(db, clock.now(), after, BATCH)
    const people = Map.groupBy(due, ({ person_id: personId }) => personId)
    for (const [personId, images] of people) {
      after = personId
      const ids = images.map(({ id }) => id)
      const removed = dryRun ? ids.length : await removeDue(deps, personId, ids)
      if (removed === undefined) done.unsound++
      else {
        done.images += removed
        done.people++
      }
    }
    if (due.length < BATCH) return done
  }
}

/** Under the person's lock the hold is looked for once more; `undefined` when the rows are not sound. */
async function removeDue(deps: ImageStoreDependencies, personId: string, ids: readonly string[]): Promise<number | undefined> {
  const { db, clock, keyring } = deps
  try {
    return await db.transaction(async (tx) => {
      const draft = await openDraft(tx, keyring, personId)
      if ((await selectHolds(tx, personId, clock.now())).length > 0) return 0
      const images = draft.images.filter(({ id, erasedAt }) => ids.includes(id) && erasedAt === null)
      if (images.length > 0) await removeImages(deps, tx, draft, { images, reason: 'retention', actor: SYSTEM })
      return images.length
    })
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
