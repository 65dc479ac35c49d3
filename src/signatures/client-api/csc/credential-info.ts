import { X509Certificate } from 'node:crypto'
import { MOST_DOCUMENTS } from '../../activation/activation.ts'
import type { Credential } from '../../credentials/credential.ts'
import { AUTH_OBJECT, SIGN_ALGORITHMS } from './contract.ts'

const P_256 = '1.2.840.10045.3.1.7'
const STATUS = { active: 'valid', suspended: 'suspended', revoked: 'revoked', expired: 'expired', replaced: 'revoked' } as const

interface Shown {
  /** Whether the client may ask in the citizen's area. */
  readonly isExplicit: boolean
  readonly certificates: 'none' | 'single' | 'chain'
  readonly certInfo: boolean
  readonly authInfo: boolean
}

const EXPLICIT = {
  mode: 'explicit', expression: AUTH_OBJECT,
  objects: [{ type: 'ChallengeResponseOOB', id: AUTH_OBJECT, label: 'Confirmar no MT Login', description: 'Abra MT Login, Pedidos de assinatura, e compare o número' }],
}

/** A certificate as CSC v2 describes it (`credentials/info`). */
export function credentialInfo({ keyKind, state, certificates, notBefore, notAfter, serial }: Credential, { certificates: which, certInfo, authInfo, isExplicit }: Shown): object {
  const isEc = keyKind === 'P-256'
  const certificate = new X509Certificate(certificates[0])
  const sent = which === 'none' ? [] : which === 'single' ? certificates.slice(0, 1) : certificates
  return {
    key: { status: state === 'active' ? 'enabled' : 'disabled', algo: [SIGN_ALGORITHMS[isEc ? 'ec' : 'rsa']], len: isEc ? 256 : (certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? 2048), ...(isEc && { curve: P_256 }) },
    cert: {
      status: STATUS[state],
      ...(sent.length > 0 && { certificates: sent.map((der) => der.toString('base64')) }),
      ...(certInfo && { issuerDN: nameOf(certificate.issuer), subjectDN: nameOf(certificate.subject), serialNumber: serial, validFrom: timeOf(notBefore), validTo: timeOf(notAfter) }),
    },
    ...(authInfo && { auth: isExplicit ? EXPLICIT : { mode: 'oauth2code' } }),
    SCAL: '2',
    multisign: MOST_DOCUMENTS,
    lang: 'pt-BR',
  }
}

/** RFC 4514 has the last part first. */
const nameOf = (lines: string): string => lines.split('\n').reverse().join(', ')
const timeOf = (date: Date): string => `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
