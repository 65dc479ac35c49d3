import type { Der } from '../asn1/der.ts'
import { algorithmOfKey, type Signer } from '../authority/signer.ts'
import type { Activation } from './activation.ts'
import { citizenActor, type SigningCore } from './core.ts'
import { attributesOf } from './signed-attributes.ts'
import type { SigningTicket } from './signing-thread.ts'

/** A citizen's signature, for exactly what they confirmed and for the next minute; each document once. */
export interface ActivatedSigner {
  /** The signer's own, then the issuing authority's. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
  readonly serial: string
  /** Signed attributes that the CMS must carry, no other (`CmsRequest.attributes`). */
  readonly attributes: readonly Der[]
  /** As `signCms` takes it: signs the signed attributes of one document. */
  readonly signer: Signer
  /** Signatures under sets of signed attributes (DER, SET OF), each about one document. @throws {Problem} signatures/not-the-documents */
  sign(attributes: readonly Uint8Array[]): Promise<Buffer[]>
  /** Signatures over SHA-256 digests as they are, where the activation named them as such (`form: 'hash'`). */
  signHashes(digests: readonly Uint8Array[]): Promise<Buffer[]>
  /** Forgets the key before its time, when the documents come to nothing. */
  close(): Promise<void>
}

export interface SignerParts {
  readonly activation: Activation
  readonly ticket: SigningTicket
  readonly certificates: readonly [Buffer, ...Buffer[]]
  readonly serial: string
  readonly spki: Buffer
}

export function createActivatedSigner({ db, clock, audit }: SigningCore, { activation, ticket, certificates, serial, spki }: SignerParts): ActivatedSigner {
  const { id: activationId, accountId, clientId, signatory } = activation

  /** The record is written before anybody gets the signature: there is none that the ledger does not know. */
  async function sign(form: 'attributes' | 'hash', items: readonly Uint8Array[]): Promise<Buffer[]> {
    const { signatures, digests } = await ticket.sign(form, items, clock.now())
    await audit.record(db, {
      type: 'signatures/signed', actor: citizenActor(accountId), subject: accountId, ...(clientId && { clientId }),
      data: { activationId, serial, digests: [...digests], ...(signatory.kind === 'representative' && { mandateId: signatory.mandateId, power: signatory.power }) },
    })
    return signatures
  }

  return {
    certificates,
    serial,
    attributes: attributesOf(signatory),
    signer: {
      spki,
      ...algorithmOfKey(spki),
      async sign(bytes) {
        const [signature] = await sign('attributes', [bytes])
        if (!signature) throw new Error('the signing thread gave no signature')
        return signature
      },
    },
    sign: (items) => sign('attributes', items),
    signHashes: (digests) => sign('hash', digests),
    close: () => ticket.forget(),
  }
}
