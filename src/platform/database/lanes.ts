import pg from 'pg'

export interface Statement {
  readonly text: string
  readonly values: unknown[]
  readonly name?: string
}

/** Runs single statements; each is its own transaction. */
export interface Lanes {
  query<Row extends object>(statement: Statement): Promise<pg.QueryResult<Row>>
  close(): Promise<void>
}

interface Lane {
  /** Statements sent and not answered. */
  waiting: number
  client(): Promise<pg.Client>
  close(): Promise<void>
}

/**
 * A few connections on which statements follow one another without waiting for the answer to the one before.
 *
 * A statement costs this process half of what it costs through a pool, and statements are most of a request's cost. Each is followed by a
 * sync of its own, so an error stays with its statement. One that waits (for a lock, for the disk) holds up those behind it on its lane;
 * therefore the lane with the fewest unanswered ones is taken. A lost connection fails what was sent on it; the next statement opens another.
 */
export function createLanes(config: pg.ClientConfig, count: number): Lanes {
  const lanes = Array.from({ length: count }, () => createLane(config))
  return {
    async query<Row extends object>(statement: Statement) {
      const lane = lanes.reduce((least, other) => (other.waiting < least.waiting ? other : least))
      lane.waiting += 1
      try {
        const client = await lane.client()
        return await client.query<Row>(statement)
      } finally {
        lane.waiting -= 1
      }
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()))
    },
  }
}

function createLane(config: pg.ClientConfig): Lane {
  let current: Promise<pg.Client> | undefined
  function connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...config, pipeline: true })
    const attempt = client.connect().then(() => client)
    const forget = () => {
      if (current === attempt) current = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    attempt.catch(forget)
    return attempt
  }
  return {
    waiting: 0,
    client: () => (current ??= connect()),
    async close() {
      await (await current?.catch(() => undefined))?.end()
    },
  }
}
