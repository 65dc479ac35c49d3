/** Names and numbers in certificates of people: where ICP-Brasil's readers look for them, and no more than they need. */
import { type Der, explicit, octets, oid } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import type { Subject } from './certificate.ts'

/** Who a certificate is for. Birth date, NIS, RG, voter's card and CEI are never told: their places are zeros (LGPD). */
export interface CertifiedPerson {
  /** Social name where there is one. */
  readonly name: string
  readonly cpf: string
  /** Tells namesakes apart; a number of ours that says nothing. */
  readonly number: string
  readonly as?:
    | { readonly kind: 'representative'; readonly cnpj: string; readonly company: string }
    | { readonly kind: 'servant'; readonly register: string; readonly agency: string; readonly post: string }
    | undefined
}

/** RFC 5280 allows 64 characters (ub-common-name). */
const LONGEST_NAME = 64
const UNIT = 'Assinatura eletronica avancada'

/** Subject of a person's certificate; the CPF stands in the alternative names alone, where readers need it and people do not see it. */
export function subjectOf({ name, number, as }: CertifiedPerson, authority: { readonly organization: string; readonly demo: boolean }): Subject {
  const commonName = [...(authority.demo ? `${name} SEM VALOR` : name)].slice(0, LONGEST_NAME).join('')
  const named = { commonName, unit: UNIT, serialNumber: number }
  if (as?.kind === 'servant') return { ...named, organization: clip(as.agency), title: clip(as.post) }
  return { ...named, organization: as ? clip(as.company) : authority.organization }
}

const clip = (text: string) => [...text].slice(0, LONGEST_NAME).join('')
const zeros = (count: number) => '0'.repeat(count)
/** GeneralName [0] IMPLICIT OtherName { type-id, [0] EXPLICIT value }. */
const otherName = (type: string, text: string): Der => explicit(0, oid(type), explicit(0, octets(Buffer.from(text, 'latin1'))))

/** Birth date (8), CPF (11), NIS (11), RG (15); without an RG its issuer is left out. */
const holder = (cpf: string) => `${zeros(8)}${cpf}${zeros(11)}${zeros(15)}`

/** GeneralNames by DOC-ICP-04; those of a company name its representative first. */
export function altNamesOf({ cpf, as }: CertifiedPerson): readonly Der[] {
  if (as?.kind === 'representative') {
    return [
      otherName(OID.icpCompanyResponsible, holder(cpf)),
      otherName(OID.icpCnpj, as.cnpj),
      otherName(OID.icpCompanyCei, zeros(12)),
    ]
  }
  return [
    otherName(OID.icpPerson, holder(cpf)),
    otherName(OID.icpPersonCei, zeros(12)),
    otherName(OID.icpVoter, zeros(19)),
    ...(as?.kind === 'servant' ? [otherName(OID.icpServant, as.register.padStart(10, '0'))] : []),
  ]
}
