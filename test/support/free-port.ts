/** Ports for servers whose address must be known before they listen. */
import { createServer } from 'node:net'

/**
 * Below the ports that a system hands to whoever asks for any (32768 and up on Linux): between our look and our use neither a connection nor
 * another test's `listen(0)` takes one of these. Above those that browsers and `fetch` refuse.
 */
const FIRST = 12_000
const SLICES = 400
const EACH = 50

let next = 0

/** A free port: each test process goes through ports of its own, and gives none twice before it has been round all. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < SLICES * EACH; tried += 1) {
    const port = FIRST + (((process.pid % SLICES) * EACH + next) % (SLICES * EACH))
    next += 1
    if (await isFree(port)) return port
  }
  throw new Error('no free port')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
