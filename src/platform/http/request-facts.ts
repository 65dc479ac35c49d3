import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type Koa from 'koa'
import type { Csrf } from './csrf.ts'

/** The context of our own pages and of the protocol's pages alike. */
export type HttpContext = Koa.ParameterizedContext
export type HttpMiddleware = (ctx: HttpContext, next: Koa.Next) => Promise<void>

/** What a room may know about the request itself. */
export interface RequestFacts {
  /** A UUID, made here for every request and shown on problem pages. */
  readonly requestId: string
  /** The citizen's address: the right-most one that no trusted proxy reported for itself. */
  readonly ip: string
  /** At most 300 characters; empty when not sent. */
  readonly userAgent: string
  /** Value of the long-lived device cookie, when the browser has one. */
  readonly deviceCookie: string | undefined
}

export interface CookieOptions {
  /** Without it the cookie ends with the browser session. */
  readonly maxAgeSeconds?: number
  readonly sameSite?: 'Lax' | 'Strict'
}

/** Our cookies: HttpOnly, path `/`, and on https `__Host-` and Secure. */
export interface Cookies {
  /** The full name, for `mt_csrf` given `csrf`. */
  nameOf(label: string): string
  read(ctx: HttpContext, label: string): string | undefined
  write(ctx: HttpContext, label: string, value: string, options?: CookieOptions): void
  clear(ctx: HttpContext, label: string): void
}

export interface RequestScope {
  readonly facts: RequestFacts
  readonly cookies: Cookies
  readonly csrf: Csrf
}

/**
 * Keyed by Node's request and not by koa's context: the protocol server is a koa application of its own, so one request has two
 * contexts, and pages rendered from either need the same facts.
 */
const scopes = new WeakMap<IncomingMessage, RequestScope>()

/** What the first middleware found out about this request. */
export function scopeOf(ctx: HttpContext): RequestScope {
  const scope = scopes.get(ctx.req)
  if (scope === undefined) throw new Error('createRequestFacts must run before everything else')
  return scope
}

/** The facts of this request, from any koa context over it. */
export function requestFacts(ctx: HttpContext): RequestFacts {
  return scopeOf(ctx).facts
}

/** First middleware of every server of ours: request id, address, cookies. */
export function createRequestFacts(options: { trustedProxies: readonly string[]; cookies: Cookies; csrf: Csrf }): HttpMiddleware {
  const trusted = proxyList(options.trustedProxies)
  return async (ctx, next) => {
    const facts: RequestFacts = {
      requestId: randomUUID(),
      ip: clientAddress(ctx.req.socket.remoteAddress ?? '', ctx.req.headers['x-forwarded-for'], trusted),
      userAgent: (ctx.req.headers['user-agent'] ?? '').slice(0, 300),
      deviceCookie: options.cookies.read(ctx, 'device'),
    }
    scopes.set(ctx.req, { facts, cookies: options.cookies, csrf: options.csrf })
    ctx.set('X-Request-Id', facts.requestId)
    await next()
  }
}

/** Addresses and CIDR ranges whose X-Forwarded-For is believed. */
export function proxyList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.trim().split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (isIP(address) === 0) throw new Error(`trusted proxy ${entry} is not an address or a CIDR range`)
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/**
 * The address of whoever spoke to our outermost trusted proxy.
 *
 * Read from the right: only what a trusted peer appended is believed, so a client that sends its own header gains nothing.
 */
export function clientAddress(peer: string, forwarded: string | string[] | undefined, trusted: BlockList): string {
  const chain = [...[forwarded ?? []].flat().join(',').split(','), peer].map(plainAddress).filter((address) => address !== '')
  for (let at = chain.length - 1; at > 0; at -= 1) {
    const address = chain[at] ?? ''
    if (isIP(chain[at - 1] ?? '') === 0) return address
    if (!trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return address
  }
  return chain[0] ?? ''
}

function plainAddress(text: string): string {
  const address = text
    .trim()
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(address) ? address.replace(/:\d+$/, '') : address
}

/** Cookies for this deployment; `secure` when the public address is https. */
export function createCookies(options: { secure: boolean }): Cookies {
  const prefix = options.secure ? '__Host-mt_' : 'mt_'
  const flags = `Path=/; HttpOnly${options.secure ? '; Secure' : ''}`
  const append = (ctx: HttpContext, label: string, value: string, tail: string) => {
    ctx.append('Set-Cookie', `${prefix}${label}=${value}; ${flags}; ${tail}`)
  }
  return {
    nameOf: (label) => prefix + label,
    read: (ctx, label) => cookieValue(ctx.req.headers.cookie, prefix + label),
    write: (ctx, label, value, { maxAgeSeconds, sameSite = 'Lax' } = {}) => {
      if (!/^[\w.~-]*$/.test(value)) throw new Error('cookie values are opaque: letters, digits, dot, dash, underscore, tilde')
      append(ctx, label, value, `SameSite=${sameSite}${maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`}`)
    },
    clear: (ctx, label) => append(ctx, label, '', 'SameSite=Lax; Max-Age=0'),
  }
}

function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim() || undefined
  }
  return undefined
}
