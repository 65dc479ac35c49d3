/** What the API of the Cloud Signature Consortium takes and answers: the routes parse with these, and the published document is made of them. */
import { z } from 'zod'
import { base64File } from '../../../platform/http/body/base64-file.ts'
import { MOST_DOCUMENTS } from '../../activation/activation.ts'
import { SIGNATURE_FORMS } from '../../signing/signing.ts'

export const SHA_256 = '2.16.840.1.101.3.4.2.1'
/** By the kind of key, over SHA-256. */
export const SIGN_ALGORITHMS = { ec: '1.2.840.10045.4.3.2', rsa: '1.2.840.113549.1.1.11' } as const
export const STAMP_DIGESTS = { [SHA_256]: 'sha256', '2.16.840.1.101.3.4.2.2': 'sha384', '2.16.840.1.101.3.4.2.3': 'sha512' } as const
/** CAdES with or without the file inside, PAdES as the first signature of its document or as one more. */
export const ENVELOPES = { C: ['Attached', 'Detached'], P: ['Certification', 'Revision'] } as const
/** As the standard's table has them, and as its examples do. */
const LEVELS = SIGNATURE_FORMS.flatMap((form) => [`Ades-${form}` as const, `AdES-${form}` as const])

const base64 = (longest: number) => z.string().min(1).max(longest)
const hash = base64(100)
const credentialID = z.string().min(1).max(100)
const clientData = z.string().max(2000).optional()
const SAD = z.string().max(200).optional()
const signAlgo = z.enum(Object.values(SIGN_ALGORITHMS))
const operationMode = z.literal('S').default('S')

const shown = {
  certificates: z.enum(['none', 'single', 'chain']).default('single'),
  certInfo: z.boolean().default(false),
  authInfo: z.boolean().default(false),
}
// Members that we do not know are none of our business.
export const infoRequest = z.looseObject({ lang: z.string().max(100).optional() })
export const listRequest = z.looseObject({ ...shown, credentialInfo: z.boolean().default(false), onlyValid: z.boolean().default(false), clientData })
export const credentialRequest = z.looseObject({ ...shown, credentialID, clientData })

export const signHashRequest = z.looseObject({
  credentialID, SAD, signAlgo, operationMode, clientData,
  hashes: z.array(hash).min(1).max(MOST_DOCUMENTS),
  hashAlgorithmOID: z.literal(SHA_256).optional(),
})

const form = {
  signature_format: z.enum(['C', 'P']),
  conformance_level: z.enum(LEVELS).default('Ades-B-B'),
  signed_envelope_property: z.enum([...ENVELOPES.C, ...ENVELOPES.P]).optional(),
  signAlgo,
  /** Nothing is put into a signature that the citizen was not shown. */
  signed_props: z.array(z.unknown()).max(0).optional(),
}
/** Of all documents of a call, in base64. */
export const LONGEST_DOCUMENTS = 14 * 1024 * 1024
export const signDocRequest = z.looseObject({
  credentialID, SAD, operationMode, clientData,
  documents: z.array(z.looseObject({ ...form, document: base64File(LONGEST_DOCUMENTS) })).min(1).max(MOST_DOCUMENTS).optional(),
  documentDigests: z.array(z.looseObject({ ...form, hashes: z.union([z.array(hash).min(1).max(MOST_DOCUMENTS), hash]), hashAlgorithmOID: z.literal(SHA_256).optional() })).min(1).max(MOST_DOCUMENTS).optional(),
  returnValidationInfo: z.boolean().default(false),
})
export type SignDocRequest = z.output<typeof signDocRequest>

