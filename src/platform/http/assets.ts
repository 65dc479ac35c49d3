import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, parse } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { HttpMiddleware } from './request-facts.ts'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
}
const FAVICON = 'favicon.svg'

export interface Asset {
  readonly url: string
  readonly type: string
  readonly plain: Buffer
  /** The content in that encoding, made once, at its first request; `undefined` for what does not shrink. */
  encoded(encoding: 'br' | 'gzip'): Promise<Buffer> | undefined
}

/** Static files of our pages, named by their content, so that a browser keeps them for a year and never has an old one. */
export interface Assets {
  /** `/assets/app.3f2a90c1d4e5.css` for `app.css`; throws for a file that does not exist. */
  url(name: string): string
  get(name: string): Asset | undefined
  readonly middleware: HttpMiddleware
}

/**
 * Reads the folder once, at start; compresses beside the event loop, when first asked for. `styles/*.css` are joined, in the order of their names, into `app.css`.
 */
export function createAssets(options: { folder: string }): Assets {
  const byName = new Map<string, Asset>()
  for (const file of readdirSync(options.folder, { withFileTypes: true })) {
    if (file.isFile() && TYPES[extname(file.name)] !== undefined) {
      byName.set(file.name, createAsset(file.name, readFileSync(join(options.folder, file.name))))
    }
  }
  const styles = join(options.folder, 'styles')
  if (existsSync(styles)) byName.set('app.css', createAsset('app.css', Buffer.from(joinStyles(styles))))
  const byUrl = new Map([...byName.values()].map((asset) => [asset.url, asset]))
  return {
    url: (name) => {
      const asset = byName.get(name)
      if (asset === undefined) throw new Error(`no asset ${name}`)
      return asset.url
    },
    get: (name) => byName.get(name),
    middleware: serve(byUrl, byName.get(FAVICON)),
  }
}

function serve(byUrl: ReadonlyMap<string, Asset>, favicon: Asset | undefined): HttpMiddleware {
  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    const asset = ctx.path === '/favicon.ico' ? favicon : byUrl.get(ctx.path)
    if (!isRead || asset === undefined) return next()
    ctx.set('Cache-Control', ctx.path === '/favicon.ico' ? 'public, max-age=86400' : 'public, max-age=31536000, immutable')
    ctx.set('ETag', `"${asset.url.split('.').at(-2)}"`)
    ctx.vary('Accept-Encoding')
    ctx.status = 200
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    const encoding = ctx.acceptsEncodings('br', 'gzip', 'identity')
    const encoded = encoding === 'br' || encoding === 'gzip' ? await asset.encoded(encoding) : undefined
    if (encoded) ctx.set('Content-Encoding', String(encoding))
    ctx.body = encoded ?? asset.plain
    ctx.set('Content-Type', asset.type)
  }
}

const COMPRESS = {
  br: (plain: Buffer) => promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (plain: Buffer) => promisify(gzip)(plain, { level: 9 }),
}

function createAsset(name: string, plain: Buffer): Asset {
  const { name: stem, ext } = parse(name)
  const type = TYPES[ext] ?? 'application/octet-stream'
  const isText = /^text|svg|json/.test(type)
  const made: { br?: Promise<Buffer>; gzip?: Promise<Buffer> } = {}
  return {
    url: `/assets/${stem}.${createHash('sha256').update(plain).digest('hex').slice(0, 12)}${ext}`,
    type,
    plain,
    encoded(encoding) {
      if (isText) made[encoding] ??= COMPRESS[encoding](plain)
      return made[encoding]
    },
  }
}

function joinStyles(folder: string): string {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.css'))
    .sort()
  return files
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '\n')
    .replace(/\s*([{};,])\s*/g, '$1')
    .replace(/;\}/g, '}')
}
