import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { CAPTURE_METHODS, IMAGE_KINDS } from './images/image.ts'
import { RETENTION_COUNTS, RETENTION_ENDINGS } from './images/custody/retention.store.ts'

/** What the biometrics room writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const biometricsEvents = defineEvents({
  'biometrics/image-stored': z.object({
    imageId: z.uuid(),
    personId: z.uuid(),
    kind: z.enum(IMAGE_KINDS),
    version: z.int(),
    method: z.enum(CAPTURE_METHODS),
    trusted: z.boolean(),
    inPerson: z.boolean(),
    importId: z.uuid().optional(),
  }),
  'biometrics/image-opened': z.object({ imageId: z.uuid(), personId: z.uuid(), kind: z.enum(IMAGE_KINDS), original: z.boolean(), purpose: z.string() }),
  'biometrics/images-withdrawn': z.object({ personId: z.uuid(), imageIds: z.array(z.uuid()) }),
  'biometrics/images-restored': z.object({ personId: z.uuid(), imageIds: z.array(z.uuid()) }),
  /** All of a person's images, by forgetting their key. */
  'biometrics/images-erased': z.object({ personId: z.uuid(), reason: z.enum(['lgpd']), images: z.int() }),
  /** Single images, because their time was over or their rows could not be trusted any more. */
  'biometrics/images-removed': z.object({ personId: z.uuid(), reason: z.enum(['retention', 'tampered']), imageIds: z.array(z.uuid()) }),
  'biometrics/images-exported': z.object({ personId: z.uuid(), exportId: z.uuid(), images: z.int() }),
  'biometrics/hold-placed': z.object({ personId: z.uuid(), holdId: z.uuid() }),
  'biometrics/hold-released': z.object({ personId: z.uuid(), holdId: z.uuid() }),
  'biometrics/retention-set': z.object({ kind: z.string(), source: z.string(), counts: z.enum(RETENTION_COUNTS), days: z.int().nullable(), ending: z.enum(RETENTION_ENDINGS).optional() }),
  /** Somebody looked at images whose term asks for it; kept, their time begins anew. */
  'biometrics/images-reviewed': z.object({ personId: z.uuid(), verdict: z.enum(['kept', 'erased']), images: z.int() }),
  'biometrics/import-started': z.object({ importId: z.uuid(), lines: z.int(), trusting: z.boolean() }),
  'biometrics/import-finished': z.object({ importId: z.uuid(), stored: z.int(), known: z.int(), refused: z.int() }),
  'biometrics/export-finished': z.object({ exportId: z.uuid(), images: z.int(), people: z.int(), sealed: z.boolean() }),
})
