/** A link of a given speed and distance between a browser and a server of this machine: what a mobile network does to both directions. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

export interface SlowLink {
  readonly port: number
  /** Bytes so far, from the browser and to it. */
  readonly carried: { up: number; down: number }
  /** Where the link leads; a server that needs the link's own address starts after it. */
  leadTo(port: number): void
  close(): Promise<void>
}

/** One direction: all connections share it, first come first served, as in a modem's queue. */
interface Lane {
  freeAt: number
}

/** Opens the link. A new connection costs one round trip more, as its handshake does. */
export async function openSlowLink({ kbitPerSecond, rttMs }: { kbitPerSecond: number; rttMs: number }): Promise<SlowLink> {
  const carried = { up: 0, down: 0 }
  const lanes: Record<'up' | 'down', Lane> = { up: { freeAt: 0 }, down: { freeAt: 0 } }
  const open = new Set<Socket>()
  let target = 0

  function carry(from: Socket, to: Socket, direction: 'up' | 'down', readyAt: number): void {
    let last = Promise.resolve()
    from.on('data', (bytes: Buffer) => {
      carried[direction] += bytes.length
      const lane = lanes[direction]
      lane.freeAt = Math.max(performance.now(), lane.freeAt, readyAt) + (bytes.length * 8) / kbitPerSecond
      const arrival = lane.freeAt + rttMs / 2
      last = last.then(() => until(arrival)).then(() => void (to.writable && to.write(bytes)))
    })
    from.on('end', () => void last.then(() => to.end()))
    from.on('error', () => to.destroy())
    from.on('close', () => void last.then(() => to.destroySoon()))
  }

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
    const readyAt = performance.now() + rttMs
    for (const socket of [near, far]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    carry(near, far, 'up', readyAt)
    carry(far, near, 'down', readyAt)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    carried,
    leadTo(other) {
      target = other
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function until(moment: number): Promise<void> {
  const wait = moment - performance.now()
  return wait > 0 ? new Promise((resolve) => setTimeout(resolve, wait)) : Promise.resolve()
}
