import { createHmac } from 'node:crypto'
import type Router from '@koa/router'
import type Koa from 'koa'
import { createHttpApp, type HttpApp, type RequestLine } from '../../src/platform/http/app.ts'
import { type Assets, createAssets } from '../../src/platform/http/assets.ts'
import { loadMessages, type Messages } from '../../src/platform/http/messages.ts'
import { startServer } from '../../src/platform/http/server.ts'

const VIEWS = new URL('../../views', import.meta.url).pathname

export interface TestSite {
  /** `http://127.0.0.1:<port>`, also the application's public URL, so that browsers' Origin is right. */
  readonly url: string
  readonly lines: readonly RequestLine[]
  /** Everything that was logged, as one text: for looking for what must not be in it. */
  logged(): string
  stop(): Promise<void>
}

export interface TestSiteOptions {
  readonly demo?: boolean
  readonly trustedProxies?: readonly string[]
  readonly publicUrl?: string
  readonly viewsFolder?: string
}

let messages: Messages | undefined
let assets: Assets | undefined

/** The real middleware, views, messages and assets on a free port, with the routes of a test. */
export async function startSite(
  build: (http: HttpApp) => ReturnType<Router['routes']>[],
  options: TestSiteOptions = {},
): Promise<TestSite> {
  messages ??= loadMessages({ folder: `${VIEWS}/messages`, strict: true })
  assets ??= createAssets({ folder: `${VIEWS}/assets` })
  let handler: ReturnType<Koa['callback']> | undefined
  const server = await startServer({ host: '127.0.0.1', port: 0, handler: (request, response) => void handler?.(request, response) })
  const url = `http://127.0.0.1:${server.port}`
  const log: string[] = []
  const write = (fields: object, text: string) =>
    void log.push(text + JSON.stringify(fields, (_, value) => (value instanceof Error ? String(value.stack) : value)))
  const http = createHttpApp({
    settings: {
      publicUrl: options.publicUrl ?? url,
      trustedProxies: options.trustedProxies ?? [],
      demo: options.demo ?? false,
      viewsFolder: options.viewsFolder ?? VIEWS,
    },
    keyring: { hash: (value, purpose) => createHmac('sha256', 'test').update(`${purpose}|${value}`).digest() },
    messages,
    assets,
    log: { info: write, warn: write, error: write },
  })
  const lines: RequestLine[] = []
  http.onRequest((line) => lines.push(line))
  for (const middleware of build(http)) http.app.use(middleware)
  handler = http.app.callback()
  return { url, lines, logged: () => log.join('\n'), stop: () => server.stop(100) }
}
