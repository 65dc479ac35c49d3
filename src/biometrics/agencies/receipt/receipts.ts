import { createHash, randomUUID } from 'node:crypto'
import type { Cpf } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import { referencesOf } from '../../images/image.ts'
import type { ImageStore, ListedImage } from '../../images/image-store.ts'
import { type AgencyClient, type AgencyPurpose, getPurpose, type LegalBasis } from '../policy.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { type FindSubject, hasLeft, ledgerOf } from '../subject.ts'
import type { KnownPerson } from '../subject.store.ts'
import {
  findReceipt, findReceiptByKey, findReceiptEvent, insertReceipt, type StoredReceipt,
} from './receipt.store.ts'
import type { Signature, Signer } from './signer.ts'

/** Who wants a reference image, and by what right. */
export interface ReferenceRequest {
  readonly cpf: Cpf
  readonly purpose: string
  readonly legalBasis: LegalBasis
  readonly process: string
  readonly responsible: string
}

/** A receipt: the members are what a court reads, so they are Portuguese. */
export interface CertifiedReference {
  readonly recibo: { readonly id: string }
  readonly assinatura: Signature
  readonly tipo: string
  readonly imagem: string
}

export interface Receipts {
  /**
   * The reference image with a signed receipt; the person's ledger names client and purpose.
   * @throws {Problem} agencies/purpose-not-allowed, agencies/reference-not-found, agencies/key-reused
   */
  retrieve(client: AgencyClient, request: ReferenceRequest, repeat: { key: string | undefined; requestHash: Buffer }): Promise<CertifiedReference>
  /** Whether a receipt is one of ours, unchanged, and about this image. */
  verify(receipt: { readonly id: string }, signature: Signature, imageDigest: string | undefined): Promise<ReceiptVerdict>
}

export interface ReceiptVerdict {
  readonly signed: boolean
  readonly registered: boolean
  /** Absent when no image was named. */
  readonly sameImage: boolean | undefined
}

export interface ReceiptDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash'>; readonly publicUrl: string }
  readonly audit: Pick<Audit, 'record'>
  readonly images: Pick<ImageStore, 'list' | 'open'>
  readonly findSubject: FindSubject
  readonly signer: Signer
}

/** So long a repeated request is a lost answer; later it is a further look at the person's face. */
const LOST_ANSWER_MS = 10 * 60_000

const contextOf = (id: string) => `agency-receipt/${id}`

