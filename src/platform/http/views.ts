import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Eta } from 'eta'
import type { Assets } from './assets.ts'
import type { Csrf } from './csrf.ts'
import { createFormats, type Formats, LOCALES, type Locale, languageLinks, localeOf } from './locale.ts'
import type { MessageParams, Messages } from './messages.ts'
import { type HttpContext, requestFacts } from './request-facts.ts'

/** HTML that templates print as it is; made only by partials and by `html` below. */
export class SafeHtml {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }

  toString(): string {
    return this.markup
  }
}

export interface Views {
  /** Renders a page into the answer, as HTML in the citizen's language. */
  render(ctx: HttpContext, view: string, data?: object): void
  /** The same, as a string, for pages that the protocol server sends itself. */
  html(ctx: HttpContext, view: string, data?: object): string
}

export interface ViewsDeps {
  readonly folder: string
  readonly messages: Messages
  readonly assets: Assets
  readonly csrf: Csrf
  readonly site: Site
}

export interface Site {
  /** Puts the demonstration banner on every page. */
  readonly demo: boolean
  readonly publicUrl: string
}

/** Short names that every template has; see docs/look.md. */
const TEMPLATE_HEADER = `const { t, th, ui, p, inner, date, dateTime, longDate, asset } = it
const wrap = (part, params, fill) => output(ui[part](params, it.safe(capture(fill))))`

/**
 * Templates of `views/`, compiled once at start: a template that does not compile stops the start, not a citizen.
 *
 * Interpolations `<%= %>` are escaped, except what partials made (SafeHtml). Nothing else needs `<%~ %>`.
 */
export function createViews(deps: ViewsDeps): Views {
  const eta = new Eta({
    views: deps.folder,
    cache: true,
    functionHeader: TEMPLATE_HEADER,
    escapeFunction: (value) => markup(value),
    autoTrim: [false, 'nl'],
  })
  compileAll(eta, deps.folder)
  const icons = readIcons(join(deps.folder, 'icons.json'))
  const formats = new Map(LOCALES.map((locale) => [locale, createFormats(locale)]))
  const formatsOf = (locale: Locale): Formats => formats.get(locale) ?? createFormats(locale)

  const html = (ctx: HttpContext, view: string, data: object = {}) => {
    const locale = localeOf(ctx)
    const page = { ...data, ...formatsOf(locale), ...pageFacts(deps, ctx, locale) }
    return eta.render(`/${view}`, { ...page, ui: createUi(eta, icons, page) })
  }
  return {
    html,
    render: (ctx, view, data) => {
      ctx.body = html(ctx, view, data)
      ctx.type = 'text/html; charset=utf-8'
      ctx.set('Content-Language', localeOf(ctx))
      ctx.vary('Accept-Language')
    },
  }
}

function pageFacts({ messages, assets, csrf, site }: ViewsDeps, ctx: HttpContext, locale: Locale) {
  return {
    locale,
    site,
    safe: (html: string) => new SafeHtml(html),
    asset: assets.url,
    requestId: requestFacts(ctx).requestId,
    languages: languageLinks(ctx),
    t: (key: string, params?: MessageParams) => messages.text(locale, key, params),
    th: (key: string, params: Record<string, string | number | SafeHtml> = {}) => withMarkup(messages, locale, key, params),
    hasText: messages.has,
    csrf: () => csrf.token(ctx),
  }
}

/** A message with some parameters that are markup (a link, a bold name); everything else is escaped. */
function withMarkup(messages: Messages, locale: Locale, key: string, params: Record<string, string | number | SafeHtml>): SafeHtml {
  const plain = Object.fromEntries(Object.keys(params).map((name) => [name, `{${name}}`]))
  const count = params['count']
  const text = escapeHtml(messages.text(locale, key, typeof count === 'number' ? { ...plain, count } : plain))
  return new SafeHtml(text.replace(/\{(\w+)\}/g, (whole, name: string) => markup(params[name] ?? whole)))
}

function markup(value: unknown): string {
  if (value instanceof SafeHtml) return value.markup
  return value === undefined || value === null ? '' : escapeHtml(String(value))
}

/** Text made harmless in HTML text and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * `ui.<name>(params, inner?)` renders `views/partials/<name>.eta` with the page's own data around it.
 *
 * `inner` is HTML that was already rendered; templates write `wrap('card', params, () => { … })`.
 */
function createUi(eta: Eta, icons: ReadonlyMap<string, string>, page: object): object {
  const ui: Record<string, unknown> = {
    icon: (name: string, options: { size?: number; label?: string } = {}) => icon(icons, name, options),
    link: (href: string, text: string) => new SafeHtml(`<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`),
    strong: (text: string) => new SafeHtml(`<strong>${escapeHtml(text)}</strong>`),
  }
  const all: object = new Proxy(ui, {
    get: (known, name) => {
      if (typeof name !== 'string' || name in known) return Reflect.get(known, name)
      return (params: object = {}, inner: SafeHtml | string = '') =>
        new SafeHtml(eta.render(`/partials/${name}`, { ...page, ui: all, p: params, inner }))
    },
  })
  return all
}

function icon(icons: ReadonlyMap<string, string>, name: string, { size = 24, label }: { size?: number; label?: string }): SafeHtml {
  const shape = icons.get(name)
  if (shape === undefined) throw new Error(`no icon ${name}`)
  const role = label === undefined ? 'aria-hidden="true"' : `role="img" aria-label="${escapeHtml(label)}"`
  return new SafeHtml(`<svg class="icon" viewBox="0 0 24 24" width="${size}" height="${size}" focusable="false" ${role}>${shape}</svg>`)
}

function readIcons(file: string): Map<string, string> {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return new Map(Object.entries(parsed ?? {}).map(([name, shape]) => [name, String(shape)]))
}

function compileAll(eta: Eta, folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.eta')) continue
    const filepath = join(folder, file)
    eta.templatesSync.define(filepath, eta.compile(readFileSync(filepath, 'utf8'), { filepath }))
  }
}
