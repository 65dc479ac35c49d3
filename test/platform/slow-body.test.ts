/** Large files over slow lines: as long as they keep coming, and no longer. Time passes only as the test says. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, mock, test } from 'node:test'
import { allowSlowBody, type RunningServer, startServer } from '../../src/platform/http/server.ts'

const KIB = 1024
let server: RunningServer
let received = 0
const arrived = new EventEmitter()

before(async () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  server = await startServer({
    host: '127.0.0.1', port: 0,
    handler(request, response) {
      received = 0
      if (request.url === '/slow') allowSlowBody(request, 1024 * KIB)
      request.on('data', (chunk: Buffer) => {
        received += chunk.length
        arrived.emit('more')
      })
      request.once('end', () => response.end('whole'))
      request.once('close', () => arrived.emit(`closed ${request.url}`))
      arrived.emit('begun')
    },
  })
})
after(async () => {
  server.server.closeAllConnections()
  mock.timers.reset()
  await server.stop(100)
})

interface Sender {
  readonly socket: Socket
  /** Sent, and read by the server. */
  send(kib: number): Promise<void>
  answer(): Promise<string>
}

async function begin(path: string, kib: number): Promise<Sender> {
  const socket = connect(server.port, '127.0.0.1')
  let [text, sent] = ['', 0]
  socket.on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  const begun = once(arrived, 'begun')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${kib * KIB}\r\n\r\n`)
  await begun
  return {
    socket,
    async send(more) {
      sent += more * KIB
      socket.write(Buffer.alloc(more * KIB))
      while (received < sent) await once(arrived, 'more')
    },
    async answer() {
      await closed
      return text
    },
  }
}

test('any other body has thirty seconds', async () => {
  const { send, answer } = await begin('/', 900)
  await send(800)
  mock.timers.tick(30_000)
  assert.match(await answer(), /^HTTP\/1\.1 408 /)
})

test('an upload may take longer while it keeps coming', async () => {
  const { send, answer } = await begin('/slow', 2000)
  for (const kib of [650, 650]) {
    await send(kib)
    mock.timers.tick(20_000)
  }
  await send(700)
  assert.match(await answer(), /^HTTP\/1\.1 200 [\s\S]*whole/)
})

test('one that comes by drops is cut after a window', async () => {
  const { send, answer } = await begin('/slow', 2000)
  await send(650)
  mock.timers.tick(20_000)
  await send(1)
  mock.timers.tick(20_000)
  assert.match(await answer(), /^HTTP\/1\.1 408 /)
})

test('nobody has longer than what was announced takes on the slowest line', async () => {
  const { send, answer } = await begin('/slow', 9000)
  for (let window = 0; window < 3; window += 1) {
    await send(700)
    mock.timers.tick(20_000)
  }
  // A megabyte: thirty seconds and thirty-two more.
  mock.timers.tick(2000)
  assert.match(await answer(), /^HTTP\/1\.1 408 /)
})

test('whoever was refused and keeps its half open is cut off: no request outlives its refusal', async () => {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  const [begun, refused, isOver] = [once(arrived, 'begun'), once(socket, 'data'), once(arrived, 'closed /half', { signal: AbortSignal.timeout(20_000) })]
  socket.write(`POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: ${900 * KIB}\r\n\r\n`)
  await begun
  mock.timers.tick(30_000)
  assert.match(String((await refused)[0]), /^HTTP\/1\.1 408 /)
  socket.write(Buffer.alloc(KIB))
  mock.timers.tick(2000)
  await isOver
  socket.destroy()
})

test('without a body there is nothing to watch', async () => {
  const socket = connect(server.port, '127.0.0.1')
  const begun = once(arrived, 'begun')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await begun
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /200 OK/)
  await once(socket.resume(), 'close')
})
