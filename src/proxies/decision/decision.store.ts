import { type Level, LEVELS } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Day } from '../mandate/day.ts'
import type { MandateId } from '../mandate/mandate.ts'
import type { MandateState } from '../mandate/transition.ts'
import type { PartyKind, Standing } from '../party/party.ts'
import type { MandateKind, Power } from '../role/role.ts'
import type { Candidate, Link } from './judge.ts'

/** A mandate that might permit, with its chain and everything that a decision depends on, all of one moment. */
export interface Found extends Candidate {
  readonly mandateId: MandateId
  readonly rootId: MandateId
  readonly representedId: string
  readonly representedKind: PartyKind
  readonly delegateDocument: string
  readonly joint: { readonly groupId: string; readonly quorum: number } | undefined
  readonly version: number
  /** The oldest answer of a register that it rests on. */
  readonly oldestStanding: Date
}

interface FoundRow {
  id: string
  kind: MandateKind
  origin: string
  root_id: string
  represented_id: string
  represented_kind: PartyKind
  delegate_document: string
  group_id: string | null
  quorum: number | null
  version: number
  grants: string[]
  links: LinkRow[]
}

interface LinkRow {
  id: string
  parent: string | null
  state: MandateState
  represented: string
  grantor: string
  delegate: string
  sub: number
  from: string
  through: string | null
  effective: string
  instance: string | null
  power: boolean
  standings: Standing[]
  checked: string
  /** Of a person who passed it on; of the first link the candidate has them. */
  grants: string[] | null
}

/** Levels of a person's live evidence, as `evidenceState` says. */
const grantsOf = (party: string) => `ARRAY(SELECT e.grants FROM person q JOIN evidence e ON e.person_id = q.id WHERE q.cpf = ${party}.document
  AND (e.withdrawn_at IS NULL OR e.withdrawn_at > $5) AND (e.expires_at IS NULL OR e.expires_at > $5))`

/** One link as JSON, of a mandate with the parties that gave and hold it. */
const linkOf = ({ a, g, t, power, grants }: Readonly<Record<'a' | 'g' | 't' | 'power' | 'grants', string>>) =>
  `jsonb_build_object('id', ${a}.id, 'parent', ${a}.parent_id, 'state', ${a}.state, 'represented', ${a}.represented_id, 'grantor', ${a}.grantor_id,
    'delegate', ${a}.delegate_id, 'sub', ${a}.sub_depth, 'from', ${a}.valid_from, 'through', ${a}.valid_through, 'effective', ${a}.effective_at, 'instance', ${a}.instance,
    'power', ${power}, 'standings', jsonb_build_array(${g}.standing, ${t}.standing), 'checked', least(${g}.standing_at, ${t}.standing_at), 'grants', ${grants})`

/** Of a chain that is one link everything was read already; it is only longer chains that are looked up. */
const LINKS = `CASE WHEN m.parent_id IS NULL AND m.grantor_id = m.represented_id AND m.path = ARRAY[m.id]
    THEN jsonb_build_array(${linkOf({ a: 'm', g: 'r', t: 'd', power: 'true', grants: 'NULL' })})
    ELSE (SELECT jsonb_agg(${linkOf({
      a: 'a', g: 'g', t: 't',
      power: 'EXISTS (SELECT 1 FROM mandate_power v WHERE v.mandate_id = a.id AND v.namespace = w.namespace AND v.code = w.code AND v.version = w.version)',
      grants: `CASE WHEN a.parent_id IS NOT NULL AND g.kind = 'person' THEN ${grantsOf('g')} END`,
    })} ORDER BY array_length(a.path, 1))
      FROM mandate a JOIN proxy_party g ON g.id = a.grantor_id JOIN proxy_party t ON t.id = a.delegate_id WHERE a.id = ANY(m.path)) END`

const FIND = `SELECT m.id, m.kind, m.origin, m.root_id, m.represented_id, r.kind AS represented_kind, d.document AS delegate_document, m.group_id, m.quorum, w.version,
    ${grantsOf('r')} AS grants, ${LINKS} AS links
  FROM proxy_party r JOIN mandate m ON m.represented_id = r.id JOIN proxy_party d ON d.id = m.delegate_id
    JOIN mandate_power w ON w.mandate_id = m.id AND w.namespace = $3 AND w.code = $4
  WHERE r.document IN ($1, $6) AND d.document = ANY($2::text[]) ORDER BY m.state = 'active' DESC, m.created_at DESC LIMIT 50`

export interface Sought {
  /** One document, or an establishment's and its root's. */
  readonly represented: readonly string[]
  readonly delegates: readonly string[]
  readonly power: Pick<Power, 'namespace' | 'code'>
  readonly now: Date
}

/**
 * Every mandate between these parties that has the power, in one statement: a decision is one round trip.
 *
 * The documents of the represented are values and no array: of an array PostgreSQL expects ten, holds the prepared plan for dearer than
 * planning anew, and then plans at every call, which takes four times as long as the statement itself.
 */
export async function findCandidates(sql: Sql, { represented, delegates, power, now }: Sought): Promise<Found[]> {
  const [document = '', root = document] = represented
  const rows = await sql.query<FoundRow>(FIND, [document, [...delegates], power.namespace, power.code, now, root])
  return rows.map(toFound)
}

/** Keeps the trees of these mandates as they are until the end of the transaction: a revocation waits, or has come before. */
export async function holdTrees(tx: Sql, { represented, delegates }: Sought): Promise<void> {
  await tx.query(
    `SELECT 1 FROM mandate WHERE id IN (SELECT m.root_id FROM proxy_party r JOIN mandate m ON m.represented_id = r.id JOIN proxy_party d ON d.id = m.delegate_id
       WHERE r.document = ANY($1::text[]) AND d.document = ANY($2::text[])) ORDER BY id FOR SHARE`,
    [[...represented], [...delegates]],
  )
}

function toFound(row: FoundRow): Found {
  const links = row.links.map(toLink)
  return {
    mandateId: row.id as MandateId, rootId: row.root_id as MandateId, kind: row.kind, isEntered: row.origin !== 'local', representedId: row.represented_id, representedKind: row.represented_kind,
    delegateDocument: row.delegate_document,
    joint: row.group_id === null || row.quorum === null ? undefined : { groupId: row.group_id, quorum: row.quorum },
    version: row.version, links,
    grantorLevel: row.represented_kind === 'person' ? levelOf(row.grants) : undefined,
    oldestStanding: new Date(Math.min(...row.links.map(({ checked }) => Date.parse(checked)))),
  }
}

function levelOf(grants: readonly string[]): Level {
  return LEVELS.findLast((level) => grants.includes(level)) ?? 'bronze'
}

function toLink(row: LinkRow): Link {
  return {
    id: row.id, parentId: row.parent ?? undefined, state: row.state, representedId: row.represented, grantorId: row.grantor, delegateId: row.delegate,
    subDepth: row.sub, validFrom: row.from as Day, validThrough: (row.through ?? undefined) as Day | undefined, effectiveAt: new Date(row.effective),
    instance: row.instance ?? undefined, hasPower: row.power, standings: row.standings,
    grantorLevel: row.grants === null ? undefined : levelOf(row.grants),
  }
}
