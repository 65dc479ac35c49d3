import type Router from '@koa/router'
import type { BaseRegister } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { Quotas } from '../agencies/metering/quota.ts'
import { EXAMPLE_PICTURE } from '../agencies/open-api-examples.ts'
import type { RequireClient } from '../agencies/policy.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { MatchRule } from '../liveness/match-rule.ts'
import { createBatches } from './capture/batches.ts'
import { createCaptureRoutes } from './capture/capture.routes.ts'
import type { CaptureFaces } from './capture/judge-item.ts'
import { createPointDesk } from './capture/point-desk.ts'
import { createProcesses } from './capture/processes.ts'
import { createUploads } from './capture/uploads.ts'
import { createJournal } from './metering/journal.ts'
import { createSigns } from './metering/signs.ts'

export interface ImageServiceDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring; readonly audit: Audit; readonly publicUrl: string }
  readonly faces: CaptureFaces & { readonly rule: MatchRule }
  readonly images: Pick<ImageStore, 'putNew' | 'findReference'>
  readonly register: BaseRegister
  readonly web: { readonly messages: Messages; readonly requireClient: RequireClient; readonly quotas: Pick<Quotas, 'claimCall'> }
}

/** The image service as a running server offers it. */
export interface ImageService {
  /** The API for capture software, below `/api/coleta/v1`. */
  readonly routes: Router
  /** Ends processes that nobody completed; for a job. */
  sweep(): Promise<void>
  /** Tries the service out and notes whether it works; for a job every five minutes. */
  probe(): Promise<boolean>
}

/** Builds the image service; nothing of its API works for a client whose policy does not grant `biometria.capturar`. */
export function createImageService({ platform, faces, images, register, web }: ImageServiceDependencies): ImageService {
  const { db, clock, keyring, audit, publicUrl } = platform
  const journal = createJournal({ clock, audit })
  const processes = createProcesses({ platform, audit, register, journal, images })
  const uploads = createUploads({ db, keyring, audit, images, faces })
  const batches = createBatches({ platform, audit, processes })
  const signs = createSigns({ db, clock, tryOut: () => tryOut({ db, keyring, faces }) })
  const { messages, requireClient, quotas } = web
  return {
    routes: createCaptureRoutes({
      access: { requireClient, quotas }, web: { messages, publicUrl }, work: { processes, uploads, batches }, desk: createPointDesk(db), signs,
    }),
    sweep: async () => void (await processes.sweep()),
    probe: signs.probe,
  }
}

/** What every capture needs: the database answers, the keyring seals and opens, a face thread works on a picture. */
async function tryOut({ db, keyring, faces }: Pick<ImageServiceDependencies['platform'], 'db' | 'keyring'> & Pick<ImageServiceDependencies, 'faces'>): Promise<void> {
  await Promise.all([db.query('SELECT 1'), faces.normalise(Buffer.from(EXAMPLE_PICTURE, 'base64'))])
  const context = 'capture-probe'
  if (keyring.open(keyring.seal(context, context), context).toString() !== context) throw new Error('what was sealed did not open')
}
