/** A frugal HTTP/1.1 client: one keep-alive socket, one request at a time, so that the load costs its core little. */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly cookies: readonly string[]
  readonly body: Buffer
}

export interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

const HEAD_END = Buffer.from('\r\n\r\n')
const ANSWER_TIMEOUT_MS = 60_000
/** A server closes a connection that has been idle for five seconds; one that may be closing at this moment is not written to. */
const IDLE_LIMIT_MS = 2000

/** One connection to one origin; reconnects when the server closed it between two requests. */
export class HttpConnection {
  readonly #host: string
  readonly #port: number
  #socket: Socket | undefined
  #received: Buffer = Buffer.alloc(0)
  #waiting: Waiting | undefined
  #usedAt = 0

  constructor(origin: string) {
    const url = new URL(origin)
    this.#host = url.hostname
    this.#port = Number(url.port || 80)
  }

  async send(call: Call): Promise<Answer> {
    if (performance.now() - this.#usedAt > IDLE_LIMIT_MS) this.close()
    const socket = this.#socket ?? (await this.#open())
    this.#usedAt = performance.now()
    const body = call.body ?? ''
    let head = `${call.method} ${call.path} HTTP/1.1\r\nhost: ${this.#host}:${this.#port}\r\n`
    for (const [name, value] of Object.entries(call.headers ?? {})) head += `${name}: ${value}\r\n`
    if (call.method === 'POST') head += `content-length: ${Buffer.byteLength(body)}\r\n`
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      socket.write(`${head}\r\n${body}`)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Promise<Socket> {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true })
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#lose(socket, error))
    socket.on('end', () => this.#lose(socket, new Error('connection ended')))
    socket.on('close', () => this.#lose(socket, new Error('connection closed')))
    this.#socket = socket
    this.#received = Buffer.alloc(0)
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket))
      socket.once('error', reject)
    })
  }

  /** Only the connection in use matters: an older one says that it has closed after the next was opened. */
  #lose(socket: Socket, error: Error): void {
    if (socket !== this.#socket) return
    this.#socket = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(error)
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const parsed = parseAnswer(this.#received)
    if (!parsed) return
    this.#received = this.#received.subarray(parsed.length)
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#usedAt = performance.now()
    if (parsed.answer.headers.get('connection') === 'close') this.close()
    waiting?.resolve(parsed.answer)
  }
}

/** The first whole answer in the bytes received; undefined while some of it is still to come. */
export function parseAnswer(bytes: Buffer): { answer: Answer; length: number } | undefined {
  const headLength = bytes.indexOf(HEAD_END)
  if (headLength < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, headLength).split('\r\n')
  const status = Number(first.slice(9, 12))
  const headers = new Map<string, string>()
  const cookies: string[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'set-cookie') cookies.push(value)
    else headers.set(name, value)
  }
  const start = headLength + HEAD_END.length
  const read = headers.get('transfer-encoding') === 'chunked' ? readChunks(bytes, start) : readLength(bytes, start, status, headers)
  return read && { answer: { status, headers, cookies, body: read.body }, length: read.end }
}

function readLength(bytes: Buffer, start: number, status: number, headers: ReadonlyMap<string, string>) {
  const length = status === 204 || status === 304 ? 0 : Number(headers.get('content-length') ?? 0)
  return bytes.length < start + length ? undefined : { body: bytes.subarray(start, start + length), end: start + length }
}

function readChunks(bytes: Buffer, start: number) {
  const chunks: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return { body: Buffer.concat(chunks), end: next }
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
