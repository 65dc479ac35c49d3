import { maskCpf } from '../../accounts/index.ts'
import type { Envelope, EnvelopeDocument, Person, SignatureRecord } from '../../signatures/index.ts'
import { signerOf, signersInTurn } from '../../signatures/index.ts'
import { PAGE } from './desk.ts'

/** A document as the pages show it. */
export function documentCard({ id }: Pick<Envelope, 'id'>, document: EnvelopeDocument) {
  const { name, form, pages, size, sha256, version } = document
  const base = `${PAGE}/${id}/documentos/${document.id}`
  return { id: document.id, name, form, pages, size, sha256, version, viewHref: form === 'pdf' ? base : undefined, fileHref: `${base}/arquivo`, thumbnail: form === 'pdf' ? pageImage(base, version, 1, 800) : undefined }
}

/** The address of a picture names the version that it shows: after another signature it is nobody's any more. */
export function pageImage(base: string, version: number, page: number, width: number): string {
  return `${base}/paginas/${version}-${page}-${width}`
}

export function envelopeCard(envelope: Envelope, by: Person) {
  const inTurn = signersInTurn(envelope)
  const isOwner = envelope.ownerId === by.accountId
  const me = signerOf(envelope, by)
  return {
    id: envelope.id, href: `${PAGE}/${envelope.id}`, state: envelope.state, order: envelope.order, level: envelope.level, isOwner,
    title: envelope.documents[0]?.name ?? '', more: Math.max(0, envelope.documents.length - 1),
    documents: envelope.documents.map((document) => documentCard(envelope, document)),
    signers: envelope.signers.map((signer) => ({
      id: signer.id, name: signer.name, cpf: maskCpf(signer.cpf), state: signer.state === 'pending' && inTurn.includes(signer) ? 'turn' : signer.state,
      decidedAt: signer.decidedAt, reason: signer.reason, isMe: signer.id === me?.id,
    })),
    isMyTurn: me !== undefined && inTurn.includes(me), isMine: me !== undefined, mySignature: me?.state,
    createdAt: envelope.createdAt, sentAt: envelope.sentAt, expiresAt: envelope.expiresAt, endedAt: envelope.endedAt,
    contentsUntil: envelope.contentsUntil, isGone: envelope.contentsGoneAt !== undefined,
    signedCount: envelope.signers.filter(({ state }) => state === 'signed').length,
  }
}

export type EnvelopeCard = ReturnType<typeof envelopeCard>

export function recordCard(record: SignatureRecord) {
  const { id, envelopeId, document, represented, level, timeState, sha256, untimedSha256, code, signedAt, signerName } = record
  return {
    id, documentId: document.id, document: document.name, form: document.form, original: document.sha256, represented: represented?.name, level, timeState, sha256, untimedSha256, code, signedAt, signerName,
    href: `${PAGE}/${envelopeId}`, besideHref: document.form === 'file' ? `${PAGE}/${envelopeId}/p7s/${id}` : undefined,
  }
}
