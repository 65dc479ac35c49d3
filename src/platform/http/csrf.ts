import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '../problem.ts'
import { HTTP_PROBLEMS } from './problems.ts'
import type { Cookies, HttpContext } from './request-facts.ts'

const COOKIE = 'csrf'
const COOKIE_SHAPE = /^[\w-]{43}$/

/** Refuses state changes that another site started (OWASP double submit, bound by HMAC to a cookie of this browser). */
export interface Csrf {
  /** The token for this page; sets the cookie on a browser's first visit. */
  token(ctx: HttpContext): string
  /** @throws {Problem} platform/forged-request */
  check(ctx: HttpContext, token: string | undefined): void
}

export interface CsrfDeps {
  readonly keyring: { hash(value: string, purpose: string): Buffer }
  readonly cookies: Cookies
  /** Origin of our pages, such as `https://login.mt.gov.br`. */
  readonly origin: string
}

/**
 * Tokens are `nonce.HMAC(cookie, nonce)`: a fresh nonce each time leaves nothing constant for a compression side channel (BREACH).
 */
export function createCsrf({ keyring, cookies, origin }: CsrfDeps): Csrf {
  const fresh = new WeakMap<IncomingMessage, string>()
  const sign = (browser: string, nonce: string) => keyring.hash(`${browser}.${nonce}`, 'csrf').toString('base64url')
  const browserOf = (ctx: HttpContext) => {
    const value = cookies.read(ctx, COOKIE)
    return value !== undefined && COOKIE_SHAPE.test(value) ? value : undefined
  }
  return {
    token: (ctx) => {
      let browser = fresh.get(ctx.req) ?? browserOf(ctx)
      if (browser === undefined) {
        browser = randomBytes(32).toString('base64url')
        fresh.set(ctx.req, browser)
        cookies.write(ctx, COOKIE, browser)
      }
      const nonce = randomBytes(12).toString('base64url')
      return `${nonce}.${sign(browser, nonce)}`
    },
    check: (ctx, token) => {
      checkSite(ctx, origin)
      const browser = browserOf(ctx)
      const [nonce = '', given = ''] = (token ?? '').split('.')
      if (browser === undefined || given === '') throw forged('no token')
      const wanted = Buffer.from(sign(browser, nonce))
      const offered = Buffer.from(given)
      if (wanted.length !== offered.length || !timingSafeEqual(wanted, offered)) throw forged('wrong token')
    },
  }
}

/** Browsers say where a request comes from; whoever says "elsewhere" is refused before the token is looked at. */
function checkSite(ctx: HttpContext, origin: string): void {
  const site = ctx.get('Sec-Fetch-Site')
  if (site !== '' && site !== 'same-origin' && site !== 'none') throw forged('another site')
  const from = ctx.get('Origin')
  if (from !== '' && from !== origin) throw forged('another origin')
}

function forged(reason: string): Problem {
  return new Problem(HTTP_PROBLEMS.forgedRequest, { cause: reason })
}
