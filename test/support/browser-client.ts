/**
 * A browser without scripts, for journeys over HTTP: cookies by host name (ports share them) and path, redirects one by one, forms as the page has them.
 *
 * It refuses what a real browser would refuse (a form field that is not on the page), so that a test cannot pass on a page that no
 * citizen could use.
 */

export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly html: string
  /** Visible text: tags removed, entities decoded, white space collapsed. */
  readonly text: string
  readonly forms: readonly Form[]
  readonly links: readonly Link[]
  /** Every address that was passed on the way here, this one included. */
  readonly trail: readonly URL[]
}

export interface Form {
  readonly action: URL
  readonly method: 'GET' | 'POST'
  /** What would be sent if the citizen changed nothing. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** Names of check boxes and radio buttons with the values that they may take. */
  readonly choices: ReadonlyMap<string, readonly string[]>
  readonly buttons: readonly { name: string | undefined; value: string; label: string }[]
}

export interface Link {
  readonly href: URL
  readonly text: string
}

interface StoredCookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
}

const MAX_REDIRECTS = 20

/** One browser of one person. */
export class BrowserClient {
  readonly #cookies = new Map<string, StoredCookie>()
  readonly #headers: Record<string, string>
  /** Stops before an address is fetched, e.g. at the relying party; the page then has status 0. */
  stopAt: (url: URL) => boolean = () => false

