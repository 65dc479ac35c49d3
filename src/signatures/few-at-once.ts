/** Threads have room for so many more: a batch of a hundred documents leaves place for somebody else's one. */
const AT_ONCE = 8

/** Results in the order of the items, a few of them in the making at a time; the first failure is the answer once those have ended. */
export async function fewAtOnce<Item, Result>(items: readonly Item[], work: (item: Item, index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  const lane = async () => {
    for (const [index, item] of waiting) results[index] = await work(item, index)
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane))
  const failed = ended.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return results
}
