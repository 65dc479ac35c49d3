import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Sensitive } from '../sensitive.ts'
import { checkedChannel } from './channel.ts'

export interface Listener {
  listen(channel: string, callback: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

type Callbacks = Map<string, Set<(payload: string) => void>>

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 5000

/**
 * One connection of its own that holds all LISTENs and comes back by itself.
 *
 * What was notified while it was away is lost, so that every callback then gets an empty payload: forget what you cached.
 */
export function createListener(url: Sensitive<string>): Listener {
  const callbacks: Callbacks = new Map()
  const state: { client: Promise<pg.Client | undefined> | undefined; closed: boolean } = { client: undefined, closed: false }

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url.reveal(), application_name: 'mt-login-listen', keepAlive: true })
    client.on('notification', ({ channel, payload = '' }) => callbacks.get(channel)?.forEach((callback) => callback(payload)))
    client.on('error', () => {})
    await client.connect()
    for (const channel of callbacks.keys()) await client.query(`LISTEN ${checkedChannel(channel)}`)
    client.on('end', () => {
      if (!state.closed) state.client = reconnect()
    })
    return client
  }

  const reconnect = async (): Promise<pg.Client | undefined> => {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      await sleep(wait, undefined, { ref: false })
      if (state.closed) return undefined
      const client = await connect().catch(() => undefined)
      if (!client) continue
      for (const channel of callbacks.values()) channel.forEach((callback) => callback(''))
      return client
    }
  }

  return {
    async listen(channel, callback) {
      const known = callbacks.get(channel) ?? new Set()
      known.add(callback)
      callbacks.set(channel, known)
      state.client ??= connect()
      const client = await state.client.catch((error: unknown) => {
        state.client = undefined
        throw error
      })
      await client?.query(`LISTEN ${checkedChannel(channel)}`)
      return async () => {
        known.delete(callback)
      }
    },
    async close() {
      state.closed = true
      const client = await state.client?.catch(() => undefined)
      await client?.end().catch(() => {})
    },
  }
}
