import type Router from '@koa/router'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { Views } from '../../platform/http/views.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { ImageStore } from '../images/image-store.ts'
import { createLiveness, type LivenessDeps } from '../liveness/session.ts'
import { API_BASE, createAgencyRoutes } from './agencies.routes.ts'
import { createCalls } from './call.ts'
import type { AgencyFaces } from './judgement.ts'
import { createReadFingerprints } from './fingerprints.ts'
import { createIdempotency } from './metering/idempotency.ts'
import { createQuotas, type Quotas } from './metering/quota.ts'
import type { RequireClient } from './policy.ts'
import { createReceipts } from './receipt/receipts.ts'
import { createReceiptKeys } from './receipt/receipt-keys.ts'
import { createSigner } from './receipt/signer.ts'
import { type AgencyAttempts, createAgencyPeople, createFindSubject } from './subject.ts'
import type { MountFaceChecks } from './validation/face-checks.ts'
import { createValidationChecks } from './validation/validation-api.routes.ts'
import { type AgencyCard, createValidationPages } from './validation/validation-page.routes.ts'
import { createValidations } from './validation/validations.ts'

export interface AgenciesDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring; readonly audit: Audit; readonly publicUrl: string }
  readonly faces: AgencyFaces & LivenessDeps['engine']
  readonly images: Pick<ImageStore, 'findReference' | 'list' | 'open'>
  readonly web: {
    readonly views: Views
    readonly messages: Messages
    readonly requireClient: RequireClient
    readonly mountFaceChecks: MountFaceChecks
    /** Undefined for a client that may not validate any more. */
    readonly describeAgency: (clientId: string, purpose: string) => Promise<AgencyCard | undefined>
  }
  readonly attempts: AgencyAttempts
}

/** What state agencies may do with faces. */
export interface Agencies {
  /** The API below `/api/biometria/v1`, and the pages of validations below `/validar`. */
  readonly routes: readonly Router[]
  readonly quotas: Quotas
  /** Ends and forgets what is over; for a job every few minutes. */
  sweep(): Promise<void>
}

/** Builds the API; nothing of it works for a client whose policy does not grant it. */
export function createAgencies({ platform, faces, images, web, attempts }: AgenciesDependencies): Agencies {
  const { db, clock, keyring, audit, publicUrl } = platform
  const findSubject = createFindSubject({ db, keyring })
  const signer = createSigner(createReceiptKeys({ db, clock, keyring, audit }))
  const quotas = createQuotas({ db, clock })
  const idempotency = createIdempotency({ db, clock, keyring })
  const people = createAgencyPeople({ db, images, rule: faces.rule, attempts })
  const liveness = createLiveness({ db, clock, keyring, engine: faces, people })
  const modelId = () => faces.rule.modelId
  const validations = createValidations({
    platform, audit, modelId,
    people: { findSubject, clearAttempts: attempts.clear },
    mayValidate: async (clientId, purpose) => (await web.describeAgency(clientId, purpose)) !== undefined,
  })
  const receipts = createReceipts({ platform, audit, images, findSubject, signer })
  const { requireClient, mountFaceChecks: mount } = web
  const face = { liveness, mount }
  const api = createAgencyRoutes({
    platform: { db, audit, messages: web.messages, publicUrl },
    faces,
    calls: createCalls({ requireClient, quotas, idempotency }),
    people: { findSubject, validations, receipts, signer, readFingerprints: createReadFingerprints({ db, audit, images, findSubject }) },
    checks: createValidationChecks({ validations, requireClient, face, base: API_BASE }),
  })
  const pages = createValidationPages({ platform, views: web.views, validations, face, describeAgency: web.describeAgency })
  return {
    routes: [api, pages],
    quotas,
    async sweep() {
      await validations.sweep()
      await quotas.sweep()
      await idempotency.sweep()
    },
  }
}
