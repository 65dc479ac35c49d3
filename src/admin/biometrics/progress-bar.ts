const WIDTH = 28
const EVERY_MS = 500

/** Shows how far a long command is, on one line that is written over; at most twice a second. */
export function createProgressBar(write: (text: string) => void) {
  const begun = performance.now()
  let first: number | undefined
  let shown = 0
  let last = ''
  const put = (text: string) => {
    last = `\r${text}\u001b[K`
    if (performance.now() - shown < EVERY_MS) return
    shown = performance.now()
    write(last)
  }
  return {
    show(done: number, total: number, more: string): void {
      first ??= done - 1
      const seconds = (performance.now() - begun) / 1000
      const rate = (done - first) / Math.max(0.001, seconds)
      const filled = Math.round((WIDTH * done) / Math.max(1, total))
      const left = Math.ceil((total - done) / Math.max(0.001, rate) / 60)
      put(`[${'█'.repeat(filled)}${'·'.repeat(Math.max(0, WIDTH - filled))}] ${done} de ${total}, ${rate.toFixed(1)}/s, faltam ${left} min, ${more}`)
    },
    note: (text: string) => put(text),
    end(): void {
      if (last !== '') write(`${last}\n`)
    },
  }
}
