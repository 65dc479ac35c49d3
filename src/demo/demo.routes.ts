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
  /** The citizen signed in to `/conta`; `undefined` sends to the sign-in. */
  findCitizen(ctx: HttpContext): Promise<{ accountId: string; name: string } | undefined>
  /** What is wrong with the photograph, nothing once it is stored. */
  takePhoto(accountId: string, photo: Uint8Array): Promise<readonly string[]>
}

export interface DemoRoutesDependencies {
  readonly pages: DemoPages
  readonly views: Views
  readonly messages: Messages
  readonly portalUrl: string
}

const PHOTO_TYPES = ['image/jpeg', 'image/png', 'image/webp']

/** Pages that exist only in the demonstration: the messages that were "sent", and the citizen's own reference photo. */
export function createDemoRoutes({ pages, views, messages, portalUrl }: DemoRoutesDependencies): Router {
  const router = new Router()

  router.get('/demo/mensagens', guard({}, async (ctx) => {
    ctx.status = 200
    views.render(ctx, 'demo/messages', { messages: await pages.recentMessages() })
  }))

  router.get('/demo/foto', guard({}, async (ctx) => {
    const citizen = await pages.findCitizen(ctx)
    if (citizen === undefined) return ctx.redirect('/conta/entrar?para=/demo/foto')
    ctx.status = 200
    views.render(ctx, 'demo/photo', { name: citizen.name, portalUrl })
  }))

  router.post('/demo/foto', guard({ consumes: 'bytes', contentTypes: PHOTO_TYPES, limitBytes: PHOTO_LIMITS.maxBytes, body: bytes }, async (ctx, { body }) => {
    const citizen = await pages.findCitizen(ctx)
    if (citizen === undefined) {
      ctx.status = 401
      ctx.body = { stored: false, reasons: [messages.text(localeOf(ctx), 'demo.photo.sign-in')] }
      return
    }
    const codes = await pages.takePhoto(citizen.accountId, body).catch(refusalOf)
    ctx.status = codes.length === 0 ? 201 : 422
    ctx.body = { stored: codes.length === 0, reasons: codes.map((code) => messages.text(localeOf(ctx), code)) }
  }))

  return router
}

function refusalOf(error: unknown): readonly string[] {
  if (error instanceof ImageRefused) return [`demo.photo.refused-${error.code}`]
  throw error
}
