/** What a page costs a slow link on its first view: the page, its styles, scripts, fonts and pictures, gzipped. */
import { gzipSync } from 'node:zlib'
import { atMost, type Result } from './result.ts'
import { Browser } from './rig/browser.ts'
import { discover } from './rig/flows.ts'
import type { Answer } from './rig/http-connection.ts'
import { ours } from './rig/servers.ts'
import { cpfOf, PASSWORD, PORTAL, SCOPE } from './rig/setting.ts'

export const name = 'pages'
const MOST_KB = 50
/** Enough for every page that links lead to. */
const MOST_PAGES = 60

interface Page {
  readonly path: string
  readonly bytes: number
  readonly blockingScripts: number
}

export async function run(): Promise<readonly Result[]> {
  const { origin } = await ours('pglite')
  const pages = [...(await crawl(new Browser(origin), await entrance(origin))), ...(await crawl(await signedIn(origin), '/conta'))]
  const [heaviest] = [...pages].sort((a, b) => b.bytes - a.bytes)
  if (!heaviest) throw new Error('no page was found')
  return [
    atMost({ bench: name, metric: `heaviest of ${new Set(pages.map((page) => plain(page.path))).size} pages: ${plain(heaviest.path)}`, value: heaviest.bytes / 1000, unit: 'KB' }, MOST_KB),
    atMost({ bench: name, metric: 'scripts that block rendering', value: Math.max(...pages.map(({ blockingScripts }) => blockingScripts)), unit: 'scripts' }, 0),
  ]
}

/** The same page for everybody: without ids and questions. */
const plain = (path: string) => path.replace(/[\w-]{30,}/g, ':id').replace(/\?.*/, '')

/** Where a relying party sends someone who is not signed in. */
async function entrance(origin: string): Promise<string> {
  const { authorize } = await discover(origin)
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  const query = { client_id: PORTAL.id, response_type: 'code', redirect_uri: PORTAL.redirectUri, scope: SCOPE, code_challenge: challenge, code_challenge_method: 'S256' }
  return `${authorize}?${new URLSearchParams(query)}`
}

async function signedIn(origin: string): Promise<Browser> {
  const browser = new Browser(origin)
  await browser.browseTo(`${origin}/conta/retorno`, '/conta/entrar', { cpf: cpfOf(0), password: PASSWORD }).then(({ pathname, search }) => browser.open(pathname + search))
  return browser
}

/** Every page that links inside `<main>` and the header lead to, without sending a form. */
async function crawl(browser: Browser, start: string): Promise<Page[]> {
  const parts = new Map<string, number>()
  const waiting = [start]
  const seen = new Set(waiting)
  const pages: Page[] = []
  for (let path = waiting.shift(); path !== undefined && pages.length < MOST_PAGES; path = waiting.shift()) {
    const { answer, path: at } = await browser.open(path)
    if (!answer.headers.get('content-type')?.startsWith('text/html')) continue
    pages.push(await weigh(browser, at, answer, parts))
    for (const [, link = ''] of answer.body.toString().matchAll(/<a\s[^>]*href="(\/[^"#]*)/g)) {
      const next = link.replaceAll('&amp;', '&')
      if (!seen.has(next) && !/saiu|logout|sair/.test(next)) waiting.push(next)
      seen.add(next)
    }
  }
  return pages
}

async function weigh(browser: Browser, path: string, answer: Answer, parts: Map<string, number>): Promise<Page> {
  const html = answer.body.toString()
  let bytes = gzipSync(answer.body).length
  const sources = new Set([...html.matchAll(/<(?:link|script|img|source)\s[^>]*(?:href|src)="(\/[^"]+)"/g)].map(([, source = '']) => source))
  for (const source of sources) {
    const known = parts.get(source) ?? (await weightOf(browser, source))
    parts.set(source, known)
    bytes += known
  }
  const blockingScripts = [...html.matchAll(/<script\b([^>]*)>/g)].filter(([, attributes = '']) => !/\b(?:defer|async)\b|type="(?:module|application\/json)"/.test(attributes)).length
  return { path, bytes, blockingScripts }
}

/** A style brings the fonts and pictures that it names. */
async function weightOf(browser: Browser, path: string): Promise<number> {
  const { answer } = await browser.open(path)
  const isPacked = /woff2?$|png$|jpe?g$/.test(path)
  const own = isPacked ? answer.body.length : gzipSync(answer.body).length
  const named = path.endsWith('.css') ? [...answer.body.toString().matchAll(/url\(["']?(\/[^"')]+)/g)].map(([, source = '']) => source) : []
  const weights = []
  for (const source of new Set(named)) weights.push(await weightOf(browser, source))
  return own + weights.reduce((sum, weight) => sum + weight, 0)
}
