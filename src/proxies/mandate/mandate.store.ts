import type { Sql } from '../../platform/db.ts'
import type { PartyId } from '../party/party.ts'
import { type JsonParty, partyJson, toPartyOfJson } from '../party/party.store.ts'
import type { MandateKind, Power } from '../role/role.ts'
import type { Day } from './day.ts'
import type { Mandate, MandateEvent, MandateId } from './mandate.ts'
import type { Capacity, Change, MandateState } from './transition.ts'

interface MandateRow {
  id: string
  kind: MandateKind
  state: MandateState
  parent_id: string | null
  root_id: string
  path: string[]
  sub_depth: number
  group_id: string | null
  quorum: number | null
  instance: string | null
  valid_from: string
  valid_through: string | null
  effective_at: Date
  decide_by: Date | null
  signatures: number
  stopped_by: Capacity[]
  origin: string
  created_at: Date
  ended_at: Date | null
  powers: Power[]
  represented: JsonParty
  grantor: JsonParty
  delegate: JsonParty
}

const SELECT = `SELECT m.id, m.kind, m.state, m.parent_id, m.root_id, m.path::text[] AS path, m.sub_depth, m.group_id, m.quorum, m.instance, m.valid_from,
  m.valid_through, m.effective_at, m.decide_by, m.signatures, m.stopped_by, m.origin, m.created_at, m.ended_at,
  (SELECT jsonb_agg(jsonb_build_object('namespace', w.namespace, 'code', w.code, 'version', w.version) ORDER BY w.namespace, w.code)
     FROM mandate_power w WHERE w.mandate_id = m.id) AS powers,
  ${partyJson('r')} AS represented, ${partyJson('g')} AS grantor, ${partyJson('d')} AS delegate
  FROM mandate m JOIN proxy_party r ON r.id = m.represented_id JOIN proxy_party g ON g.id = m.grantor_id JOIN proxy_party d ON d.id = m.delegate_id`

function toMandate(row: MandateRow): Mandate {
  return {
    id: row.id as MandateId, kind: row.kind, state: row.state,
    represented: toPartyOfJson(row.represented), grantor: toPartyOfJson(row.grantor), delegate: toPartyOfJson(row.delegate),
    parentId: (row.parent_id ?? undefined) as MandateId | undefined, rootId: row.root_id as MandateId, path: row.path as MandateId[],
    subDepth: row.sub_depth,
    joint: row.group_id === null || row.quorum === null ? undefined : { groupId: row.group_id, quorum: row.quorum },
    instance: row.instance ?? undefined, powers: row.powers ?? [],
    validFrom: row.valid_from as Day, validThrough: (row.valid_through ?? undefined) as Day | undefined, effectiveAt: row.effective_at,
    decideBy: row.decide_by ?? undefined, signatures: row.signatures, stoppedBy: row.stopped_by, origin: row.origin,
    createdAt: row.created_at, endedAt: row.ended_at ?? undefined,
  }
}

export async function findMandate(sql: Sql, id: string): Promise<Mandate | undefined> {
  const [row] = await sql.query<MandateRow>(`${SELECT} WHERE m.id = $1`, [id])
  return row && toMandate(row)
}

/** Locks the tree that a mandate belongs to until the end of the transaction: changes of one tree follow one another. */
export async function lockTree(tx: Sql, id: string): Promise<Mandate | undefined> {
  const rows = await tx.query('SELECT 1 FROM mandate WHERE id = (SELECT root_id FROM mandate WHERE id = $1) FOR UPDATE', [id])
  return rows.length === 0 ? undefined : findMandate(tx, id)
}

export async function listPath(sql: Sql, path: readonly string[]): Promise<Mandate[]> {
  const rows = await sql.query<MandateRow>(`${SELECT} WHERE m.id = ANY($1::uuid[]) ORDER BY array_length(m.path, 1)`, [[...path]])
  return rows.map(toMandate)
}

