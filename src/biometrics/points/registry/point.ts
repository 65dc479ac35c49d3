/** States of a capture point; stored, never renamed. */
export const POINT_STATES = ['active', 'suspended', 'retired'] as const
export type PointState = (typeof POINT_STATES)[number]

/** What operators do to a point, and from where to where it leads; anything that is not here is refused. */
export const POINT_MOVES = {
  suspend: { from: ['active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  retire: { from: ['active', 'suspended'], to: 'retired' },
} as const satisfies Record<string, { readonly from: readonly PointState[]; readonly to: PointState }>
export type PointMove = keyof typeof POINT_MOVES

/** The state after a move, or nothing when the table does not know it. */
export function stateAfter(state: PointState, move: PointMove): PointState | undefined {
  const { from, to } = POINT_MOVES[move]
  return from.some((each) => each === state) ? to : undefined
}

/** The moves that lead out of a state, in the table's order. */
export function movesFrom(state: PointState): PointMove[] {
  return (Object.keys(POINT_MOVES) as PointMove[]).filter((move) => stateAfter(state, move) !== undefined)
}

/** Codes of points, units and contracts: short, typed by people, part of addresses. */
export const CODE = /^[a-z0-9]+(-[a-z0-9]+)*$/
export const MOST_CODE = 40

/** A public key for ES256, as a JSON Web Key. */
export interface PointKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}

/** What an operator writes down about a point. */
export interface PointFacts {
  /** The help desk's unit that it belongs to. */
  readonly unitCode: string
  readonly title: string
  readonly device: string
  /** Who repairs it, as the contract says. */
  readonly maintainer: string
  /** The relying party whose software captures there; nobody else may send for it. */
  readonly clientId: string
  /**
   * The state stands by the faces captured here: they become references to compare with. Decided by an operator, off by default: whoever
   * runs the software could otherwise put their own face on anybody's CPF.
   */
  readonly vouched: boolean
}

export interface NewPoint extends PointFacts {
  readonly code: string
  readonly contract: string
}

export interface CapturePoint extends NewPoint {
  readonly id: string
  /** Of the key that signs offline batches: its RFC 7638 thumbprint. */
  readonly keyId: string | undefined
  readonly key: PointKey | undefined
  readonly state: PointState
  readonly createdAt: Date
  readonly changedAt: Date
}

/** One state of a point, from when. */
export interface PointSpell {
  readonly pointId: string
  readonly state: PointState
  readonly at: Date
}
