interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends what is asked for at the same moment in one round trip.
 *
 * While a batch is under way the next one gathers; on an idle server a single request waits for nothing. Under load one round trip serves
 * many requests, and it is round trips, more than the database's own work, that cost this process its time (docs/adr/0002).
 *
 * A batch that fails for one item's fault is repeated item by item, so that a bad item spoils no other; a store that is down is not asked again.
 */
export function createCoalescer<Item, Result>(
  send: (items: readonly Item[]) => Promise<readonly Result[]>,
  options: { readonly mostAtOnce: number; readonly isItemsFault: (error: unknown) => boolean },
): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = []
  let underWay = 0
  let isScheduled = false

  const schedule = () => {
    if (isScheduled || underWay > 0 || waiting.length === 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      const batch = waiting.slice(0, options.mostAtOnce)
      waiting = waiting.slice(options.mostAtOnce)
      underWay += 1
      void settle(batch, send, options.isItemsFault).finally(() => {
        underWay -= 1
        schedule()
      })
    })
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      schedule()
    })
}

async function settle<Item, Result>(
  batch: readonly Waiting<Item, Result>[],
  send: (items: readonly Item[]) => Promise<readonly Result[]>,
  isItemsFault: (error: unknown) => boolean,
): Promise<void> {
  try {
    const results = await send(batch.map(({ item }) => item))
    if (results.length !== batch.length) throw new Error('a batch must be answered item by item')
    for (const [index, result] of results.entries()) batch[index]?.resolve(result)
  } catch (error) {
    if (batch.length > 1 && isItemsFault(error)) await Promise.all(batch.map((one) => settle([one], send, isItemsFault)))
    else for (const { reject } of batch) reject(error)
  }
}