/** Open mandates below one, the deepest last. */
export async function listBelow(sql: Sql, mandate: Mandate): Promise<Mandate[]> {
  const rows = await sql.query<MandateRow>(
    `${SELECT} WHERE m.root_id = $1 AND m.id <> $2 AND $2::uuid = ANY(m.path) AND m.ended_at IS NULL ORDER BY array_length(m.path, 1), m.id`,
    [mandate.rootId, mandate.id],
  )
  return rows.map(toMandate)
}

const MOST = 200

export interface SideFilter {
  readonly namespaces?: readonly string[]
  readonly state?: MandateState
  readonly delegates?: readonly string[] | undefined
  /** Who passed it on. */
  readonly grantors?: readonly string[] | undefined
}

/** Mandates in which these documents stand on one side: what is open before what is over, newest first. */
export async function listBySide(
  sql: Sql,
  side: 'given' | 'received',
  documents: readonly string[],
  { namespaces, state, delegates, grantors }: SideFilter = {},
): Promise<Mandate[]> {
  const sides = { given: '(r.document = ANY($1::text[]) OR g.document = ANY($1::text[]))', received: 'd.document = ANY($1::text[])' }
  const rows = await sql.query<MandateRow>(
    `${SELECT} WHERE ${sides[side]} AND ($2::text[] IS NULL OR EXISTS (SELECT 1 FROM mandate_power w WHERE w.mandate_id = m.id AND w.namespace = ANY($2::text[])))
       AND ($3::text IS NULL OR m.state = $3) AND ($4::text[] IS NULL OR d.document = ANY($4::text[]))
       AND ($5::text[] IS NULL OR (m.parent_id IS NOT NULL AND g.document = ANY($5::text[]))) ORDER BY m.ended_at IS NULL DESC, m.created_at DESC, m.id LIMIT ${MOST}`,
    [[...documents], namespaces ? [...namespaces] : null, state ?? null, delegates ? [...delegates] : null, grantors ? [...grantors] : null],
  )
  return rows.map(toMandate)
}

/** Names of whose hands are under the giving of mandates, by the mandate's id. */
export async function listSigners(sql: Sql, ids: readonly MandateId[]): Promise<Map<string, string[]>> {
  const rows = await sql.query<{ mandate_id: string; names: string[] }>(
    `SELECT s.mandate_id, array_agg(p.name ORDER BY s.at) AS names FROM mandate_signature s JOIN proxy_party p ON p.id = s.party_id
     WHERE s.mandate_id = ANY($1::uuid[]) AND s.step = 'granted' GROUP BY s.mandate_id`,
    [[...ids]],
  )
  return new Map(rows.map(({ mandate_id: id, names }) => [id, names]))
}

/** What an agency entered in these namespaces: drafts first, then the newest. */
export async function listEntered(sql: Sql, { clientId, namespaces }: { clientId: string; namespaces: readonly string[] }): Promise<Mandate[]> {
  const rows = await sql.query<MandateRow>(
    `${SELECT} WHERE m.origin = $1 AND m.origin <> 'local' AND EXISTS (SELECT 1 FROM mandate_power w WHERE w.mandate_id = m.id AND w.namespace = ANY($2::text[]))
     ORDER BY m.state = 'draft' DESC, m.ended_at IS NULL DESC, m.created_at DESC, m.id LIMIT ${MOST}`,
    [clientId, [...namespaces]],
  )
  return rows.map(toMandate)
}

/** Open mandates that one party has given to another. */
export async function countOpen(sql: Sql, { grantor, delegate }: { grantor: PartyId; delegate: PartyId }): Promise<number> {
  const [row] = await sql.query<{ count: number }>('SELECT count(*)::int AS count FROM mandate WHERE delegate_id = $1 AND grantor_id = $2 AND ended_at IS NULL', [delegate, grantor])
  return row?.count ?? 0
}

/** Mandates whose delegates may act only together. */
export async function listGroup(sql: Sql, groupId: string): Promise<Mandate[]> {
  const rows = await sql.query<MandateRow>(`${SELECT} WHERE m.group_id = $1 ORDER BY m.id`, [groupId])
  return rows.map(toMandate)
}

