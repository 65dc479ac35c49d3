import Router from '@koa/router'
import { z } from 'zod'
import { PHOTO_LIMITS } from '../../biometrics/index.ts'
import { type FieldErrors, file, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { DOCUMENT_TYPES, FINGERS, MISSING_FINGER_REASONS } from '../attendance/attendance.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import { isFitDocument } from '../cases/case-type.ts'
import { parseCertificateNumber } from '../cases/certificate-number.ts'
import { purposeOf } from '../consent/consent.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { Captures, Item } from './captures.ts'

export interface CaptureRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly captures: Captures
}

const PAGE = '/balcao/atendimentos/:id'
const words = z.string().trim().min(1, 'platform.field.required').max(80)
const documentForm = z
  .object({
    type: z.enum(DOCUMENT_TYPES, 'platform.field.required'),
    number: words,
    issuer: words,
    issuedOn: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'platform.field.required'),
  })
  .transform((document, ctx) => {
    const number = document.type === 'death-certificate' ? parseCertificateNumber(document.number) : document.number
    if (number !== undefined) return { ...document, number }
    ctx.addIssue({ code: 'custom', path: ['number'], message: 'helpdesk.field.certificate' })
    return z.NEVER
  })
type DocumentForm = z.output<typeof documentForm>
const pictureForm = z.object({ kind: z.enum(['document-front', 'document-back', 'signature']), file })
type PictureForm = z.output<typeof pictureForm>
const fingerForm = z.object({ finger: z.enum(FINGERS), file })
type FingerForm = z.output<typeof fingerForm>
const missingForm = z.object({ finger: z.enum(FINGERS), missing: z.enum(MISSING_FINGER_REASONS, 'platform.field.required') })
type MissingForm = z.output<typeof missingForm>
const PAGE_OF_PICTURE = { 'document-front': 'documento', 'document-back': 'documento', signature: 'assinatura' } as const

type Params = { params: AttendanceParams }

/** Documents, signature and fingerprints: forms with files that work without a script. */
export function createCaptureRoutes({ pages, attendances, captures }: CaptureRoutesDependencies): Router {
  const router = new Router()
  const params = attendanceParams

  /** A page of a draft, for whoever holds it. */
  async function show(ctx: HttpContext, visit: DeskVisit, page: { id: string; view: string; data?: object; scripts?: string[] }): Promise<void> {
    const { id, view, data = {} } = page
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother)
    if (attendance.state !== 'open') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    const items = await captures.list(id)
    const of = (kind: Item['kind'], slot = '') => items.find((item) => item.kind === kind && item.slot === slot)
    const picture = (item: Item | undefined) => item && `${pageOfCase(id)}/imagem/${item.id}`
    const pictures = {
      front: picture(of('document-front')),
      back: picture(of('document-back')),
      signature: picture(of('signature')),
    }
    const fingers = FINGERS.map((finger) => ({ finger, state: stateOf(of('fingerprint', finger)) }))
    const types = { documents: DOCUMENT_TYPES.filter((type) => isFitDocument(attendance.reason, type)), missing: MISSING_FINGER_REASONS }
    const shared = { id, page: pageOfCase(id), protocol: attendance.protocol, pictures, purpose: purposeOf(attendance.reason), fingers, types, hasDocument: of('document') !== undefined }
    pages.show(ctx, visit, { section: 'attendances', view, data: { ...shared, ...data } })
  }
  const open = (view: string, scripts: string[] = []) =>
    telling(pages, (ctx, visit, { params: { id } }: Params) => show(ctx, visit, { id, view, data: { scripts } }))

  const addDocument = telling(pages, async (ctx, visit, { params: { id }, body }: Params & { body: DocumentForm }) => {
    await captures.addDocument(id, body, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}/documento`)
  })
  const wrongDocument = telling(pages, (ctx, visit, { params: { id }, errors, typed }: Params & { errors: FieldErrors; typed: Typed }) =>
    show(ctx, visit, { id, view: 'document', data: { errors, typed, scripts: [] } }),
  )
  const addPicture = telling(pages, async (ctx, visit, { params: { id }, body }: Params & { body: PictureForm }) => {
    await captures.addPicture(id, body.kind, body.file.bytes, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}/${PAGE_OF_PICTURE[body.kind]}`)
  })
  const addFinger = telling(pages, async (ctx, visit, { params: { id }, body }: Params & { body: FingerForm }) => {
    await captures.addFinger(id, body.finger, body.file.bytes, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}/digitais`)
  })
  const missFinger = telling(pages, async (ctx, visit, { params: { id }, body }: Params & { body: MissingForm }) => {
    await captures.missFinger(id, body.finger, body.missing, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}/digitais`)
  })
  /** Nothing was chosen: the case's page says what to do about pictures. */
  const noFile = telling(pages, async (ctx, _visit, { params: { id } }: Params) => seeOther(ctx, `${pageOfCase(id)}?aviso=picture`))

  const upload = { consumes: 'upload', limitBytes: PHOTO_LIMITS.maxBytes, onInvalid: noFile } as const
  router.get(`${PAGE}/documento`, guard({ params }, open('document')))
  router.post(`${PAGE}/documento`, guard({ params, body: documentForm, keep: ['type', 'issuer', 'issuedOn'], onInvalid: wrongDocument }, addDocument))
  router.post(`${PAGE}/arquivo`, guard({ params, body: pictureForm, ...upload }, addPicture))
  router.get(`${PAGE}/assinatura`, guard({ params }, open('signature', ['signature.js', 'speech.js'])))
  router.get(`${PAGE}/digitais`, guard({ params }, open('fingers')))
  router.post(`${PAGE}/digitais`, guard({ params, body: fingerForm, ...upload }, addFinger))
  router.post(`${PAGE}/digitais/falta`, guard({ params, body: missingForm, onInvalid: noFile }, missFinger))
  return router
}

function stateOf(item: Item | undefined): 'none' | 'taken' | 'missing' {
  if (item === undefined) return 'none'
  return item.hasBytes ? 'taken' : 'missing'
}
