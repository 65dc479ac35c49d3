import type { HttpMiddleware } from './http/request-facts.ts'

/** One thing that must work before this process takes requests; throws or rejects when it does not. */
export interface ReadinessCheck {
  readonly name: string
  check(): Promise<void> | void
}

const DEADLINE_MS = 2000

/**
 * `/saude`: this process lives. `/pronto`: it may be sent requests (200), or not and what is missing (503).
 *
 * `notes` are limits to know of that do not stop anything, such as nets that are not installed.
 */
export function createHealth(checks: readonly ReadinessCheck[], notes: () => readonly string[]): HttpMiddleware {
  return async (ctx, next) => {
    if (ctx.path === '/saude' && isRead(ctx.method)) {
      ctx.body = { status: 'ok' }
    } else if (ctx.path === '/pronto' && isRead(ctx.method)) {
      const results = await Promise.all(checks.map(runCheck))
      const isReady = results.every(([, state]) => state === 'ok')
      ctx.status = isReady ? 200 : 503
      ctx.body = { status: isReady ? 'ok' : 'not-ready', checks: Object.fromEntries(results), notes: notes() }
    } else {
      await next()
    }
  }
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

async function runCheck({ name, check }: ReadinessCheck): Promise<[string, 'ok' | 'failed']> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} took too long`)), DEADLINE_MS)
  })
  try {
    await Promise.race([check(), late])
    return [name, 'ok']
  } catch {
    return [name, 'failed']
  } finally {
    clearTimeout(timer)
  }
}
