import { constants } from 'node:crypto'
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'

export interface HttpServerOptions {
  readonly handler: RequestListener
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

export interface RunningServer<S = Server> {
  readonly port: number
  readonly server: S
  /** Takes no new connections, lets requests finish for `graceMs`, then cuts the rest. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Listens with limits on what a slow or hostile client can hold: headers 16 KiB and 10 s, the whole request 30 s.
 *
 * Body sizes are the guard's business. Answers 408, 413 and 431 itself where Node notices before a handler does.
 */
export function startServer(options: HttpServerOptions): Promise<RunningServer> {
  return listen(createServer(limitsOf(options), options.handler), options)
}

const GRACE_MS = 10_000

/** As long as a handshake may take; choosing a certificate and typing a PIN happen before the browser connects anew. */
const HANDSHAKE_MS = 60_000

/** Without tickets no session is resumed: each connection proves anew that the client holds its key, and may choose another. */
const STRICT = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const

/**
 * The same over TLS, asking each client for a certificate and requiring none: what was shown is the handler's to judge.
 *
 * That the client holds the key is proved by the handshake itself, whatever its chain. `secure` names whose certificates browsers offer.
 */
export async function startTlsServer(
  options: TlsServerOptions,
): Promise<RunningServer<TlsServer> & { renew(secure: SecureContextOptions): void }> {
  const { handler, secure, bounds, handshakeMs = HANDSHAKE_MS } = options
  const server = createTlsServer(
    {
      ...limitsOf(options),
      ...secure,
      ...STRICT,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
      ALPNProtocols: ['http/1.1'],
    },
    handler,
  )
  const cutAll = boundConnections(server, bounds)
  // Before the handshake is done nothing can be answered: an answer would wait for it, and hold the connection for ever.
  server.prependListener('tlsClientError', (_error, socket) => void socket.destroy())
  const running = await listen(server, options)
  return {
    ...running,
    renew: (fresh) => server.setSecureContext({ ...fresh, ...STRICT }),
    async stop(graceMs = GRACE_MS) {
      // Of those that never began a handshake the server itself knows nothing.
      const cut = setTimeout(cutAll, graceMs)
      await running.stop(graceMs)
      clearTimeout(cut)
    },
  }
}

export interface TlsServerOptions extends HttpServerOptions {
  readonly secure: SecureContextOptions
  readonly bounds: ConnectionBounds
  readonly handshakeMs?: number
}

function limitsOf({ headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 }: HttpServerOptions) {
  return {
    maxHeaderSize: 16 * 1024,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
    requireHostHeader: true,
  }
}

function listen<S extends Server | TlsServer>(server: S, { host, port }: HttpServerOptions): Promise<RunningServer<S>> {
  server.maxHeadersCount = 100
  server.maxRequestsPerSocket = 10_000
  server.on('clientError', refuseClient)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve({ server, port: portOf(server.address()), stop: (graceMs = GRACE_MS) => stop(server, graceMs) })
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

async function stop(server: Server | TlsServer, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), graceMs)
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  await closed
  clearTimeout(cut)
  clearInterval(sweep)
}

/** How many connections a server keeps at once, before anybody has said a byte. */
export interface ConnectionBounds {
  /** In all; what comes on top is cut off. */
  readonly most: number
  /** Of one address or network. */
  readonly perAddress: number
  readonly networkOf: (address: string) => string
}

/** Cuts off connections beyond the bounds before their handshake costs anything; answers what cuts off all that are open. */
function boundConnections(server: TlsServer, { most, perAddress, networkOf }: ConnectionBounds): () => void {
  const open = new Map<string, Set<Socket>>()
  server.maxConnections = most
  server.prependListener('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '')
    const own = open.get(network) ?? new Set()
    if (own.size >= perAddress) return void socket.destroy()
    open.set(network, own.add(socket))
    socket.once('close', () => {
      own.delete(socket)
      if (own.size === 0) open.delete(network)
    })
  })
  return () => {
    for (const own of open.values()) for (const socket of own) socket.destroy()
  }
}
