/** Which signed attributes a citizen's key signs: what CAdES and PAdES need, and nothing that could say more than was agreed. */
import type { Der } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, NotDer, oidText, readDer } from '../asn1/reader.ts'
import { representationAttribute } from '../cms/representation.ts'
import type { Signatory } from './activation.ts'

const NEEDED: readonly string[] = [OID.contentType, OID.messageDigest, OID.signingCertificateV2]
const ALLOWED: ReadonlySet<string> = new Set([...NEEDED, OID.signingTime, OID.signaturePolicy, OID.commitmentType, OID.mimeType])

/** The attributes that a signature must carry beside those of CAdES; none for who signs for themself. */
export function attributesOf(who: Signatory): readonly Der[] {
  return who.kind === 'self' ? [] : [representationAttribute(who)]
}

/** Digest of the one document that signed attributes (DER, SET OF) are about, as this signatory. @throws {NotDer} for anything more, or less. */
export function digestOf(bytes: Buffer, who: Signatory): string {
  const whole = readDer(bytes)
  if (whole.tag !== 0x31) throw new NotDer('no set of attributes')
  const attributes = whole.children().map((node) => ({ type: oidText(child(node, 0, 0x06)), node }))
  const types = attributes.map(({ type }) => type)
  if (new Set(types).size !== types.length || NEEDED.some((type) => !types.includes(type))) throw new NotDer('an attribute is missing, or there twice')
  const carried = attributes.filter(({ type }) => !ALLOWED.has(type)).map(({ node }) => node.raw)
  const wanted = attributesOf(who)
  if (carried.length !== wanted.length || !wanted.every((one) => carried.some((other) => other.equals(one)))) throw new NotDer('another representation')
  const values = attributes.filter(({ type }) => type === OID.messageDigest).map(({ node }) => child(node, 1, 0x31))
  if (values[0]?.children().length !== 1) throw new NotDer('one digest is expected')
  return child(values[0], 0, 0x04).content.toString('hex')
}
