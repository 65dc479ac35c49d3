/** Object identifiers by name. */
export const OID = {
  // Algorithms
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
  rsaEncryption: '1.2.840.113549.1.1.1',
  rsaWithSha256: '1.2.840.113549.1.1.11',
  rsaWithSha384: '1.2.840.113549.1.1.12',
  rsaWithSha512: '1.2.840.113549.1.1.13',
  mgf1: '1.2.840.113549.1.1.8',
  rsaPss: '1.2.840.113549.1.1.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  // Names
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  serialNumber: '2.5.4.5',
  title: '2.5.4.12',
  // Certificate extensions
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  crlReason: '2.5.29.21',
  issuingDistributionPoint: '2.5.29.28',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  cps: '1.3.6.1.5.5.7.2.1',
  ocsp: '1.3.6.1.5.5.7.48.1',
  ocspBasic: '1.3.6.1.5.5.7.48.1.1',
  ocspNonce: '1.3.6.1.5.5.7.48.1.2',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
  caIssuers: '1.3.6.1.5.5.7.48.2',
  // Purposes
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  documentSigning: '1.3.6.1.5.5.7.3.36',
  // CMS
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  signatureTimeStamp: '1.2.840.113549.1.9.16.2.14',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  /** Adobe's: revocation evidence as a signed attribute. */
  adobeRevocation: '1.2.840.113583.1.1.8',
  extensionRequest: '1.2.840.113549.1.9.14',
  signaturePolicy: '1.2.840.113549.1.9.16.2.15',
  commitmentType: '1.2.840.113549.1.9.16.2.16',
  mimeType: '0.4.0.1733.2.1',
  // Numbers of people and companies as ICP-Brasil's readers find them (DOC-ICP-04)
  icpPerson: '2.16.76.1.3.1',
  icpCompanyResponsibleName: '2.16.76.1.3.2',
  icpCnpj: '2.16.76.1.3.3',
  icpCompanyResponsible: '2.16.76.1.3.4',
  icpVoter: '2.16.76.1.3.5',
  icpPersonCei: '2.16.76.1.3.6',
  icpCompanyCei: '2.16.76.1.3.7',
  icpServant: '2.16.76.1.3.11',
} as const

/**
 * Arc of this authority's own policies, of a UUID (X.667): never ICP-Brasil's 2.16.76.1.2, which are not ours to claim.
 *
 * A production that has an arc of its own (IANA or the State's) changes it here before the ceremony.
 */
const ARC = '2.25.147724878225500961586893898021092450836'

export const POLICY_OID = {
  certificates: `${ARC}.1.1`, citizens: `${ARC}.1.2`, oneShot: `${ARC}.1.3`, representatives: `${ARC}.1.4`, servants: `${ARC}.1.5`,
  demonstration: `${ARC}.1.0`, timeStamps: `${ARC}.2.1`,
} as const

/** Signed attribute of this authority's signatures: as whose representative somebody signed. */
export const REPRESENTATION_OID = `${ARC}.3.1`
