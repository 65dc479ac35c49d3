/** As whose representative somebody signed: a signed attribute, so that nobody can add, change or drop it later. */
import { type Der, enumerated, int, seq, utf8 } from '../asn1/der.ts'
import { REPRESENTATION_OID } from '../asn1/oids.ts'
import { child, type DerNode, NotDer } from '../asn1/reader.ts'
import { attribute } from './signed-data.ts'

export const REPRESENTED_KINDS = ['person', 'company', 'organisation'] as const
export type RepresentedKind = (typeof REPRESENTED_KINDS)[number]

/** What the signature says; everybody who gets the document reads it, so no more of a person than must be. */
export interface Representation {
  /** The mandate's id; of a servant, that of the agency's permission. */
  readonly mandateId: string
  readonly represented: {
    readonly kind: RepresentedKind
    readonly name: string
    /** A company's number; a person's only masked; an agency's code. */
    readonly identifier: string
  }
  /** In the mandate's words: representative, administrator, attorney; of a servant the post. */
  readonly role: string
}

const VERSION = 1
const LONGEST = 200

/**
 * The attribute, for a draft's `attributes`.
 *
 * `Representation ::= SEQUENCE { version INTEGER (1), mandate UTF8String, represented SEQUENCE { kind ENUMERATED { person(0), company(1), organisation(2) },
 * name UTF8String, identifier UTF8String }, role UTF8String }`
 */
export function representationAttribute({ mandateId, represented, role }: Representation): Der {
  const party = seq(enumerated(REPRESENTED_KINDS.indexOf(represented.kind)), utf8(represented.name), utf8(represented.identifier))
  return attribute(REPRESENTATION_OID, seq(int(VERSION), utf8(mandateId), party, utf8(role)))
}

/** The value of such an attribute. @throws {NotDer} */
export function readRepresentation(value: DerNode): Representation {
  if (child(value, 0, 0x02).content.toString('hex') !== '01') throw new NotDer('another version')
  const party = child(value, 2, 0x30)
  const kind = REPRESENTED_KINDS[child(party, 0, 0x0a).content[0] ?? REPRESENTED_KINDS.length]
  if (!kind) throw new NotDer('another kind of party')
  return { mandateId: textOf(child(value, 1, 0x0c)), represented: { kind, name: textOf(child(party, 1, 0x0c)), identifier: textOf(child(party, 2, 0x0c)) }, role: textOf(child(value, 3, 0x0c)) }
}

/** Shown on pages: no characters that turn or hide what stands beside them. */
const textOf = ({ content }: DerNode): string => content.toString('utf8').replaceAll(/\p{C}/gu, '').slice(0, LONGEST)
