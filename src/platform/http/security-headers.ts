import type { HttpContext, HttpMiddleware } from './request-facts.ts'

const FORM_ACTION = "form-action 'self'"

/**
 * Nothing inline, nothing from elsewhere. `media-src` is for the camera preview, `data:`/`blob:` images for the QR code and stills.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob: mediastream:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  FORM_ACTION,
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const PERMISSIONS = [
  'camera=(self)',
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
  ...['accelerometer', 'display-capture', 'geolocation', 'gyroscope', 'hid', 'microphone', 'midi', 'payment', 'serial', 'usb'].map(
    (feature) => `${feature}=()`,
  ),
].join(', ')

/**
 * Headers of every answer; a handler that may be cached or framed says so itself afterwards.
 *
 * `Referrer-Policy: same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` on our own forms.
 */
export function createSecurityHeaders(options: { secure: boolean }): HttpMiddleware {
  const headers: [string, string][] = [
    ['Content-Security-Policy', CONTENT_SECURITY_POLICY],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'DENY'],
    ['Referrer-Policy', 'same-origin'],
    ['Cache-Control', 'no-store'],
    ['Permissions-Policy', PERMISSIONS],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['X-Permitted-Cross-Domain-Policies', 'none'],
    ['X-DNS-Prefetch-Control', 'off'],
  ]
  if (options.secure) headers.push(['Strict-Transport-Security', 'max-age=63072000; includeSubDomains'])
  return async (ctx, next) => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value)
    await next()
  }
}

/**
 * Lets forms of this page end at the given addresses (a redirect counts: Chromium checks `form-action` after a POST's redirect too).
 *
 * Give redirect URIs of the client whose interaction this is, never anything from the request.
 */
export function allowFormAction(ctx: HttpContext, redirectUris: readonly string[]): void {
  const sources = new Set(redirectUris.map(sourceOf).filter((source) => source !== undefined))
  const policy = String(ctx.res.getHeader('Content-Security-Policy') ?? CONTENT_SECURITY_POLICY)
  ctx.set('Content-Security-Policy', policy.replace(FORM_ACTION, [FORM_ACTION, ...sources].join(' ')))
}

/** The origin for http(s), the scheme for the private-use schemes of installed apps (RFC 8252 §7.1). */
function sourceOf(redirectUri: string): string | undefined {
  if (!URL.canParse(redirectUri)) return undefined
  const { protocol, origin } = new URL(redirectUri)
  if (protocol === 'http:' || protocol === 'https:') return origin
  return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol) ? protocol : undefined
}
