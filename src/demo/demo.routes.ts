import Router from '@koa/router'
import { ImageRefused, PHOTO_LIMITS } from '../biometrics/index.ts'
import { bytes, guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import type { DemoMessage } from '../platform/outbox.ts'

export interface DemoPages {
  /** Newest first. */
  recentMessages(): Promise<readonly DemoMessage[]>
  /** Id of the person signed in to `/conta`; `undefined` sends to the sign-in. */
  findPerson(ctx: HttpContext): Promise<string | undefined>
  /** What is wrong with the photograph, nothing once it is stored. */
  takePhoto(personId: string, photo: Uint8Array): Promise<readonly string[]>
}

export interface DemoRoutesDependencies {
  readonly pages: DemoPages
  readonly views: Views
  readonly messages: Messages
  readonly portalUrl: string
}

/** The bytes say what they are; the type that a browser guesses from a file's name does not count. */
const PHOTO_TYPES = ['application/octet-stream', 'image/jpeg', 'image/png', 'image/webp']

/** Pages that exist only in the demonstration: the messages that were "sent", and the citizen's own reference photo. */
export function createDemoRoutes({ pages, views, messages, portalUrl }: DemoRoutesDependencies): Router {
  const router = new Router()

  router.get(
    '/demo/mensagens',
    guard({}, async (ctx) => {
      ctx.status = 200
      views.render(ctx, 'demo/messages', { messages: await pages.recentMessages() })
    }),
  )

  router.get(
    '/demo/foto',
    guard({}, async (ctx) => {
      if ((await pages.findPerson(ctx)) === undefined) return ctx.redirect('/conta/entrar?para=/demo/foto')
      ctx.status = 200
      views.render(ctx, 'demo/photo', { portalUrl, maxBytes: PHOTO_LIMITS.maxBytes })
    }),
  )

  router.post(
    '/demo/foto',
    guard({ consumes: 'bytes', contentTypes: PHOTO_TYPES, limitBytes: PHOTO_LIMITS.maxBytes, body: bytes }, async (ctx, { body }) => {
      const personId = await pages.findPerson(ctx)
      if (personId === undefined) return answer(ctx, 401, ['demo.photo.sign-in'])
      const codes = await pages.takePhoto(personId, body).catch(refusalOf)
      answer(ctx, codes.length === 0 ? 201 : 422, codes)
    }),
  )

  function answer(ctx: HttpContext, status: number, codes: readonly string[]): void {
    ctx.status = status
    ctx.body = { stored: codes.length === 0, reasons: codes.map((code) => messages.text(localeOf(ctx), code)) }
  }

  return router
}

function refusalOf(error: unknown): readonly string[] {
  if (error instanceof ImageRefused) return [`demo.photo.refused-${error.code}`]
  throw error
}
