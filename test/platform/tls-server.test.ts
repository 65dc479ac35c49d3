/** What a hostile client may hold of the server that asks for certificates, before any handshake. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { startTlsServer } from '../../src/platform/http/server.ts'

let secure: { cert: Buffer; key: Buffer }

before(() => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-tls-'))
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'k.pem', '-out', 'c.pem', '-days', '2', '-subj', '/CN=localhost'], { cwd: folder, stdio: 'ignore' })
  secure = { cert: readFileSync(path.join(folder, 'c.pem')), key: readFileSync(path.join(folder, 'k.pem')) }
  rmSync(folder, { recursive: true })
})

const sockets: Socket[] = []
after(() => sockets.forEach((socket) => socket.destroy()))

async function open(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Resolves once the server lets go of it. */
const letGo = (socket: Socket) => (socket.closed ? Promise.resolve() : once(socket.resume(), 'close'))

function answers(port: number, localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ socket: connect({ port, host: '127.0.0.1', localAddress }), rejectUnauthorized: false, servername: 'localhost' })
    sockets.push(socket)
    socket.on('secureConnect', () => {
      resolve(true)
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })
}

function start(bounds: { most: number; perAddress: number }, handshakeMs?: number) {
  return startTlsServer({
    host: '127.0.0.1', port: 0, handler: (_, response) => void response.end('x'), secure,
    bounds: { ...bounds, networkOf: (address) => address }, ...(handshakeMs && { handshakeMs }),
  })
}

test('one address holds so many connections and no more, and the others still get through', async () => {
  const server = await start({ most: 10, perAddress: 3 })
  try {
    const held = [await open(server.port, '127.0.0.1'), await open(server.port, '127.0.0.1'), await open(server.port, '127.0.0.1')]
    await letGo(await open(server.port, '127.0.0.1'))
    assert.equal(await answers(server.port, '127.0.0.1'), false)
    assert.equal(await answers(server.port, '127.0.0.2'), true)
    for (const socket of held) socket.destroy()
    await Promise.all(held.map(letGo))
    for (let tried = 0; tried < 100 && !(await answers(server.port, '127.0.0.1')); tried += 1) await new Promise((next) => setImmediate(next))
    assert.equal(await answers(server.port, '127.0.0.1'), true)
  } finally {
    await server.stop(0)
  }
})

test('all addresses together hold so many', async () => {
  const server = await start({ most: 4, perAddress: 3 })
  try {
    for (const last of [1, 2, 3, 4]) await open(server.port, `127.0.0.${last}`)
    await letGo(await open(server.port, '127.0.0.5'))
    assert.equal(await answers(server.port, '127.0.0.6'), false)
  } finally {
    await server.stop(0)
  }
})

test('who begins no handshake is let go, at the latest when the server stops', async () => {
  const server = await start({ most: 4, perAddress: 3 }, 100)
  try {
    await letGo(await open(server.port, '127.0.0.1'))
  } finally {
    await server.stop(0)
  }
  const patient = await start({ most: 4, perAddress: 3 })
  const silent = await open(patient.port, '127.0.0.1')
  await patient.stop(0)
  await letGo(silent)
})
