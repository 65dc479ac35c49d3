import type { JsonObject } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import type { Representation, RepresentedParty } from '../ports.ts'

/** Claims that say for whom a person acts; no relying party gets one that did not register for representation. */
export const REPRESENTATION_CLAIMS = ['representation', 'agent', 'grantor_account', 'representee', 'representee_list', 'act', 'authority'] as const

/** Scope under which the document of the represented party is told in full. */
export const REPRESENTATION_SCOPE = 'representacao'
/** The Estonian login's scopes: the switch of person by refresh, and the list of whom one may switch to. */
export const SWITCH_SCOPE = 'representee.*'
export const LIST_SCOPE = 'representee_list'

/** How a relying party knows a person or company. */
export type SubjectOf = (party: Pick<RepresentedParty, 'partyId' | 'accountId'>) => Promise<string>

/** The claims of an ID token or userinfo, in the shape that the relying party registered. */
export async function representationClaims(
  { delegationClaims }: Pick<ClientPolicy, 'delegationClaims'>,
  representation: Representation,
  { scopes, subjectOf }: { scopes: ReadonlySet<string>; subjectOf: SubjectOf },
): Promise<JsonObject> {
  if (delegationClaims === 'govbr') return { agent: true, grantor_account: representation.represented.document }
  if (delegationClaims === 'representee') return { representee: representee(representation) }
  const { mandateId, id, kind, represented, powers, validFrom, validThrough, quorum } = representation
  return {
    representation: {
      mandate_id: mandateId ?? id,
      kind,
      represented: { type: represented.type, sub: await subjectOf(represented), name: represented.name, ...documentOf(represented, scopes.has(REPRESENTATION_SCOPE)) },
      powers: [...powers],
      ...(validFrom && { valid_from: validFrom }),
      ...(validThrough && { valid_through: validThrough }),
      joint: quorum === undefined ? null : { mode: 'CONJUNTA', quorum },
    },
  }
}

function documentOf({ type, document }: RepresentedParty, isFull: boolean): JsonObject {
  return { [type === 'PF' ? 'cpf' : 'cnpj']: isFull ? document : masked(document) }
}

/** The middle only, as documents are shown to third parties. */
function masked(document: string): string {
  return document.replace(/^(.{3})(.*)(.{2})$/, (_all, start: string, middle: string, end: string) => '*'.repeat(start.length) + middle + '*'.repeat(end.length))
}

/** Estonia's `representee`: the identifier carries its country, as theirs does. */
export function representee({ represented, powers }: Pick<Representation, 'represented' | 'powers'>): JsonObject {
  return { ...representeeParty(represented), mandates: powers.map((role) => ({ role })) }
}

function representeeParty({ type, document, name }: RepresentedParty): JsonObject {
  const sub = `BR${document}`
  if (type === 'PJ') return { type: 'LEGAL_PERSON', sub, name }
  const [given = name, ...family] = name.split(' ')
  return { type: 'NATURAL_PERSON', sub, given_name: given, family_name: family.join(' ') }
}

/** Everybody that a person may switch to, each once. */
export function representeeList(representations: readonly Representation[]): JsonObject {
  const parties = new Map(representations.map(({ represented }) => [represented.partyId, representeeParty(represented)]))
  return { status: 'REPRESENTEE_LIST_CURRENT', list: [...parties.values()] }
}

/** `authority` of OpenID Connect Authority: whom the power applies to, what it permits, who granted it. */
export function authority(representation: Representation, audience: string): JsonObject[] {
  const { represented, powers, validFrom, validThrough, mayDelegate, mandateId } = representation
  const validity = { ...(validFrom && { start: validFrom }), ...(validThrough && { end: validThrough }) }
  return [
    {
      applies_to: appliesTo(represented),
      permission: powers.map((role) => ({ role, ...(validFrom && { validity }), audience, may_delegate: mayDelegate })),
      granted_by: { method: mandateId === undefined ? 'appointed' : 'delegated', granting_body: represented.name },
    },
  ]
}

function appliesTo({ type, name, document, birthDate }: RepresentedParty): JsonObject {
  if (type === 'PF') return { name, ...(birthDate && { birthdate: birthDate }) }
  return {
    organization_name: name,
    registration_number: document,
    legal_jurisdiction: 'BR',
    organization_identifiers: [{ identifier_type: 'CNPJ', identifier: document, issuer: 'Receita Federal do Brasil' }],
  }
}

/** What an access token says of it, to whoever introspects it or, as a JWT, reads it. */
export async function tokenRepresentation(
  policy: Pick<ClientPolicy, 'delegationClaims'>,
  representation: Representation,
  { hasAudience, subjectOf, actor }: { hasAudience: boolean; subjectOf: SubjectOf; actor: string },
): Promise<JsonObject> {
  const bound = { mandate_id: representation.id, may_act: { sub: actor } }
  if (!hasAudience) return bound
  return { ...bound, ...(await representationClaims(policy, representation, { scopes: new Set(), subjectOf })) }
}
