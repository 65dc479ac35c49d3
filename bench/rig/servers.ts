/** The servers under test: the bare reference, and later ours on each kind of store. */
import { HttpConnection } from './http-connection.ts'
import { freePort, type Running, SERVER_CORE, start } from './processes.ts'

export interface Server extends Running {
  readonly origin: string
}

/** True once the address answers 200. */
export async function answersOk(origin: string, path: string): Promise<boolean> {
  const connection = new HttpConnection(origin)
  try {
    return (await connection.send({ method: 'GET', path })).status === 200
  } finally {
    connection.close()
  }
}

/** Starts bare oidc-provider on its memory adapter. */
export async function startReference(): Promise<Server> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const program = { core: SERVER_CORE, command: process.execPath, args: ['bench/rig/reference.ts', String(port)] }
  const running = await start(program, () => answersOk(origin, '/.well-known/openid-configuration'))
  return { ...running, origin }
}