/** Ids of the groups of which these documents hold an active mandate. */
export async function listGroupsOf(sql: Sql, documents: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT DISTINCT m.group_id AS id FROM mandate m JOIN proxy_party d ON d.id = m.delegate_id
     WHERE d.document = ANY($1::text[]) AND m.group_id IS NOT NULL AND m.state = 'active' LIMIT ${MOST}`,
    [[...documents]],
  )
  return rows.map(({ id }) => id)
}

/** Open mandates in which a party stands on either side. */
export async function listOpenOf(sql: Sql, partyId: PartyId): Promise<Mandate[]> {
  const rows = await sql.query<MandateRow>(`${SELECT} WHERE $1::uuid IN (m.represented_id, m.grantor_id, m.delegate_id) AND m.ended_at IS NULL ORDER BY m.id`, [partyId])
  return rows.map(toMandate)
}

/** Ids of what the calendar ends: terms that are over, and what was never signed or accepted. */
export async function listDue(sql: Sql, today: Day, now: Date, limit: number): Promise<{ id: MandateId; change: 'expired' | 'lapsed' }[]> {
  return sql.query<{ id: MandateId; change: 'expired' | 'lapsed' }>(
    `(SELECT id, 'expired' AS change FROM mandate WHERE state IN ('active', 'suspended') AND valid_through < $1 LIMIT $3)
     UNION ALL (SELECT id, 'lapsed' FROM mandate WHERE state IN ('pending_signature', 'pending_acceptance') AND (decide_by <= $2 OR valid_through < $1) LIMIT $3)`,
    [today, now, limit],
  )
}

export interface NewMandate {
  readonly id: MandateId
  readonly kind: MandateKind
  readonly state: MandateState
  readonly parties: { readonly represented: PartyId; readonly grantor: PartyId; readonly delegate: PartyId }
  readonly parent: Pick<Mandate, 'id' | 'rootId' | 'path'> | undefined
  readonly subDepth: number
  readonly joint: Mandate['joint']
  readonly instance: string | undefined
  readonly powers: readonly Power[]
  readonly validFrom: Day
  readonly validThrough: Day | undefined
  readonly effectiveAt: Date
  readonly decideBy: Date | undefined
  readonly signatures: number
  readonly origin: string
  readonly originSealed: Buffer | undefined
  readonly createdBy: string | undefined
  readonly now: Date
}

export async function insertMandate(tx: Sql, made: NewMandate): Promise<void> {
  const { parties, parent } = made
  await tx.execute(
    `INSERT INTO mandate (id, kind, state, represented_id, grantor_id, delegate_id, parent_id, root_id, path, sub_depth, group_id, quorum, instance,
       valid_from, valid_through, effective_at, decide_by, signatures, origin, origin_sealed, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::uuid[], $10, $11, $12, $13, $14::date, $15::date, $16, $17, $18, $19, $20, $21, $22)`,
    [
      made.id, made.kind, made.state, parties.represented, parties.grantor, parties.delegate, parent?.id ?? null, parent?.rootId ?? made.id,
      [...(parent?.path ?? []), made.id], made.subDepth, made.joint?.groupId ?? null, made.joint?.quorum ?? null, made.instance ?? null,
      made.validFrom, made.validThrough ?? null, made.effectiveAt, made.decideBy ?? null, made.signatures, made.origin, made.originSealed ?? null,
      made.createdBy ?? null, made.now,
    ],
  )
  for (const { namespace, code, version } of made.powers) {
    await tx.execute('INSERT INTO mandate_power (mandate_id, namespace, code, version) VALUES ($1, $2, $3, $4)', [made.id, namespace, code, version])
  }
}

export interface StateChange {
  readonly from: MandateState
  readonly to: MandateState
  /** With `active`: when it begins to count. */
  readonly effectiveAt?: Date | undefined
  /** Who stops it from then on, the highest first. */
  readonly stoppedBy?: readonly Capacity[] | undefined
  readonly endedAt?: Date | undefined
}

/** Moves a mandate on if it is still where the caller saw it; false when it is not. */
export async function changeState(tx: Sql, id: MandateId, change: StateChange): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE mandate SET state = $3, effective_at = coalesce($4, effective_at), stopped_by = $5::text[], suspended_by = $6, ended_at = $7 WHERE id = $1 AND state = $2`,
    [id, change.from, change.to, change.effectiveAt ?? null, [...(change.stoppedBy ?? [])], change.stoppedBy?.[0] ?? null, change.endedAt ?? null],
  )
  return changed === 1
}

