import { type Agencies, createAgencies } from '../biometrics/index.ts'
import { createFaceCheckRoutes, type Oidc } from '../oidc/index.ts'
import type { Foundation } from './foundation.ts'
import type { Rooms } from './rooms.ts'
import type { Look, Web } from './web.ts'

export interface OpenAgenciesDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly web: Web
  readonly look: Look
}

/** The API for agencies with its pages: tokens and clients' names come from the protocol, the camera's endpoints from its pages. */
export function openAgencies({ foundation, rooms, oidc, web, look }: OpenAgenciesDependencies): Agencies {
  const { config, db, clock, keyring, jobs } = foundation
  const { messages } = look
  const agencies = createAgencies({
    platform: { db, clock, keyring, audit: rooms.audit, publicUrl: config.platform.publicUrl },
    faces: { ...rooms.faces, noteEnd: rooms.outcomes.noteEnd },
    images: rooms.images,
    web: {
      views: web.views,
      messages,
      requireClient: oidc.requireClient,
      mountFaceChecks: (endpoints) => createFaceCheckRoutes({ messages, ...endpoints }),
      async describeAgency(clientId, code) {
        const client = await oidc.clients.find(clientId)
        const purpose = client?.policy.agency?.purposes.find((each) => each.code === code)
        const isOpen = client !== undefined && client.disabledAt === undefined && client.policy.agency?.scopes.includes('biometria.validar')
        return isOpen && purpose ? { name: client.metadata.client_name, purpose: purpose.name, legalBasis: purpose.legalBasis } : undefined
      },
    },
    attempts: rooms.accounts.faceAttempts,
  })
  jobs.schedule('agencies-sweep', '*/5 * * * *', agencies.sweep)
  for (const router of agencies.routes) web.app.use(router.routes())
  return agencies
}
