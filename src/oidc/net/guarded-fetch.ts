import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isSpecialAddress } from './special-addresses.ts'

export interface FetchOptions {
  readonly method?: string | undefined
  readonly headers?: HeadersInit | undefined
  readonly body?: string | URLSearchParams | Uint8Array | undefined
  /** `host` or `host:port` on special-use networks that an operator allows for this client. */
  readonly allowedHosts: readonly string[]
  /** For what is signed itself and larger than a relying party's answers: lists of certificates travel in clear text (RFC 5280, 8). */
  readonly bounds?: { readonly mostBytes: number; readonly deadlineMs: number; readonly clearText: true } | undefined
}

export const MOST_BODY_BYTES = 64 * 1024
export const DEADLINE_MS = 2500

/** Why a relying party's address was not fetched. */
export class FetchRefused extends Error {}

/**
 * Fetches an address that a relying party gave, without becoming its way into the state's network.
 *
 * The name is resolved here and the connection made to the very address that was checked, so a second answer of the name server
 * changes nothing; redirects are not followed; the body, and the time for all of it, are bounded (RFC 9700 §4.16, spec line 44).
 *
 * @throws {FetchRefused} for a special-use address, clear text, a body too large or a host too slow.
 */
export async function guardedFetch(address: string, options: FetchOptions): Promise<Response> {
  const url = new URL(address)
  const isAllowed = options.allowedHosts.includes(url.host) || options.allowedHosts.includes(url.hostname)
  const { mostBytes, deadlineMs, clearText } = options.bounds ?? { mostBytes: MOST_BODY_BYTES, deadlineMs: DEADLINE_MS, clearText: false }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (isAllowed || clearText))) throw new FetchRefused('https is required')
  if (url.username !== '' || url.password !== '') throw new FetchRefused('an address may not hold credentials')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (!isAllowed && isIP(host) !== 0 && isSpecialAddress(host)) throw new FetchRefused('special-use address')
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const body = options.body instanceof Uint8Array ? options.body : options.body?.toString()
    const headers = Object.fromEntries(new Headers(options.headers))
    if (options.body instanceof URLSearchParams) headers['content-type'] ??= 'application/x-www-form-urlencoded'
    if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
    const request = send(url, { method: options.method ?? 'GET', headers, agent: false, lookup: checkedLookup(isAllowed) })
    stopAtDeadline(request, deadlineMs, reject)
    request.on('error', reject)
    request.on('response', (response) => void collect(response, mostBytes).then(resolve, reject))
    request.end(body)
  })
}

function stopAtDeadline(request: ClientRequest, deadlineMs: number, reject: (error: Error) => void): void {
  const timer = setTimeout(() => {
    const error = new FetchRefused(`no answer within ${deadlineMs} ms`)
    reject(error)
    request.destroy(error)
  }, deadlineMs)
  request.on('close', () => clearTimeout(timer))
}

/** Resolves a name and refuses it when any of its addresses is special. */
function checkedLookup(isAllowed: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const first = addresses?.[0]
      if (error || !first) return callback(error ?? new FetchRefused('the name has no address'), '')
      if (!isAllowed && addresses.some(({ address }) => isSpecialAddress(address)))
        return callback(new FetchRefused('special-use address'), '')
      if (options.all) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
  }
}

async function collect(response: IncomingMessage, mostBytes: number): Promise<Response> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += chunk.length
    if (size > mostBytes) {
      response.destroy()
      throw new FetchRefused('the answer is too large')
    }
    chunks.push(chunk)
  }
  const status = response.statusCode ?? 502
  const headers = Object.entries(response.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, [value].flat().join(', ')]],
  )
  const hasNoBody = status === 204 || status === 304 || status < 200
  return new Response(hasNoBody ? null : Buffer.concat(chunks), { status: Math.max(status, 200), headers })
}
