import { randomUUID } from 'node:crypto'
import { type Account, parseAccountId, type SignInSession } from '../accounts/index.ts'
import type { Audit, AuditActor } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database, Sql } from '../platform/db.ts'
import { type Evidence, highestOf, levelAt } from './evidence.ts'
import { insertEvidence, listEvidence, listEvidenceOfAccount, withdrawEvidence } from './evidence.store.ts'
import { type Circumstances, type Explanation, explainLevel } from './explanation.ts'
import type { Level } from './level.ts'
import { findPolicyRow, type Proof } from './policy.ts'
import { findStanding } from './standing.store.ts'

const DAY_MS = 86_400_000

/** A proof that has just been made, with what the record must keep of it. */
export interface NewEvidence extends Proof {
  readonly personId: string
  /** Account whose ledger shows it; absent when the person has none yet. */
  readonly accountId?: string | undefined
  readonly source: string
  readonly actor: AuditActor
  readonly imageId?: string | undefined
  readonly location?: string | undefined
  /** When the proof was made, where that was before now: its term runs from then. */
  readonly obtainedAt?: Date | undefined
  /** When what was shown ends, where it says so itself, as a certificate does; the policy's term otherwise. */
  readonly endsAt?: Date | undefined
  /** Scores, thresholds and model versions; never images, templates or personal data. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface Assurance {
  /** Level that an account's live evidence bears at this moment; `bronze` without any. */
  levelOf(accountId: string): Promise<Level>
  /** Level and all evidence of an account, for claims and pages. */
  standingOf(accountId: string): Promise<{ level: Level; evidence: Evidence[] }>
  /** An account, its session of that id and its level, all of one moment; `undefined` for an unknown account. */
  findStanding(accountId: string, sessionId: string | undefined): Promise<{ account: Account; session: SignInSession | undefined; level: Level } | undefined>
  /** Records what a proof is worth by the policy table, in the caller's transaction; `undefined` when it is worth nothing. */
  add(tx: Sql, evidence: NewEvidence): Promise<Evidence | undefined>
  /** Withdraws one piece at once: the level falls with the next request. False when it no longer stood. */
  withdraw(tx: Sql, item: { id: string; accountId: string; reason: string; actor: AuditActor }): Promise<boolean>
  /** Withdraws everything that a face check or another remote proof gave, e.g. after "não fui eu"; returns how many. */
  withdrawRemote(tx: Sql, item: { personId: string; accountId: string; since: Date; reason: string; actor: AuditActor }): Promise<number>
  /** Withdraws what rests on these images, which are not the person's, and everything that a counter attested without one. Returns how many. */
  withdrawOfImages(tx: Sql, item: { personId: string; accountId: string; imageIds: readonly string[]; reason: string; actor: AuditActor }): Promise<number>
  /** Withdraws what rests on this one image and nothing else; returns what it took. */
  withdrawOfImage(tx: Sql, item: { personId: string; accountId: string; imageId: string; reason: string; actor: AuditActor }): Promise<Evidence[]>
  /** Withdraws all that stands for an account, which closes: whoever opens it again proves everything again. Returns how many. */
  withdrawAll(tx: Sql, item: { personId: string; accountId: string; reason: string; actor: AuditActor }): Promise<number>
  /** Answers "por que sou prata?". */
  explain(accountId: string, circumstances: Circumstances): Promise<Explanation>
}

export interface AssuranceDependencies {
  readonly db: Database
  readonly audit: Audit
  readonly clock: Clock
  readonly demo: boolean
  /** Told in the transaction of every withdrawal: what rested on the level may have to end. */
  readonly levelMayFall?: ((tx: Sql, accountId: string) => Promise<void>) | undefined
}

/** Builds the room: evidence in, level out. */
export function createAssurance({ db, audit, clock, demo, levelMayFall }: AssuranceDependencies): Assurance {
  async function standingOf(accountId: string): Promise<{ level: Level; evidence: Evidence[] }> {
    const evidence = await listEvidenceOfAccount(db, accountId)
    return { level: levelAt(evidence, clock.now()), evidence }
  }

  async function add(tx: Sql, proof: NewEvidence): Promise<Evidence | undefined> {
    const row = findPolicyRow(proof, { demo })
    if (row === undefined) return undefined
    const obtainedAt = proof.obtainedAt ?? clock.now()
    const item: Evidence = {
      id: randomUUID(),
      personId: proof.personId,
      method: proof.method,
      source: proof.source,
      grants: row.grants,
      obtainedAt,
      expiresAt: proof.endsAt ?? (row.validityDays === undefined ? undefined : new Date(obtainedAt.getTime() + row.validityDays * DAY_MS)),
      livenessClass: proof.livenessClass,
      imageId: proof.imageId,
      location: proof.location,
    }
    await insertEvidence(tx, item, { policyRow: row.id, ...proof.details })
    await audit.record(tx, {
      type: 'assurance/evidence-added',
      actor: proof.actor,
      subject: proof.accountId,
      data: {
        evidenceId: item.id, method: item.method, grants: item.grants, policyRow: row.id,
        ...(item.livenessClass && { livenessClass: item.livenessClass }), ...(item.imageId && { imageId: item.imageId }),
      },
    })
    return item
  }

  async function withdraw(tx: Sql, { id, accountId, reason, actor }: { id: string; accountId: string; reason: string; actor: AuditActor }): Promise<boolean> {
    if (!(await withdrawEvidence(tx, id, reason, clock.now()))) return false
    await audit.record(tx, { type: 'assurance/evidence-withdrawn', actor, subject: accountId, data: { evidenceId: id, reason } })
    await levelMayFall?.(tx, accountId)
    return true
  }

  return {
    levelOf: async (accountId) => (await standingOf(accountId)).level,
    standingOf,
    async findStanding(text, sessionId) {
      const accountId = parseAccountId(text)
      const found = accountId && (await findStanding(db, accountId, sessionId, clock.now()))
      return found && { account: found.account, session: found.session, level: highestOf(found.grants) }
    },
    add,
    withdraw,
    async withdrawRemote(tx, { personId, since, ...rest }) {
      const remote = (await listEvidence(tx, personId)).filter((item) => item.method === 'face-match' && item.obtainedAt >= since)
      const done = await Promise.all(remote.map((item) => withdraw(tx, { id: item.id, ...rest })))
      return done.filter(Boolean).length
    },
    async withdrawOfImages(tx, { personId, imageIds, ...rest }) {
      let done = 0
      for (const { id, method, imageId } of await listEvidence(tx, personId)) {
        const isTouched = imageId === undefined ? method === 'attended' : imageIds.includes(imageId)
        if (isTouched && (await withdraw(tx, { id, ...rest }))) done += 1
      }
      return done
    },
    async withdrawOfImage(tx, { personId, imageId, ...rest }) {
      const done: Evidence[] = []
      for (const item of await listEvidence(tx, personId)) if (item.imageId === imageId && (await withdraw(tx, { id: item.id, ...rest }))) done.push(item)
      return done
    },
    async withdrawAll(tx, { personId, ...rest }) {
      const done: boolean[] = []
      for (const { id } of await listEvidence(tx, personId)) done.push(await withdraw(tx, { id, ...rest }))
      return done.filter(Boolean).length
    },
    explain: async (accountId, circumstances) => explainLevel(await listEvidenceOfAccount(db, accountId), circumstances, clock.now()),
  }
}