/** Reference images for agencies that may have them, each with a receipt that a court can check without us. */
export function createReceipts(deps: ReceiptDependencies): Receipts {
  const { platform, audit, images, findSubject, signer } = deps
  const { db, clock, keyring } = platform

  async function missing(client: AgencyClient, purpose: AgencyPurpose, person: KnownPerson | undefined): Promise<never> {
    const data = { callId: randomUUID(), purpose: purpose.code, legalBasis: purpose.legalBasis }
    const actor = { kind: 'client', id: client.id } as const
    await audit.record(db, { type: 'biometrics/agency-reference-missing', actor, clientId: client.id, ...ledgerOf(person), data })
    throw new Problem(AGENCY_PROBLEMS.referenceNotFound)
  }

  /** What was answered before, with the image as it is now: a receipt outlives its image, an answer does not. */
  async function again(client: AgencyClient, cpf: Cpf, purpose: AgencyPurpose, stored: StoredReceipt): Promise<CertifiedReference> {
    const { person } = await findSubject(cpf)
    if (hasLeft(person)) return missing(client, purpose, person)
    const { bytes, contentType } = await images.open(stored.imageId)
    if (clock.now().getTime() - stored.createdAt.getTime() > LOST_ANSWER_MS) {
      const data = { receiptId: stored.id, imageId: stored.imageId, purpose: purpose.code, legalBasis: purpose.legalBasis }
      const actor = { kind: 'client', id: client.id } as const
      await audit.record(db, { type: 'biometrics/agency-reference-read', actor, clientId: client.id, ...ledgerOf(person), data })
    }
    const kept: Pick<CertifiedReference, 'recibo' | 'assinatura'> = JSON.parse(keyring.open(stored.sealed, contextOf(stored.id)).toString())
    return { ...kept, tipo: contentType, imagem: bytes.toString('base64') }
  }

  return {
    async retrieve(client, request, { key, requestHash: plain }) {
      const requestHash = keyring.hash(plain, 'agency-request')
      const purpose = getPurpose(client, request.purpose)
      if (purpose.legalBasis !== request.legalBasis) throw new Problem(AGENCY_PROBLEMS.purposeNotAllowed, { detail: 'base_legal' })
      const earlier = key === undefined ? undefined : await findReceiptByKey(db, client.id, key)
      if (earlier && !earlier.requestHash.equals(requestHash)) throw new Problem(AGENCY_PROBLEMS.keyReused)
      if (earlier) return again(client, request.cpf, purpose, earlier)
      const { person } = await findSubject(request.cpf)
      const image = person && !hasLeft(person) ? await findReferenceImage(images, person.personId) : undefined
      if (!person || !image) return missing(client, purpose, person)
      const { bytes, contentType } = await images.open(image.id)
      const digest = createHash('sha256').update(bytes).digest()
      const id = randomUUID()
      const createdAt = clock.now()
      const certified = await db.transaction(async (tx) => {
        const data = { receiptId: id, imageId: image.id, purpose: purpose.code, legalBasis: purpose.legalBasis }
        const { subject = person.personId } = ledgerOf(person)
        const actor = { kind: 'client', id: client.id } as const
        await audit.record(tx, { type: 'biometrics/agency-reference-read', actor, clientId: client.id, subject, data })
        const event = await findReceiptEvent(tx, subject, id)
        const facts = { id, createdAt, event, digest: digest.toString('hex'), bytes: bytes.length, publicUrl: platform.publicUrl }
        const recibo = receiptOf(facts, client, { ...request, purpose }, image)
        const assinatura = await signer.certify(recibo, tx)
        const sealed = keyring.seal(JSON.stringify({ recibo, assinatura }), contextOf(id))
        const row = { id, imageId: image.id, imageDigest: digest, sealed, requestHash, createdAt }
        const added = await insertReceipt(tx, { ...row, clientId: client.id, personId: person.personId, idempotencyKey: key })
        // The same request at the same moment: its receipt is the one, and this one never was.
        if (!added) throw new Problem(AGENCY_PROBLEMS.stillRunning, { retryAfterSeconds: 1 })
        return { recibo, assinatura }
      })
      return { ...certified, tipo: contentType, imagem: bytes.toString('base64') }
    },

    async verify(receipt, signature, imageDigest) {
      const [signed, stored] = await Promise.all([signer.isCertified(receipt, signature), findReceipt(db, receipt.id)])
      const sameImage = imageDigest === undefined ? undefined : stored?.imageDigest.toString('hex') === imageDigest
      return { signed, registered: stored !== undefined, sameImage }
    },
  }
}

/** The face that stands for a person: one taken in person before others, then the newest; the store has checked that nobody changed it. */
async function findReferenceImage(images: Pick<ImageStore, 'list'>, personId: string): Promise<ListedImage | undefined> {
  const listed = await images.list(personId)
  const best = referencesOf(listed.map((image) => ({ ...image, tag: null, sealedMark: null, sealVersion: 0 })))[0]
  return listed.find(({ id }) => id === best?.id)
}

interface ReceiptFacts {
  readonly id: string
  readonly createdAt: Date
  readonly event: number | undefined
  readonly digest: string
  readonly bytes: number
  readonly publicUrl: string
}

function receiptOf(
  { id, createdAt, event, digest, bytes, publicUrl }: ReceiptFacts,
  client: AgencyClient,
  { cpf, purpose, process, responsible }: Omit<ReferenceRequest, 'purpose'> & { purpose: AgencyPurpose },
  image: ListedImage,
) {
  return {
    versao: 1,
    id,
    emitente: publicUrl,
    emitido_em: createdAt.toISOString(),
    pessoa: { cpf },
    solicitante: { cliente: client.id, nome: client.name, responsavel: responsible },
    finalidade: { codigo: purpose.code, descricao: purpose.name },
    base_legal: purpose.legalBasis,
    processo: process,
    imagem: {
      id: image.id, versao: image.version, sha256: digest, tipo: image.contentType, bytes, largura: image.width, altura: image.height,
      situacao: 'cópia guardada: em pé, sem EXIF, como o sistema a compara',
    },
    procedencia: {
      origem: image.source,
      metodo: image.method,
      presencial: image.inPerson,
      ...(image.capturePoint !== null && { ponto_de_coleta: image.capturePoint }),
      capturada_em: image.capturedAt.toISOString(),
      guardada_em: image.createdAt.toISOString(),
      ...(image.original && { original: { tipo: image.original.contentType, sha256: image.original.sha256.toString('hex') } }),
    },
    auditoria: { evento: event ?? 0 },
    verificacao: { endereco: `${publicUrl}/api/biometria/v1/recibos/verificacao`, chaves: `${publicUrl}/api/biometria/v1/recibos/chaves` },
  }
}
