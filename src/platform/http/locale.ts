import { CIVIL_ZONE } from '../clock.ts'
import type { HttpContext, HttpMiddleware } from './request-facts.ts'
import { scopeOf } from './request-facts.ts'

export const LOCALES = ['pt-BR', 'en', 'es'] as const
export type Locale = (typeof LOCALES)[number]
export const DEFAULT_LOCALE: Locale = 'pt-BR'

const COOKIE = 'lang'
const YEAR_SECONDS = 365 * 24 * 3600

/** The locale that a language tag asks for: `pt-PT` and `pt` give `pt-BR`, `es-419` gives `es`. */
export function matchLocale(tag: string | undefined): Locale | undefined {
  const language = tag?.trim().toLowerCase().split('-')[0]
  return LOCALES.find((locale) => locale.split('-')[0] === language)
}

/** What the citizen chose on our page, else what the relying party asked (`ui_locales`), else the browser's, else Portuguese. */
export function localeOf(ctx: HttpContext): Locale {
  const state: { locale?: Locale; uiLocales?: string | readonly string[] } = ctx.state
  const asked = [state.uiLocales ?? []].flat().flatMap((tags) => tags.split(' '))
  const browser = ctx.get('Accept-Language') === '' ? [] : ctx.acceptsLanguages()
  const first = [state.locale, scopeOf(ctx).cookies.read(ctx, COOKIE), ...asked, ...[browser || []].flat()]
    .map((tag) => matchLocale(tag))
    .find((locale) => locale !== undefined)
  return first ?? DEFAULT_LOCALE
}

/** `?lang=en` on any page: remembers the choice and returns to the page, so that it works without JavaScript. */
export function createLanguageSwitch(): HttpMiddleware {
  return async (ctx, next) => {
    const chosen = ctx.method === 'GET' && ctx.querystring.includes('lang=') ? ctx.URL.searchParams.get('lang') : null
    if (chosen === null || ctx.accepts('json', 'html') !== 'html') return next()
    const locale = matchLocale(chosen)
    if (locale !== undefined) scopeOf(ctx).cookies.write(ctx, COOKIE, locale, { maxAgeSeconds: YEAR_SECONDS })
    ctx.set('Location', pathWithout(ctx, 'lang'))
    ctx.body = ''
    ctx.status = 303
  }
}

/** Links that show this page in another language. */
export function languageLinks(ctx: HttpContext): { locale: Locale; href: string }[] {
  const here = pathWithout(ctx, 'lang')
  return LOCALES.map((locale) => ({ locale, href: `${here}${here.includes('?') ? '&' : '?'}lang=${locale}` }))
}

/** Path and query, safe as a Location: never `//elsewhere`. */
function pathWithout(ctx: HttpContext, name: string): string {
  const query = new URLSearchParams(ctx.method === 'GET' ? ctx.querystring : '')
  query.delete(name)
  const path = ctx.path.replace(/^[/\\]+/, '/')
  return query.size === 0 ? path : `${path}?${query}`
}

/** Dates and numbers as people of that language write them, at Mato Grosso's time. */
export interface Formats {
  /** 12/03/1985; takes a moment or a plain `YYYY-MM-DD`. */
  date(value: Date | string): string
  /** 12 de março de 2026 */
  longDate(value: Date | string): string
  /** 12/03/2026 14:05 */
  dateTime(value: Date): string
  time(value: Date): string
  number(value: number): string
}

/** Formats for one locale; made once, since `Intl` objects are costly. */
export function createFormats(locale: Locale): Formats {
  const with_ = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { timeZone: CIVIL_ZONE, ...options })
  const date = with_({ day: '2-digit', month: '2-digit', year: 'numeric' })
  const longDate = with_({ day: 'numeric', month: 'long', year: 'numeric' })
  const time = with_({ hour: '2-digit', minute: '2-digit' })
  const numbers = new Intl.NumberFormat(locale)
  return {
    date: (value) => date.format(moment(value)),
    longDate: (value) => longDate.format(moment(value)),
    dateTime: (value) => `${date.format(value)} ${time.format(value)}`,
    time: (value) => time.format(value),
    number: (value) => numbers.format(value),
  }
}

/** A plain date is noon in Cuiabá (UTC−4, no daylight saving), so that no zone moves it to another day. */
function moment(value: Date | string): Date {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? new Date(`${value}T12:00:00-04:00`) : new Date(value)
}
