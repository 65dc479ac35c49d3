/** Whose an ICP-Brasil certificate is, as DOC-ICP-04 writes it: numbers in alternative names, the name in the common name. */
import { type Cpf, isSameName, parseCpf } from '../../accounts/index.ts'
import { OID } from '../asn1/oids.ts'
import { type DerNode, oidText } from '../asn1/reader.ts'
import type { ParsedCertificate } from '../authority/certificate.ts'
import { nameIn } from '../verification/signer.ts'

export interface PersonHolder {
  readonly cpf: Cpf
  readonly name: string
  /** The common name is as long as it may be, so the name may end early (RFC 5280: 64 characters). */
  readonly isCut: boolean
}

const LONGEST_COMMON_NAME = 64

/** Birth date (8), CPF (11), and then NIS, RG and its issuer, which nobody here needs. */
const HOLDER = /^\d{8}(\d{11})/
const OTHER_NAME = 0xa0
const TEXTS = new Set([0x04, 0x0c, 0x13, 0x16])
/** e-CNPJ and certificates of equipment name a company, with or without its responsible person. */
const OF_COMPANIES: readonly string[] = [OID.icpCompanyResponsibleName, OID.icpCnpj, OID.icpCompanyResponsible, OID.icpCompanyCei]

/**
 * The person whom the certificate names; undefined for a company's, a machine's, and one that says two things.
 *
 * @throws {NotDer}
 */
export function holderOf(certificate: ParsedCertificate): PersonHolder | undefined {
  const names = otherNamesOf(certificate)
  const own = names.filter(({ type }) => type === OID.icpPerson)
  if (own.length !== 1 || names.some(({ type }) => OF_COMPANIES.includes(type))) return undefined
  const cpf = parseCpf(HOLDER.exec(own[0]?.text ?? '')?.[1] ?? '')
  // `NOME DA PESSOA:52998224725`; some authorities leave the number out.
  const commonName = nameIn(certificate, 'CN') ?? ''
  const [name = '', number, ...more] = commonName.split(':')
  if (cpf === undefined || name.trim() === '' || more.length > 0) return undefined
  return number === undefined || number.trim() === cpf ? { cpf, name: name.trim(), isCut: [...commonName].length >= LONGEST_COMMON_NAME } : undefined
}

/** Whether the certificate names this person; a name that was cut is compared as far as it goes. */
export function isNamed({ name, isCut }: PersonHolder, civilName: string): boolean {
  return isSameName(name, civilName) || (isCut && isSameName(name, civilName.normalize('NFC').slice(0, name.normalize('NFC').length)))
}

function otherNamesOf(certificate: ParsedCertificate): { type: string; text: string }[] {
  const names = certificate.extension(OID.subjectAltName)?.value.children() ?? []
  return names.filter(({ tag }) => tag === OTHER_NAME).flatMap((name) => {
    const [type, wrapped] = name.children()
    if (type?.tag !== 0x06 || wrapped?.tag !== OTHER_NAME) return []
    return [{ type: oidText(type), text: textOf(wrapped.children()[0]) }]
  })
}

const textOf = (value: DerNode | undefined): string => (value && TEXTS.has(value.tag) ? value.content.toString('latin1') : '')
