import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, importJWK } from 'jose'
import type { Audit, AuditActor } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import { Problem } from '../../../platform/problem.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import { type CapturePoint, type NewPoint, type PointFacts, type PointKey, type PointMove, type PointState, stateAfter } from './point.ts'
import { enterState, findPointByCode, insertPoint, selectPoints, updateKey, updatePoint } from './point.store.ts'

/** The register of capture points; every change is audited. */
export interface Points {
  /** @throws {Problem} points/code-taken */
  add(point: NewPoint, actor: AuditActor): Promise<CapturePoint>
  /** What is not said stays. @throws {Problem} points/point-unknown */
  change(code: string, facts: Partial<PointFacts>, actor: AuditActor): Promise<CapturePoint>
  /** From now on batches must be signed with this key; what the one before signed is refused. @throws {Problem} points/key-refused */
  setKey(code: string, jwk: unknown, actor: AuditActor): Promise<CapturePoint>
  /** @throws {Problem} points/point-unknown, points/state-forbids */
  move(code: string, move: PointMove, actor: AuditActor): Promise<CapturePoint>
  /** @throws {Problem} points/point-unknown */
  get(code: string): Promise<CapturePoint>
  list(): Promise<CapturePoint[]>
}

export interface PointsDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
}

export function createPoints({ db, clock, audit }: PointsDependencies): Points {
  const locked = async (tx: Sql, code: string) => (await findPointByCode(tx, code, true)) ?? unknown()
  async function enter(tx: Sql, pointId: string, state: PointState, actor: AuditActor): Promise<void> {
    const at = clock.now()
    const seq = await enterState(tx, pointId, state, at)
    await audit.record(tx, { type: 'biometrics/point-state-changed', actor, data: { pointId, seq, state, atMs: at.getTime() } })
  }

  return {
    add: (facts, actor) =>
      db.transaction(async (tx) => {
        const now = clock.now()
        const point: CapturePoint = { ...facts, id: randomUUID(), state: 'active', key: undefined, keyId: undefined, createdAt: now, changedAt: now }
        await insertPoint(tx, point)
        const { id: pointId, code: pointCode, unitCode, contract, vouched } = point
        await audit.record(tx, { type: 'biometrics/point-added', actor, clientId: point.clientId, data: { pointId, pointCode, unitCode, contract, vouched } })
        await enter(tx, pointId, 'active', actor)
        return point
      }),
    change: (code, facts, actor) =>
      db.transaction(async (tx) => {
        const before = await locked(tx, code)
        const after = { ...before, ...facts, changedAt: clock.now() }
        await updatePoint(tx, before.id, after, after.changedAt)
        const members = Object.keys(facts).sort()
        await audit.record(tx, { type: 'biometrics/point-changed', actor, clientId: after.clientId, data: { pointId: before.id, members, vouched: after.vouched } })
        return after
      }),
    async setKey(code, jwk, actor) {
      const key = await readKey(jwk)
      const keyId = await calculateJwkThumbprint(key)
      return db.transaction(async (tx) => {
        const point = await locked(tx, code)
        if (point.state === 'retired') throw new Problem(POINT_PROBLEMS.stateForbids)
        await updateKey(tx, point.id, key, keyId, clock.now())
        await audit.record(tx, { type: 'biometrics/point-key-set', actor, data: { pointId: point.id, keyId } })
        return { ...point, key, keyId }
      })
    },
    move: (code, move, actor) =>
      db.transaction(async (tx) => {
        const point = await locked(tx, code)
        const state = stateAfter(point.state, move)
        if (state === undefined) throw new Problem(POINT_PROBLEMS.stateForbids, { detail: `${point.state}: ${move}` })
        await enter(tx, point.id, state, actor)
        return { ...point, state }
      }),
    get: async (code) => (await findPointByCode(db, code)) ?? unknown(),
    list: () => selectPoints(db),
  }
}

function unknown(): never {
  throw new Problem(POINT_PROBLEMS.pointUnknown)
}

/** Only what makes the key; a private member is a mistake that is refused, never stored. */
async function readKey(jwk: unknown): Promise<PointKey> {
  const refuse = (detail: string, cause?: unknown) => new Problem(POINT_PROBLEMS.keyRefused, { detail, cause })
  if (typeof jwk !== 'object' || jwk === null) throw refuse('a JSON Web Key is expected')
  const members = new Map<string, unknown>(Object.entries(jwk))
  if (members.has('d')) throw refuse('the key is private: whoever sent it must make another')
  const [kty, crv, x, y] = ['kty', 'crv', 'x', 'y'].map((name) => members.get(name))
  if (kty !== 'EC' || crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string') throw refuse('kty EC and crv P-256 are expected')
  try {
    await importJWK({ kty, crv, x, y }, 'ES256')
  } catch (cause) {
    throw refuse('not a point of the curve', cause)
  }
  return { kty, crv, x, y }
}
