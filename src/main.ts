/** The server process: reads the configuration, starts, says where it is, and stops cleanly. */
import { mkdirSync } from 'node:fs'
import module from 'node:module'
import path from 'node:path'
import type { App } from './app.ts'
import type { DemoCitizen } from './oidc/index.ts'
import { ConfigError, loadConfig } from './platform/config.ts'
import { createLog } from './platform/log.ts'
import { Problem } from './platform/problem.ts'

const FORCED_STOP_MS = 20_000

/** Where a person at the terminal reads what to open; the log has its own lines. */
function greet({ publicUrl, demo }: App, citizens: readonly DemoCitizen[]): void {
  if (demo === undefined) return
  const lines = [
    '', 'MT Login · DEMONSTRAÇÃO (não use dados reais)', '',
    `  MT Login             ${publicUrl}/conta`,
    `  Portal de Serviços   ${demo.portalUrl}`,
    `  Mensagens enviadas   ${publicUrl}/demo/mensagens`,
    `  Minha foto           ${publicUrl}/demo/foto`,
    `  Operação             ${publicUrl}/operacao   (Maria; na primeira vez se liga um aplicativo autenticador)`,
    `  Balcão               ${publicUrl}/balcao     (Carlos atende, Helena aprova, Paulo dirige; na primeira vez, o mesmo)`, '',
    ...citizens.map(({ name, cpf, password }) => `  Cidadão   ${name}   CPF ${cpf}   senha ${password}`),
    '  Para criar uma conta: Ana Clara Souza   CPF 168.995.350-09   nascida em 23/07/1999',
    `  Sistema   client_id ${demo.clientId}   client_secret ${demo.clientSecret}`, '',
    '  Ctrl-C termina; os dados ficam guardados.', '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function stopOnSignal(app: App): void {
  let isStopping = false
  const stop = () => {
    if (isStopping) return
    isStopping = true
    setTimeout(() => process.exit(1), FORCED_STOP_MS).unref()
    app.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

/**
 * What V8 has compiled is kept for the next start, which saves half a second of it.
 *
 * It is code that will be run, so it lies where the master key lies: whoever can write there has the server anyway.
 */
function keepCompiled(dataDir: string): void {
  if (dataDir === 'memory') return
  const folder = path.resolve(dataDir, 'compiled')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  module.enableCompileCache(folder)
}

/** What a start that failed says: every fault of the configuration, or the problem's own sentence. */
function fail(error: unknown): void {
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`)
  else if (error instanceof Problem) process.stderr.write(`MT Login could not start: ${error.message}\n`)
  else createLog({ level: 'info' }).error('start failed', { error })
  process.exitCode = 1
}

try {
  const config = loadConfig()
  keepCompiled(config.platform.dataDir)
  const { DEMO_CITIZENS, startApp } = await import('./app.ts')
  const app = await startApp({ config, log: createLog({ level: config.platform.logLevel }) })
  stopOnSignal(app)
  greet(app, DEMO_CITIZENS)
} catch (error) {
  fail(error)
}
