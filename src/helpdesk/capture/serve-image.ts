import type { HttpContext } from '../../platform/http/request-facts.ts'

/** Types that a browser shows; everything else is offered as a file. */
const SHOWN: ReadonlySet<string> = new Set(['image/jpeg', 'image/png'])

/** Sends one picture of a person to whoever may see it; no cache keeps it. */
export function serveImage(ctx: HttpContext, { bytes, contentType }: { bytes: Buffer; contentType: string }): void {
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  if (!SHOWN.has(contentType)) ctx.set('Content-Disposition', 'attachment')
  ctx.type = contentType
  ctx.body = bytes
}
