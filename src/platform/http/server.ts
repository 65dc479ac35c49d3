import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface HttpServerOptions {
  readonly handler: RequestListener
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

export interface RunningServer {
  readonly port: number
  readonly server: Server
  /** Takes no new connections, lets requests finish for `graceMs`, then cuts the rest. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Listens with limits on what a slow or hostile client can hold: headers 16 KiB and 10 s, the whole request 30 s.
 *
 * Body sizes are the guard's business. Answers 408, 413 and 431 itself where Node notices before a handler does.
 */
export function startServer(options: HttpServerOptions): Promise<RunningServer> {
  const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
      requireHostHeader: true,
    },
    options.handler,
  )
  server.maxHeadersCount = 100
  server.maxRequestsPerSocket = 10_000
  server.on('clientError', refuseClient)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', reject)
      resolve({ server, port: portOf(server.address()), stop: (graceMs = 10_000) => stop(server, graceMs) })
    })
  })
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}

const CLIENT_ERRORS: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
}

function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = CLIENT_ERRORS[error.code ?? ''] ?? 400
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${body.length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), graceMs)
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  await closed
  clearTimeout(cut)
  clearInterval(sweep)
}
