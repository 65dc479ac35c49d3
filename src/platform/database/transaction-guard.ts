import { AsyncLocalStorage } from 'node:async_hooks'

interface Running {
  active: boolean
}

/** Refuses the use of the database itself inside one of its transactions, where it would wait for itself. */
export interface TransactionGuard {
  check(): void
  /** Runs `work`; the function that it gets throws once the transaction is over. */
  run<T>(work: (checkOpen: () => void) => Promise<T>): Promise<T>
}

export function createTransactionGuard(): TransactionGuard {
  const storage = new AsyncLocalStorage<Running>()
  return {
    check() {
      if (storage.getStore()?.active) throw new Error('inside a transaction only its own tx may be used')
    },
    async run(work) {
      const running: Running = { active: true }
      try {
        return await storage.run(running, () => work(() => checkOpen(running)))
      } finally {
        running.active = false
      }
    },
  }
}

function checkOpen(running: Running): void {
  if (!running.active) throw new Error('this transaction is over')
}