/** The one thing that a citizen is asked for in mode `explicit`: to answer in their own area. Nothing of theirs goes through the client. */
export const AUTH_OBJECT = 'conta'
export const challengeRequest = z.looseObject({ credentialID, authObjectID: z.string().max(100), clientData })
export const authorizeRequest = z.looseObject({
  credentialID, clientData,
  numSignatures: z.int().min(1),
  hashes: z.array(hash).min(1).max(MOST_DOCUMENTS),
  hashAlgorithmOID: z.literal(SHA_256),
  authData: z.array(z.looseObject({ id: z.string().max(100), value: z.string().max(100).optional() })).min(1).max(10),
  description: z.string().trim().max(280).optional(),
})
export const checkRequest = z.looseObject({ handle: z.string().min(1).max(200) })

export const stampRequest = z.looseObject({
  hash, clientData,
  hashAlgo: z.enum(['2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', '2.16.840.1.101.3.4.2.3']),
  nonce: z.string().regex(/^[0-9a-f]{1,64}$/i).optional(),
})

export const infoAnswer = z.strictObject({
  specs: z.literal('2.0.0.2'), name: z.string(), logo: z.url(), region: z.literal('BR'), lang: z.literal('pt-BR'), description: z.string().max(255),
  authType: z.array(z.literal('oauth2code')), oauth2: z.url(), methods: z.array(z.string()), validationInfo: z.literal(true),
  signAlgorithms: z.strictObject({ algos: z.array(signAlgo) }),
  signature_formats: z.strictObject({ formats: z.array(form.signature_format), envelope_properties: z.array(z.array(z.enum([...ENVELOPES.C, ...ENVELOPES.P]))) }),
  conformance_levels: z.array(z.enum(LEVELS)),
})
const time = z.string().regex(/^\d{14}Z$/)
export const credentialAnswer = z.strictObject({
  description: z.string().optional(),
  key: z.strictObject({ status: z.enum(['enabled', 'disabled']), algo: z.array(signAlgo), len: z.int(), curve: z.string().optional() }),
  cert: z.strictObject({
    status: z.enum(['valid', 'expired', 'revoked', 'suspended']), certificates: z.array(z.string()).optional(),
    issuerDN: z.string().optional(), subjectDN: z.string().optional(), serialNumber: z.string().optional(), validFrom: time.optional(), validTo: time.optional(),
  }),
  auth: z.strictObject({
    mode: z.enum(['oauth2code', 'explicit']), expression: z.string().optional(),
    objects: z.array(z.strictObject({ type: z.literal('ChallengeResponseOOB'), id: z.literal(AUTH_OBJECT), label: z.string(), description: z.string() })).optional(),
  }).optional(),
  SCAL: z.literal('2'), multisign: z.int(), lang: z.literal('pt-BR'),
})
export const listAnswer = z.strictObject({
  credentialIDs: z.array(z.uuid()),
  credentialInfos: z.array(credentialAnswer.extend({ credentialID: z.uuid() })).optional(),
  onlyValid: z.literal(true).optional(),
})
export const challengeAnswer = z.strictObject({ challenge: z.string() })
/** `challenge` is ours: the number that our page shows. */
export const authorizeAnswer = z.strictObject({ handle: z.string(), challenge: z.string() })
export const waitingAnswer = z.strictObject({ handle: z.string() })
export const sadAnswer = z.strictObject({ SAD: z.string(), expiresIn: z.int() })
export const signHashAnswer = z.strictObject({ signatures: z.array(z.string()) })
export const signDocAnswer = z.strictObject({
  DocumentWithSignature: z.array(z.string()).optional(),
  SignatureObject: z.array(z.string()).optional(),
  validationInfo: z.strictObject({ ocsp: z.array(z.string()), crl: z.array(z.string()), certificates: z.array(z.string()) }).optional(),
})
export const stampAnswer = z.strictObject({ timestamp: z.string() })
export const tokenAnswer = z.strictObject({ access_token: z.string(), token_type: z.enum(['Bearer', 'SAD']), expires_in: z.int(), scope: z.enum(['service', 'credential']) })
export const errorAnswer = z.strictObject({ error: z.string(), error_description: z.string() })
