import { constants } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
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
 * Listens with limits on what a slow or hostile client can hold: headers 16 KiB and 10 s, the body 30 s or what `allowSlowBody` allows.
 *
 * Body sizes are the guard's business. Answers 408, 413 and 431 itself where Node notices before a handler does.
 */
export function startServer(options: HttpServerOptions): Promise<RunningServer> {
  return listen(createServer(limitsOf(options), watched(options)), options)
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
  const { secure, bounds, handshakeMs = HANDSHAKE_MS } = options
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
    watched(options),
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

/** Node's own deadline knows no exceptions, so bodies are watched here. */
function watched({ handler, requestTimeoutMs: deadlineMs = 30_000 }: HttpServerOptions): RequestListener {
  return (request, response) => {
    watchBody(request, response, { deadlineMs, refuse: () => refuseClient(Object.assign(new Error('the body is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), request.socket) })
    handler(request, response)
  }
}

function limitsOf({ headersTimeoutMs = 10_000 }: HttpServerOptions) {
  return {
    maxHeaderSize: 16 * 1024,
    headersTimeout: headersTimeoutMs,
    requestTimeout: 0,
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

const LINGER_MS = 2000

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
  // Our half alone is closed: whoever keeps theirs open would go on sending, and nothing watches any more. Time to read the answer is left.
  const cut = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(cut))
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

/** A body that is this slow over a whole window is nobody's line but somebody's trick: a quarter of a megabit a second. */
const LEAST_BYTES_PER_SECOND = 32 * 1024
const WINDOW_MS = 20_000
/** However large it may be. */
const LONGEST_MS = 20 * 60_000

interface Watch {
  /** The usual deadline gives way to a least rate, and to a deadline by size. */
  allow(bytes: number): void
}

const watches = new WeakMap<IncomingMessage, Watch>()

/**
 * The body of this request may take as long as so many bytes take on a slow line, while they keep coming.
 *
 * For uploads whose sender has been judged already; every other body has the server's own deadline.
 */
export function allowSlowBody(request: IncomingMessage, bytes: number): void {
  watches.get(request)?.allow(bytes)
}

/** Ends requests whose body is late; `refuse` answers and cuts. */
function watchBody(request: IncomingMessage, response: ServerResponse, { deadlineMs, refuse }: { deadlineMs: number; refuse: () => void }): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  if (!hasBody) return
  let window: NodeJS.Timeout | undefined
  const stop = () => {
    clearTimeout(deadline)
    clearInterval(window)
  }
  const late = () => {
    stop()
    if (request.complete || request.destroyed) return
    if (response.headersSent) request.destroy()
    else refuse()
  }
  let deadline = setTimeout(late, deadlineMs).unref()
  request.once('end', stop).once('close', stop)
  watches.set(request, {
    allow(bytes) {
      if (request.complete || window) return
      clearTimeout(deadline)
      deadline = setTimeout(late, Math.min(LONGEST_MS, deadlineMs + (bytes / LEAST_BYTES_PER_SECOND) * 1000)).unref()
      const { socket } = request
      let seen = socket.bytesRead
      window = setInterval(() => {
        if (socket.bytesRead - seen < (LEAST_BYTES_PER_SECOND * WINDOW_MS) / 1000) return late()
        seen = socket.bytesRead
      }, WINDOW_MS).unref()
    },
  })
}
