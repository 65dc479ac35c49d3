import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DEFAULT_LOCALE, LOCALES, type Locale } from './locale.ts'

export type MessageParams = Record<string, string | number>

/** Every text that a citizen sees, by locale and key. */
export interface Messages {
  /**
   * The text with `{name}` replaced. With a `count`, keys `x.one` and `x.other` are chosen by the language's plural rule.
   *
   * The result is plain text: templates escape it like any other value.
   */
  text(locale: Locale, key: string, params?: MessageParams): string
  has(key: string): boolean
  readonly keys: ReadonlySet<string>
  /** Keys missing or different between locales; the process must not start in production with any. */
  readonly faults: readonly string[]
}

type Catalog = Map<string, string>

/**
 * Reads `<folder>/<locale>/<room>.json`: flat objects whose keys start with the room's name.
 *
 * A key that one language lacks falls back to Portuguese; one that Portuguese lacks throws when `strict` (tests), else shows itself.
 */
export function loadMessages(options: { folder: string; strict: boolean }): Messages {
  const faults: string[] = []
  const catalogs = new Map(LOCALES.map((locale) => [locale, readCatalog(join(options.folder, locale), faults)]))
  const main = catalogs.get(DEFAULT_LOCALE) ?? new Map<string, string>()
  for (const locale of LOCALES) faults.push(...differences(locale, main, catalogs.get(locale) ?? new Map()))
  const plurals = new Map(LOCALES.map((locale) => [locale, new Intl.PluralRules(locale)]))
  const pick = (locale: Locale, key: string) => catalogs.get(locale)?.get(key) ?? main.get(key)
  return {
    keys: new Set(main.keys()),
    faults,
    has: (key) => main.has(key),
    text: (locale, key, params = {}) => {
      const form = typeof params['count'] === 'number' ? (plurals.get(locale)?.select(params['count']) ?? 'other') : undefined
      const text = pick(locale, key) ?? (form && (pick(locale, `${key}.${form}`) ?? pick(locale, `${key}.other`)))
      if (text === undefined) {
        if (options.strict) throw new Error(`no message ${key}`)
        return key
      }
      return fill(text, key, params, options.strict)
    },
  }
}

function fill(text: string, key: string, params: MessageParams, isStrict: boolean): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name]
    if (value === undefined && isStrict) throw new Error(`message ${key} needs ${name}`)
    return value === undefined ? whole : String(value)
  })
}

function readCatalog(folder: string, faults: string[]): Catalog {
  const catalog: Catalog = new Map()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const room = basename(file, '.json')
    const parsed: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    for (const [key, text] of Object.entries(parsed ?? {})) {
      if (typeof text !== 'string' || text.trim() === '') faults.push(`${folder}/${file}: ${key} is not a text`)
      else if (!key.startsWith(`${room}.`) && !key.startsWith(`${room}/`))
        faults.push(`${folder}/${file}: ${key} does not start with ${room}`)
      else catalog.set(key, text)
    }
  }
  return catalog
}

function differences(locale: Locale, main: Catalog, other: Catalog): string[] {
  const missing = [...main.keys()].filter((key) => !other.has(key)).map((key) => `${locale} lacks ${key}`)
  const extra = [...other.keys()].filter((key) => !main.has(key)).map((key) => `${locale} alone has ${key}`)
  const params = [...main].filter(([key, text]) => other.has(key) && names(text) !== names(other.get(key) ?? ''))
  return [...missing, ...extra, ...params.map(([key]) => `${locale} uses other parameters in ${key}`)]
}

function names(text: string): string {
  return [...new Set(text.match(/\{\w+\}/g))].sort().join()
}
