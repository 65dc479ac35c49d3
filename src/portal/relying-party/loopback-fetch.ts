import { request } from 'node:http'
import type { CustomFetch } from 'openid-client'

/**
 * A fetch that reaches this server by its own listener, however its public address is routed.
 *
 * The area is a relying party of the server that it lives in; through the load balancer it might not reach itself. The Host
 * header stays the public one, so that what the server says of its own address is right.
 */
export function createLoopbackFetch(publicUrl: string, localAddress: () => { host: string; port: number }): CustomFetch {
  const { origin, host: publicHost, protocol } = new URL(publicUrl)
  return async (url, options) => {
    const target = new URL(url)
    if (target.origin !== origin) throw new Error('the area speaks to its own server only')
    const headers = { ...options.headers, host: publicHost, 'x-forwarded-proto': protocol.slice(0, -1) }
    return answerOf({ ...localAddress(), path: target.pathname + target.search, method: options.method, headers }, bodyOf(options.body))
  }
}

function bodyOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString()
  throw new Error('only text and forms are sent')
}

interface LocalRequest {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly method: string
  readonly headers: Record<string, string>
}

const DEADLINE_MS = 10_000

function answerOf(local: LocalRequest, body: string | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...local, timeout: DEADLINE_MS }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const headers = new Headers()
        for (const [name, value] of Object.entries(incoming.headers)) for (const one of [value ?? []].flat()) headers.append(name, one)
        const status = incoming.statusCode ?? 502
        const hasBody = status !== 204 && status !== 304
        resolve(new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers }))
      })
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('the server did not answer itself in time')))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
