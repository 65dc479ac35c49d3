/** A whole server for tests: real rooms, real pages, its own database and free ports; the demonstration's portal beside it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type App, type AppOptions, startApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/platform/config.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type DemoMessage, recentDemoMessages } from '../../src/platform/outbox.ts'
import { freePort } from './free-port.ts'

export interface TestApp extends App {
  readonly config: Config
  readonly dataDir: string
  /** What was mailed or texted, newest first, after everything due was delivered. */
  messages(): Promise<DemoMessage[]>
  /** The newest 6-digit code that was sent to an address. */
  lastCode(to: string): Promise<string>
}

export interface TestAppOptions extends Omit<AppOptions, 'config'> {
  readonly env?: Readonly<Record<string, string>>
  /** A folder that an earlier app left; a new one otherwise, removed at the end. */
  readonly dataDir?: string
}

/** Starts a demonstration on free ports. Stop it with `stop()`, which also removes its folder unless it was given. */
export async function startTestApp({ env = {}, dataDir, ...options }: TestAppOptions = {}): Promise<TestApp> {
  const folder = dataDir ?? (await mkdtemp(path.join(tmpdir(), 'mt-login-app-')))
  const [port, demoPort] = [await freePort(), await freePort()]
  const config = loadConfig({ DEMO: 'true', DATA_DIR: folder, PORT: String(port), DEMO_PORT: String(demoPort), METRICS_PORT: '0', LOG_LEVEL: 'silent', ...env })
  const app = await startApp({ config, log: silentLog, ...options })
  const messages = async (): Promise<DemoMessage[]> => {
    // The first may join a delivery under way that has looked for the last time already; the second looks anew.
    await app.foundation.outbox.flush()
    await app.foundation.outbox.flush()
    return recentDemoMessages(folder)
  }
  return {
    ...app,
    config,
    dataDir: folder,
    messages,
    async lastCode(to) {
      const text = (await messages()).find((message) => message.to === to && /\b\d{6}\b/.test(message.text))?.text
      const code = /\b\d{6}\b/.exec(text ?? '')?.[0]
      if (code === undefined) throw new Error(`no code was sent to ${to}`)
      return code
    },
    async stop() {
      await app.stop()
      if (dataDir === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}
