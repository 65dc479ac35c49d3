/**
 * The State's certificate authority for advanced electronic signatures (Lei 14.063/2020, art. 4, II); never called qualified, nor ICP-Brasil.
 *
 * Terminology: **root** = the key that stays offline and signs issuing authorities · **issuing authority** = signs certificates, below the root ·
 * **service certificate** = of the responder (OCSP), the time-stamp authority (TSA) and the organisation's seal ·
 * **list** (LCR, CRL) = revoked certificates of one part (shard) of an authority's · **Signer** = a key, wherever it lives.
 */
export { type Authority, type AuthorityDependencies, createAuthority } from './authority/authority.ts'
export type { InstalledAuthority } from './authority/authority.store.ts'
export { fingerprintOf, parseCertificate } from './authority/certificate.ts'
export { REVOCATION_REASONS, type RevocationReason } from './authority/crl.ts'
export { makeRoot, parseRequest, rootName, signIssuing, signRootCrl } from './authority/request.ts'
export { type Halves, lockRootKey, openRootKey, SHORTEST_HALF } from './authority/root-vault.ts'
export { type AuthorityKeys, createAuthorityKeys } from './keys/authority-keys.ts'
export { configuredToken, createKeyToken, type KeyToken } from './keys/token.ts'
export { createKeySigner, makeKey, type Signer } from './authority/signer.ts'
export { POLICY_OID, REPRESENTATION_OID } from './asn1/oids.ts'
export { type Representation, representationAttribute, REPRESENTED_KINDS, type RepresentedKind } from './cms/representation.ts'
export { type CmsDraft, type CmsRequest, draftCms, signCms } from './cms/signed-data.ts'
export { createDocumentsApi } from './client-api/documents-api.routes.ts'
export { DOCUMENTS_PATH, DOCUMENTS_SCOPE, type DocumentsClient, type DocumentsPolicy, documentsPolicySchema, type RequireDocumentsClient } from './client-api/policy.ts'
export { CSC_BASE, GOVBR_BASE } from './client-api/signing-clients.ts'
export { createCscApi } from './client-api/csc/csc.routes.ts'
export { createGovbrSigningApi, type SigningApiDependencies } from './client-api/govbr.routes.ts'
export { SIGNING_APIS, type SigningApi, type SigningApiPolicy, type SigningClient, type SigningClients, signingApiPolicySchema } from './client-api/signing-clients.ts'
export type { Ask, AskContent } from './lending/ask.ts'
export type { Asks } from './lending/asks.ts'
export { createCodeRoutes } from './confirmation/code.routes.ts'
export { DEFAULT_CHOICE, type InNameOf, shownAs, type SigningChoice, type StampPlace } from './confirmation/choice.ts'
export type { Confirmations, Powers } from './confirmation/confirmations.ts'
export { createDocumentSigning, type DocumentSigning, type DocumentSigningDependencies } from './confirmation/document-signing.ts'
export type { CodeRecord, SignatureRecord, SignatureRecords } from './confirmation/records.ts'
export { TIME_STATES, type TimeState } from './confirmation/late-time.store.ts'
export type { EnvelopePorts, SigningPolicy } from './envelope/core.ts'
export type { EnvelopePlace } from './envelope/list.store.ts'
export type { Drafts, Upload } from './envelope/drafts.ts'
export {
  type Envelope, ENVELOPE_LIMITS, type EnvelopeDocument, KEPT_DAYS, PADES_LEVELS, type PadesLevel, type Person, signerOf, type Signer as EnvelopeSigner, SIGNING_ORDERS,
  type SigningOrder, signersInTurn, TERM_DAYS,
} from './envelope/envelope.ts'
export { createNotifySigner, type NotifySigner } from './envelope/notices.ts'
export { ENVELOPE_STATES, type EnvelopeState } from './envelope/transition.ts'
export { signatureEvents } from './events.ts'
export { PAGE_WIDTHS, type PageWidth } from './pages/page-views.ts'
export { SIGNATURE_PROBLEMS } from './problems.ts'
export { type AuthorityRouteDependencies, createAuthorityRoutes, STAMP_PATH } from './publication/authority.routes.ts'
export type { VisibleStamp } from './pdf/appearance.ts'
export { NOT_SIGNABLE_REASONS, type NotSignableReason } from './pdf/document.ts'
export type { PreparedPdf } from './pdf/place.ts'
export { type Certification, CERTIFICATIONS, type PlaceRequest } from './pdf/prepare.ts'
export type { SealRequest } from './signing/seal.ts'
export { type DraftRequest, type FinishRequest, SIGNATURE_FORMS, type SignatureForm, type Signing } from './signing/signing.ts'
export { type TrustList, createTrustList } from './verification/trust-list.ts'
export { TRUST_KINDS, type TrustKind, TRUST_LEVELS, type TrustLevel } from './verification/trust.store.ts'
export { createCertificateHostRoutes, HOST_PAGE } from './icp/certificate-host.routes.ts'
export { createIcp, type Icp, type IcpEnd, type ShownOutcome } from './icp/icp.ts'
export type { CertificateFault } from './icp/judge.ts'
export type { IcpNotice, IcpPorts } from './icp/ports.ts'
export { createVerifierRoutes } from './verification/verifier.routes.ts'
export type { ActivatedSigner } from './activation/activated-signer.ts'
export {
  type Activation, type ActivationContent, type ActivationDocument, ACTIVATION_SECONDS, type CredentialChoice, MOST_DOCUMENTS, nonceOf, type Represented, shownParty, type Signatory,
} from './activation/activation.ts'
export type { Activations, NewActivation, OpenedActivation } from './activation/activations.ts'
export { SIGNING_LEVEL } from './activation/core.ts'
export { CERTIFICATE_NOTICES, type CertificateNotice, type SignerFacts, type SignerPorts } from './activation/ports.ts'
export { PERSON_KEY_KINDS, type PersonKeyKind } from './authority/signer.ts'
export {
  type Credential, CREDENTIAL_STATES, type CredentialState, END_CAUSES, type EndCause, HOLD_CAUSES, type HoldCause, MOST_CREDENTIALS, MOST_TRIES,
} from './credentials/credential.ts'
export type { CredentialChange, Credentials } from './credentials/credentials.ts'
export { createRemoteSigning, DEFAULT_WRAP_COST, type RemoteSigning, type RemoteSigningDependencies } from './remote-signing.ts'
export { createSignatures, type Signatures } from './signatures.ts'
export { type RequireStampClient, STAMP_SCOPE, type StampClient, type StampPolicy, stampPolicySchema } from './timestamp/policy.ts'
