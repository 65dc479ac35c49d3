import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../../src/platform/http/guard.ts'
import { loadMessages } from '../../../src/platform/http/messages.ts'
import { createPlatformPages } from '../../../src/platform/http/pages.ts'
import { startSite, type TestSite } from '../../support/http-app.ts'

export const KITCHEN_PAGES = ['form', 'form-wrong', 'code', 'consent', 'camera', 'area']

const QR = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h3v3H0zM5 0h3v3H5zM0 5h3v3H0zM4 4h1v1H4zM6 6h2v2H6z"/></svg>')}`

/** A site with one page for each group of parts: for looking at them, for axe and for the size limit. */
export async function startKitchen(): Promise<TestSite> {
  const folder = mkdtempSync(join(tmpdir(), 'mt-look-'))
  const views = new URL('../../../views', import.meta.url).pathname
  cpSync(views, folder, { recursive: true })
  cpSync(new URL('.', import.meta.url).pathname, join(folder, 'look'), { recursive: true })
  const site = await startSite(
    (http) => {
      const router = new Router()
      for (const page of ['form', 'code', 'consent', 'camera', 'area']) {
        router.get(
          `/${page}`,
          guard({}, (ctx) => http.views.render(ctx, `look/${page}`, { qr: QR })),
        )
      }
      router.get(
        '/form-wrong',
        guard({}, (ctx) =>
          http.views.render(ctx, 'look/form', {
            errors: { cpf: 'platform.field.invalid', password: 'platform.field.required' },
            typed: { cpf: '529.982.247-26' },
          }),
        ),
      )
      router.post(
        '/form',
        guard({ body: z.object({ cpf: z.string(), password: z.string() }) }, (ctx) => http.views.render(ctx, 'look/code')),
      )
      const pages = createPlatformPages({ views: http.views, messages: loadMessages({ folder: join(views, 'messages'), strict: true }) })
      return [router.routes(), pages.routes()]
    },
    { demo: true, viewsFolder: folder },
  )
  return {
    ...site,
    stop: async () => {
      await site.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
