import { createHash } from 'node:crypto'
import { type Accounts, displayName } from '../../accounts/index.ts'
import type { InstrumentSigner, SealInstrument, Unsigned } from '../../proxies/index.ts'
import type { PreparedPdf, RemoteSigning, Signatures } from '../../signatures/index.ts'

export interface InstrumentSigningDependencies {
  readonly accounts: Pick<Accounts, 'get'>
  readonly signatures: Pick<Signatures, 'signing'>
  readonly activations: Pick<RemoteSigning['activations'], 'open' | 'confirm'>
  readonly seal: SealInstrument
}

const NAME = 'procuração'
const REASON = 'Assinatura de quem dá a procuração'

/** Grantors sign instruments by one-shot keys, as themselves; the organisation's seal comes over their signature. */
export function createInstrumentSigner({
  accounts,
  signatures: { signing },
  activations,
  seal,
}: InstrumentSigningDependencies): InstrumentSigner {
  /** The same bytes each time, so that nothing is kept between the question and its proof. */
  async function prepare({ accountId, at, pdfs }: Unsigned) {
    const name = displayName((await accounts.get(accountId)).citizen.reveal())
    const prepared: PreparedPdf[] = []
    for (const pdf of pdfs) prepared.push(await signing.preparePdf(pdf, { reason: REASON, name, at }))
    return prepared
  }

  return {
    async open(unsigned) {
      const prepared = await prepare(unsigned)
      const documents = unsigned.pdfs.map((pdf, index) => ({
        name: `${NAME} ${index + 1}`,
        form: 'pades' as const,
        sha256: createHash('sha256').update(pdf).digest('hex'),
        digest: Buffer.from(prepared[index]?.digest ?? []).toString('hex'),
      }))
      const { id, nonce } = await activations.open({
        accountId: unsigned.accountId,
        signatory: { kind: 'self' },
        credential: { kind: 'one-shot' },
        documents,
      })
      return { activationId: id, nonce }
    },
    async sign(unsigned, { activationId, idToken }) {
      const prepared = await prepare(unsigned)
      const key = await activations.confirm({ id: activationId, idToken })
      try {
        const { certificates, attributes } = key
        const drafts = prepared.map(({ digest }) =>
          signing.draft({ kind: 'pdf', digest, certificates, attributes, at: unsigned.at, form: 'B-LT' }),
        )
        const signatures = await key.sign(drafts.map(({ toBeSigned }) => toBeSigned))
        const files: Buffer[] = []
        for (const [index, draft] of drafts.entries()) {
          const [signature, place] = [signatures[index], prepared[index]]
          if (!signature || !place) throw new Error('the key signed fewer instruments than it was asked to')
          const signed = await signing.finishPdf(place, { cms: await draft.complete(signature), certificates, form: 'B-LT' })
          files.push(Buffer.from(await seal(signed)))
        }
        return files
      } finally {
        await key.close()
      }
    },
  }
}
