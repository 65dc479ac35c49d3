import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type RunningServer, startServer } from '../../src/platform/http/server.ts'

/** What the server answers to raw bytes, until it closes the connection. */
function talk(port: number, parts: (string | number)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('error', () => resolve(answer))
    socket.on('close', () => resolve(answer))
    void (async () => {
      for (const part of parts) {
        if (typeof part === 'number') await new Promise((next) => setTimeout(next, part))
        else if (socket.writable) socket.write(part)
      }
    })()
  })
}

async function withServer(work: (server: RunningServer) => Promise<void>, options: object = {}): Promise<void> {
  const server = await startServer({ host: '127.0.0.1', port: 0, handler: (_, response) => void response.end('hello'), ...options })
  try {
    await work(server)
    assert.equal(await (await fetch(`http://127.0.0.1:${server.port}`)).text(), 'hello', 'the server is alive afterwards')
  } finally {
    await server.stop(100)
  }
}

test('headers above 16 KiB are answered 431', () =>
  withServer(async ({ port }) => {
    assert.match(await talk(port, [`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(64 * 1024)}\r\n\r\n`]), /^HTTP\/1\.1 431 /)
  }))

test('a client that never finishes its headers is answered 408 and cut', () =>
  withServer(
    async ({ port }) => {
      const started = Date.now()
      const answer = await talk(port, ['GET / HTTP/1.1\r\nHost: x\r\n', 200, 'X-A: 1\r\n', 200, 'X-B: 2\r\n'])
      assert.match(answer, /^HTTP\/1\.1 408 /)
      assert.match(answer, /application\/problem\+json/)
      assert.ok(Date.now() - started < 15_000)
    },
    { headersTimeoutMs: 500, requestTimeoutMs: 1000 },
  ))

test('a client that never finishes its body is cut', () =>
  withServer(
    async ({ port }) => {
      const answer = await talk(port, ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc'])
      assert.match(answer, /^HTTP\/1\.1 408 /)
    },
    {
      headersTimeoutMs: 300,
      requestTimeoutMs: 600,
      handler: (request: IncomingMessage, response: ServerResponse) => void request.resume().on('end', () => response.end('hello')),
    },
  ))

test('something that is not HTTP is answered 400', () =>
  withServer(async ({ port }) => {
    assert.match(await talk(port, ['\x16\x03\x01\x02\x00 hello\r\n\r\n']), /^HTTP\/1\.1 400 /)
    assert.match(
      await talk(port, ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n']),
      /^HTTP\/1\.1 400 /,
    )
    assert.match(await talk(port, ['GET / HTTP/1.1\r\n\r\n']), /^HTTP\/1\.1 400 /)
  }))

test('a thousand idle connections do not stop a request', () =>
  withServer(async ({ port }) => {
    const sockets = await Promise.all(
      Array.from(
        { length: 1000 },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(port, '127.0.0.1', () => resolve(socket))
            socket.on('error', () => {})
          }),
      ),
    )
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'hello')
    for (const socket of sockets) socket.destroy()
  }))

test('stopping lets a running request finish and takes no new one', async () => {
  const begun = Promise.withResolvers<void>()
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    handler: (_, response) => {
      begun.resolve()
      setTimeout(() => response.end('late'), 200)
    },
  })
  const running = fetch(`http://127.0.0.1:${server.port}`).then((answer) => answer.text())
  await begun.promise
  const stopped = server.stop(2000)
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}`))
  assert.equal(await running, 'late')
  await stopped
})

test('stopping does not wait longer than its grace', async () => {
  const begun = Promise.withResolvers<void>()
  const server = await startServer({ host: '127.0.0.1', port: 0, handler: () => begun.resolve() })
  const running = assert.rejects(fetch(`http://127.0.0.1:${server.port}`))
  await begun.promise
  const started = Date.now()
  await server.stop(100)
  assert.ok(Date.now() - started < 15_000)
  await running
})

test('a port that is taken is an error and not silence', () =>
  withServer(async ({ port }) => {
    await assert.rejects(startServer({ host: '127.0.0.1', port, handler: () => {} }), /EADDRINUSE/)
  }))