  constructor(headers: Record<string, string> = {}) {
    this.#headers = {
      'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0',
      Accept: 'text/html',
      'Accept-Language': 'pt-BR',
      ...headers,
    }
  }

  get(url: URL | string): Promise<Page> {
    return this.#follow(new URL(url), { method: 'GET' }, [])
  }

  /** Fills in and sends a form of the page. Fields must exist; `button` picks the one whose label contains the text. */
  submit(page: Page, values: Record<string, string | string[]>, options: { action?: string; button?: string } = {}): Promise<Page> {
    const form = findForm(page, options)
    const data = new URLSearchParams()
    for (const [name, held] of form.fields) if (!(name in values)) for (const value of held) data.append(name, value)
    for (const [name, value] of Object.entries(values)) {
      if (!form.fields.has(name) && !form.choices.has(name)) throw new Error(`no field ${name} in the form to ${form.action.pathname}`)
      for (const item of [value].flat()) data.append(name, item)
    }
    const pressed = form.buttons.find(({ label }) => options.button === undefined || label.includes(options.button))
    if (pressed?.name !== undefined) data.append(pressed.name, pressed.value)
    if (form.method === 'GET') {
      const url = new URL(form.action)
      url.search = data.toString()
      return this.#follow(url, { method: 'GET' }, [])
    }
    return this.post(form.action, data, page.url)
  }

  /** Sends files by a form of the page, as a browser does without a script. */
  upload(page: Page, field: string, files: readonly { name: string; bytes: Uint8Array }[], options: { action?: string } = {}): Promise<Page> {
    const form = findForm(page, options)
    const data = new FormData()
    for (const [name, held] of form.fields) if (name !== field) for (const value of held) data.append(name, value)
    if (!form.fields.has(field)) throw new Error(`no field ${field} in the form to ${form.action.pathname}`)
    for (const { name, bytes } of files) data.append(field, new File([new Uint8Array(bytes)], name))
    return this.#follow(form.action, { method: 'POST', body: data, headers: { Origin: page.url.origin, Referer: page.url.href, 'Sec-Fetch-Site': 'same-origin' } }, [])
  }

  post(url: URL | string, data: URLSearchParams, from?: URL): Promise<Page> {
    const target = new URL(url)
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...(from && {
        Origin: from.origin,
        Referer: from.href,
        'Sec-Fetch-Site': from.origin === target.origin ? 'same-origin' : 'cross-site',
      }),
    }
    return this.#follow(target, { method: 'POST', body: data.toString(), headers }, [])
  }

  /** A request as a script of our page would make it: cookies go along, redirects do not follow. */
  async fetch(url: URL | string, init: RequestInit = {}): Promise<Response> {
    const target = new URL(url)
    const headers = new Headers({ ...this.#headers, Origin: target.origin, 'Sec-Fetch-Site': 'same-origin' })
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value)
    const cookies = this.cookiesFor(target)
    if (cookies !== '') headers.set('Cookie', cookies)
    const response = await fetch(target, { ...init, headers, redirect: 'manual' })
    this.#keepCookies(target, response)
    return response
  }

  cookiesFor(url: URL): string {
    const fitting = [...this.#cookies.values()].filter((cookie) => cookie.host === url.hostname && pathCovers(cookie.path, url.pathname))
    return fitting.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  cookie(name: string): string | undefined {
    return [...this.#cookies.values()].find((cookie) => cookie.name === name)?.value
  }

  /** Copies another browser's cookie, as a thief would. */
  steal(other: BrowserClient, name: string): void {
    for (const [key, cookie] of other.#cookies) if (cookie.name === name) this.#cookies.set(key, cookie)
  }

  async #follow(url: URL, init: RequestInit, trail: readonly URL[]): Promise<Page> {
    const passed = [...trail, url]
    if (passed.length > MAX_REDIRECTS) throw new Error(`too many redirects: ${passed.map((item) => item.pathname).join(' → ')}`)
    if (this.stopAt(url)) return { url, status: 0, headers: new Headers(), html: '', text: '', forms: [], links: [], trail: passed }
    const headers = new Headers(this.#headers)
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value)
    const cookies = this.cookiesFor(url)
    if (cookies !== '') headers.set('Cookie', cookies)
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    this.#keepCookies(url, response)
    const location = response.headers.get('Location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.arrayBuffer()
      const keepsMethod = response.status === 307 || response.status === 308
      return this.#follow(new URL(location, url), keepsMethod ? init : { method: 'GET' }, passed)
    }
    return readPage(url, response, await response.text(), passed)
  }

  #keepCookies(url: URL, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(pair.indexOf('=') + 1)
      const attribute = (wanted: string) => attributes.find((item) => item.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
      const path = attribute('path') ?? '/'
      const expires = attribute('expires')
      const isOver = attribute('max-age') === '0' || (expires !== undefined && new Date(expires).getTime() <= Date.now())
      const key = `${url.hostname}|${path}|${name}`
      if (isOver || value === '') this.#cookies.delete(key)
      else this.#cookies.set(key, { name, value, host: url.hostname, path })
    }
  }
}

function pathCovers(cookiePath: string, path: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}

function findForm(page: Page, { action, button }: { action?: string; button?: string }): Form {
  const form = page.forms.find(
    (candidate) =>
      (action === undefined || candidate.action.pathname.endsWith(action)) &&
      (button === undefined || candidate.buttons.some(({ label }) => label.includes(button))),
  )
  if (form === undefined) throw new Error(`no such form on ${page.url.pathname} (${page.status}): ${page.text.slice(0, 600)}`)
  return form
}

function readPage(url: URL, response: Response, html: string, trail: readonly URL[]): Page {
  const forms = [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', inner = '']) =>
    readForm(url, attributes, inner),
  )
  const links = [...html.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/g)].flatMap(([, attributes = '', inner = '']) => {
    const href = attributeOf(attributes, 'href')
    return href === undefined ? [] : [{ href: new URL(href, url), text: textOf(inner) }]
  })
  return { url, status: response.status, headers: response.headers, html, text: textOf(html), forms, links, trail }
}

function readForm(url: URL, attributes: string, inner: string): Form {
  const fields = new Map<string, string[]>()
  const choices = new Map<string, string[]>()
  for (const [, input = ''] of inner.matchAll(/<input\b([^>]*?)\/?>/g)) {
    const name = attributeOf(input, 'name')
    if (name === undefined || /\sdisabled\b/.test(input)) continue
    const value = attributeOf(input, 'value')
    if (/^(checkbox|radio)$/.test(attributeOf(input, 'type') ?? '')) {
      choices.set(name, [...(choices.get(name) ?? []), value ?? 'on'])
      if (/\schecked\b/.test(input)) fields.set(name, [...(fields.get(name) ?? []), value ?? 'on'])
    } else fields.set(name, [...(fields.get(name) ?? []), value ?? ''])
  }
  const buttons = [...inner.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/g)]
    .filter(([, button = '']) => (attributeOf(button, 'type') ?? 'submit') === 'submit')
    .map(([, button = '', label = '']) => ({
      name: attributeOf(button, 'name'),
      value: attributeOf(button, 'value') ?? '',
      label: textOf(label),
    }))
  const method = (attributeOf(attributes, 'method') ?? 'get').toUpperCase() === 'POST' ? 'POST' : 'GET'
  return { action: new URL(attributeOf(attributes, 'action') ?? url.href, url), method, fields, choices, buttons }
}

function attributeOf(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`).exec(attributes)
  return found ? decode(found[1] ?? found[2] ?? found[3] ?? '') : undefined
}

function textOf(html: string): string {
  const plain = html.replace(/<(script|style|svg)\b[\s\S]*?<\/\1>/g, ' ').replace(/<[^>]+>/g, ' ')
  return decode(plain).replace(/\s+/g, ' ').trim()
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function decode(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
}
