import type { Accounts } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { Activations } from '../activation/activations.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { createEnvelopeCare, type EnvelopeCare } from '../envelope/care.ts'
import type { EnvelopeCore, EnvelopePorts } from '../envelope/core.ts'
import { createDrafts, type Drafts } from '../envelope/drafts.ts'
import type { PadesLevel } from '../envelope/envelope.ts'
import { createEnvelopes, type Envelopes } from '../envelope/envelopes.ts'
import { createPageViews, type PageViews } from '../pages/page-views.ts'
import type { Signing } from '../signing/signing.ts'
import { type Confirmations, createConfirmations, type Powers } from './confirmations.ts'
import { createLateTimes, type LateTimes } from './late-times.ts'
import { createSignatureRecords, type SignatureRecords } from './records.ts'
import type { PaperTexts } from './stamp.ts'

export interface DocumentSigningDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring }
  readonly rooms: { readonly audit: Pick<Audit, 'record'>; readonly accounts: Pick<Accounts, 'find' | 'findByCpf'>; readonly signing: Signing }
  readonly paper: { readonly texts: PaperTexts; readonly publicUrl: string; readonly documents: Pick<Documents, 'render'> }
  readonly keys: { readonly activations: Pick<Activations, 'open' | 'confirm'>; readonly credentials: Pick<Credentials, 'list'>; readonly powers: Powers }
  readonly ports: EnvelopePorts
}

/** Documents that people sign: from the upload to the file that anybody can verify. */
export interface DocumentSigning {
  readonly drafts: Drafts
  readonly envelopes: Envelopes
  readonly confirmations: Confirmations
  readonly powers: Powers
  readonly levels: readonly PadesLevel[]
  readonly records: SignatureRecords
  readonly care: EnvelopeCare
  readonly lateTimes: LateTimes
  readonly views: Pick<PageViews, 'show' | 'read'>
  close(): Promise<void>
}

/** The renderer's thread starts with the first page that somebody looks at. */
export function createDocumentSigning({ platform, rooms, paper, keys, ports }: DocumentSigningDependencies): DocumentSigning {
  const { audit, accounts, signing } = rooms
  const views = createPageViews()
  const core: EnvelopeCore = {
    platform, audit, accounts, ports,
    async inspect(pdf) {
      const pages = await views.count(pdf)
      // Whether it can be signed is best told by preparing it once, before anybody is asked to.
      await signing.preparePdf(pdf, { reason: '', name: '', at: platform.clock.now() })
      return { pages }
    },
  }
  return {
    views, powers: keys.powers, levels: ports.policy.levels,
    drafts: createDrafts(core),
    envelopes: createEnvelopes(core),
    confirmations: createConfirmations(core, { signing, paper, ...keys }),
    records: createSignatureRecords(core, paper),
    care: createEnvelopeCare(core),
    lateTimes: createLateTimes(core, { signing }),
    close: views.close,
  }
}
