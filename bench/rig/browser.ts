/** What a browser does of a login: keeps cookies by path, follows redirects, fills and sends the page's main form. */
import { type Answer, HttpConnection } from './http-connection.ts'

interface Cookie {
  readonly value: string
  readonly path: string
}

/** Cookies by name and path, as the server set them; expired ones are dropped. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie & { readonly name: string }>()

  take(lines: readonly string[], requestPath: string): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals)
      const value = pair.slice(equals + 1)
      const named = new Map(attributes.map((attribute) => [attribute.split('=', 1)[0]?.toLowerCase() ?? '', attribute.slice(attribute.indexOf('=') + 1)]))
      const path = named.get('path') ?? requestPath.slice(0, requestPath.lastIndexOf('/') || 1)
      const key = `${name};${path}`
      const expires = named.get('expires')
      const isGone = value === '' || named.get('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now())
      if (isGone) this.#cookies.delete(key)
      else this.#cookies.set(key, { name, value, path })
    }
  }

  header(requestPath: string): string {
    let header = ''
    for (const { name, value, path } of this.#cookies.values()) {
      const matches = path === '/' || requestPath === path || requestPath.startsWith(path.endsWith('/') ? path : `${path}/`)
      if (matches) header += header === '' ? `${name}=${value}` : `; ${name}=${value}`
    }
    return header
  }

  /** Forgets all but the cookies whose name matches: a returning person keeps the device's mark, not the session. */
  keepOnly(names: RegExp): void {
    for (const [key, { name }] of this.#cookies) if (!names.test(name)) this.#cookies.delete(key)
  }
}

const MOST_STEPS = 24

export interface Form {
  readonly action: string
  readonly fields: ReadonlyMap<string, string>
}

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>', '&#x27;': "'", '&#x2F;': '/' }
const decode = (text: string) => text.replace(/&[#\w]+;/g, (entity) => ENTITIES[entity] ?? entity)

function attributesOf(tag: string): ReadonlyMap<string, string> {
  return new Map([...tag.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(([, name = '', value = '']) => [name.toLowerCase(), decode(value)]))
}

function formFrom(html: string, page: string, attributes: ReadonlyMap<string, string>): Form {
  const fields = new Map<string, string>()
  for (const [, tag = ''] of html.matchAll(/<input\s([^>]*)>/gi)) {
    const input = attributesOf(tag)
    const name = input.get('name')
    const isUnchecked = /checkbox|radio/.test(input.get('type') ?? '') && !input.has('checked')
    if (name && !isUnchecked) fields.set(name, input.get('value') ?? '')
  }
  const button = /<button\s([^>]*)>/i.exec(html)?.[1]
  const pressed = button ? attributesOf(button) : undefined
  const name = pressed?.get('name')
  if (name) fields.set(name, pressed?.get('value') ?? '')
  return { action: attributes.get('action') || page, fields }
}

/** The page's main form: the one that asks for a password, else the first that is sent by POST from inside `<main>`. */
export function mainForm(html: string, page: string): Form | undefined {
  const main = html.slice(Math.max(0, html.search(/<main[\s>]/i)))
  const forms = [...main.matchAll(/<form\s([^>]*)>([\s\S]*?)<\/form>/gi)]
    .map(([, tag = '', inner = '']) => ({ attributes: attributesOf(tag), inner }))
    .filter(({ attributes }) => attributes.get('method')?.toLowerCase() === 'post')
  const chosen = forms.find(({ inner }) => /type="password"/i.test(inner)) ?? forms[0]
  return chosen && formFrom(chosen.inner, page, chosen.attributes)
}

/** One person at one browser, on one connection to the server. */
export class Browser {
  readonly connection: HttpConnection
  jar = new CookieJar()
  /** Sent as X-Forwarded-For, so that the load comes from as many addresses as people. */
  address = '198.51.100.1'
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
    this.connection = new HttpConnection(origin)
  }

  async #send(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    const bare = path.split('?', 1)[0] ?? path
    const cookie = this.jar.header(bare)
    const headers: Record<string, string> = { accept: 'text/html', 'user-agent': 'bench', 'x-forwarded-for': this.address, ...(cookie && { cookie }) }
    if (body !== undefined) Object.assign(headers, { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin, 'sec-fetch-site': 'same-origin' })
    const answer = await this.connection.send({ method, path, headers, ...(body !== undefined && { body }) })
    this.jar.take(answer.cookies, bare)
    return answer
  }

  /** Opens a page of this server, wherever redirects within it lead. */
  async open(path: string): Promise<{ answer: Answer; path: string }> {
    let at = path
    let answer = await this.#send('GET', at)
    for (let step = 0; step < MOST_STEPS && answer.headers.has('location'); step += 1) {
      const next = this.#within(answer.headers.get('location') ?? '')
      if (!next.startsWith('/')) break
      at = next
      answer = await this.#send('GET', at)
    }
    return { answer, path: at }
  }

  #within(location: string): string {
    return location.startsWith(this.#origin) ? location.slice(this.#origin.length) || '/' : location
  }

  /** Follows redirects and sends forms with `typed` values until the server leads to `destination`; returns that address. */
  async browseTo(destination: string, path: string, typed: Readonly<Record<string, string>> = {}): Promise<URL> {
    let answer = await this.#send('GET', path)
    let page = path
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const location = answer.headers.get('location')
      if (location) {
        const next = new URL(location, this.#origin)
        if (next.href.startsWith(destination)) return next
        page = this.#within(location)
        answer = await this.#send('GET', page)
        continue
      }
      const html = answer.body.toString()
      const form = answer.status < 400 ? mainForm(html, page) : undefined
      if (!form) throw new Error(`no way on from ${page}: status ${answer.status} ${html.slice(0, 400)}`)
      const fields = new URLSearchParams()
      for (const [name, value] of form.fields) fields.append(name, typed[name] ?? value)
      page = this.#within(form.action)
      answer = await this.#send('POST', page, fields.toString())
    }
    throw new Error(`no end of pages on the way to ${destination}: last was ${page}`)
  }
}
