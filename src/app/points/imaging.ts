import { type Agencies, createImageService, type ImageService } from '../../biometrics/index.ts'
import type { OpenAgenciesDependencies } from '../agencies.ts'

/** The image service's API for capture software; its calls count against the same minute as the agencies'. */
export function openImageService({ foundation, rooms, oidc, web, look }: OpenAgenciesDependencies, { quotas }: Agencies): ImageService {
  const { config, db, clock, keyring, jobs } = foundation
  const service = createImageService({
    platform: { db, clock, keyring, audit: rooms.audit, publicUrl: config.platform.publicUrl },
    faces: rooms.faces,
    images: rooms.images,
    register: rooms.register,
    web: { messages: look.messages, requireClient: oidc.requireClient, quotas },
  })
  jobs.schedule('captures-sweep', '*/15 * * * *', service.sweep)
  jobs.schedule('image-service-probe', '*/5 * * * *', async () => void (await service.probe()))
  web.app.use(service.routes.routes())
  return service
}