/** What administrators of a company that they bind only together sign for; stored, so names only ever grow. */
export type HandStep = 'granted' | 'accepted' | 'resumed'

/** Adds one hand to a step; who signs again signs anew. */
export async function addHand(tx: Sql, id: MandateId, step: HandStep, { partyId, at }: { partyId: PartyId; at: Date }): Promise<void> {
  await tx.execute(
    'INSERT INTO mandate_signature (mandate_id, step, party_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT (mandate_id, step, party_id) DO UPDATE SET at = excluded.at',
    [id, step, partyId, at],
  )
}

export async function deleteHands(tx: Sql, id: MandateId, step: HandStep): Promise<void> {
  await tx.execute('DELETE FROM mandate_signature WHERE mandate_id = $1 AND step = $2', [id, step])
}

/** Hands since a moment by people whom the company register names now as binding a company. */
export async function countHands(tx: Sql, id: MandateId, step: HandStep, { companyId, since }: { companyId: PartyId; since: Date }): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM mandate_signature s JOIN proxy_party g ON g.id = $3
       JOIN proxy_party p ON p.id = s.party_id JOIN company_administrator c ON c.cpf = p.document AND c.root = left(g.document, 8)
     WHERE s.mandate_id = $1 AND s.step = $2 AND s.at > $4`,
    [id, step, companyId, since],
  )
  return row?.count ?? 0
}

export async function insertMandateEvent(
  tx: Sql,
  event: { mandateId: MandateId; type: Change | 'granted' | 'entered' | 'hand-added'; actor: { kind: string; id?: string | undefined }; reason?: string | undefined; at: Date },
): Promise<void> {
  await tx.execute('INSERT INTO mandate_event (mandate_id, type, actor_kind, actor_id, reason, at) VALUES ($1, $2, $3, $4, $5, $6)', [
    event.mandateId, event.type, event.actor.kind, event.actor.id ?? null, event.reason ?? null, event.at,
  ])
}

/** Who of an agency changed a mandate, and on what that rests: sealed. */
export async function insertAuthorityStep(tx: Sql, step: { mandateId: MandateId; change: Change; clientId: string; officialSealed: Buffer; at: Date }): Promise<void> {
  await tx.execute('INSERT INTO mandate_authority_step (mandate_id, change, client_id, official_sealed, at) VALUES ($1, $2, $3, $4, $5)', [
    step.mandateId, step.change, step.clientId, step.officialSealed, step.at,
  ])
}

/** What an agency rests a mandate on, sealed. */
export async function findOrigin(sql: Sql, id: MandateId): Promise<Buffer | undefined> {
  const [row] = await sql.query<{ origin_sealed: Buffer | null }>('SELECT origin_sealed FROM mandate WHERE id = $1', [id])
  return row?.origin_sealed ?? undefined
}

/** What became of a mandate, oldest first. */
export async function listMandateEvents(sql: Sql, id: MandateId): Promise<MandateEvent[]> {
  const rows = await sql.query<{ type: string; actor_kind: string; actor_id: string | null; reason: string | null; at: Date }>(
    'SELECT type, actor_kind, actor_id, reason, at FROM mandate_event WHERE mandate_id = $1 ORDER BY id',
    [id],
  )
  return rows.map((row) => ({ type: row.type, actor: { kind: row.actor_kind, id: row.actor_id ?? undefined }, reason: row.reason ?? undefined, at: row.at }))
}
