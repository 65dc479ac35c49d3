import { createQuotas } from '../../biometrics/index.ts'
import type { Oidc } from '../../oidc/index.ts'
import { createCall, createMandatesApi, createVerificationPages } from '../../proxies/index.ts'
import type { Foundation } from '../foundation.ts'
import type { Rooms } from '../rooms.ts'
import type { Web } from '../web.ts'

export interface OpenProxyPagesDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly web: Web
}

/** The decision point and the mandates API for agencies, and the public page where a paper is checked. */
export function openProxyPages({ foundation, rooms: { proxies, audit }, oidc, web }: OpenProxyPagesDependencies): void {
  const { config, db, clock } = foundation
  const call = createCall({ requireClient: oidc.requireProxyClient, quotas: createQuotas({ db, clock }) })
  const api = createMandatesApi({ proxies, platform: { db, audit, publicUrl: config.platform.publicUrl }, call })
  for (const router of [api, createVerificationPages({ views: web.views, instruments: proxies.instruments })]) web.app.use(router.routes())
}
