/** The flows that a relying party drives, each as work that one person repeats. */
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { Browser } from './browser.ts'
import { type Call, HttpConnection } from './http-connection.ts'
import type { Work } from './load.ts'
import { cpfOf, MACHINE, PASSWORD, PEOPLE, PORTAL, SCOPE } from './setting.ts'

/** Where a server's endpoints are, read from its own discovery document. */
export interface Endpoints {
  readonly origin: string
  readonly authorize: string
  readonly token: string
  readonly userinfo: string
  readonly introspect: string
  readonly jwks: string
}

/** What outlives one login on a person's device. */
const DEVICE_COOKIES = /device|locale/

const basic = ({ id, secret }: { id: string; secret: string }) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
const post = (path: string, client: { id: string; secret: string }, fields: Readonly<Record<string, string>>): Call => ({
  method: 'POST',
  path,
  headers: { authorization: basic(client), 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
})

export async function discover(origin: string): Promise<Endpoints> {
  const connection = new HttpConnection(origin)
  const { body } = await connection.send({ method: 'GET', path: '/.well-known/openid-configuration' })
  connection.close()
  const metadata = JSON.parse(body.toString()) as Record<string, string>
  const path = (name: string) => new URL(metadata[name] ?? '').pathname
  return {
    origin,
    authorize: path('authorization_endpoint'),
    token: path('token_endpoint'),
    userinfo: path('userinfo_endpoint'),
    introspect: path('introspection_endpoint'),
    jwks: path('jwks_uri'),
  }
}

async function sendOk(connection: HttpConnection, call: Call): Promise<Record<string, unknown>> {
  const { status, body } = await connection.send(call)
  if (status !== 200) throw new Error(`${call.method} ${call.path}: ${status} ${body.toString().slice(0, 300)}`)
  return JSON.parse(body.toString()) as Record<string, unknown>
}

const getUserinfo = (at: Endpoints, token: string): Call => ({ method: 'GET', path: at.userinfo, headers: { authorization: `Bearer ${token}` } })

/** authorize → whatever pages come → code → token → userinfo; returns the access token. */
async function signIn(at: Endpoints, browser: Browser, typed: Readonly<Record<string, string>>, prompt?: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: PORTAL.id,
    response_type: 'code',
    redirect_uri: PORTAL.redirectUri,
    scope: SCOPE,
    state: 's',
    nonce: 'n',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(prompt && { prompt }),
  })
  const back = await browser.browseTo(PORTAL.redirectUri, `${at.authorize}?${query}`, typed)
  const code = back.searchParams.get('code')
  if (!code) throw new Error(`no code came back: ${back}`)
  const exchange = { grant_type: 'authorization_code', code, redirect_uri: PORTAL.redirectUri, code_verifier: verifier }
  const { access_token } = await sendOk(browser.connection, post(at.token, PORTAL, exchange))
  await sendOk(browser.connection, getUserinfo(at, String(access_token)))
  return String(access_token)
}

/** The limits are by address; a state's people come from as many. */
function anyAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}`
}

interface Visitor {
  readonly browser: Browser
  readonly typed: Readonly<Record<string, string>>
}

const visitors = new Map<string, Visitor>()

/** One person at one of their devices, the same in every measurement: the server knows the device after the first. */
function visitor(at: Endpoints, person: number, device = 'phone'): Visitor {
  const key = `${at.origin} ${person} ${device}`
  const known = visitors.get(key) ?? { browser: new Browser(at.origin), typed: { cpf: cpfOf(person), password: PASSWORD } }
  known.browser.address = anyAddress()
  visitors.set(key, known)
  return known
}

/** A whole login each round: a returning person's device, no session, password and consent asked. */
export function fullLogin(at: Endpoints, people: number): (person: number) => Work {
  return (number) => {
    const own = Array.from({ length: Math.floor(PEOPLE / people) }, (_, index) => visitor(at, number + index * people))
    return async (round) => {
      const { browser, typed } = own[round % own.length] ?? visitor(at, number)
      browser.jar.keepOnly(DEVICE_COOKIES)
      browser.address = anyAddress()
      await signIn(at, browser, typed, 'consent')
    }
  }
}

/** One login, then each round the flow of someone who is already signed in. */
export function signedInFlow(at: Endpoints): (person: number) => Work {
  return (number) => {
    const { browser, typed } = visitor(at, number)
    return async () => {
      await signIn(at, browser, typed)
    }
  }
}

/** One plain call again and again; `make` may need a token and gets one from a login of its own. */
export function repeated(at: Endpoints, make: (token: string) => Call): (person: number) => Work {
  return (number) => {
    const { browser, typed } = visitor(at, number, 'computer')
    let call: Call | undefined
    return async () => {
      call ??= make(await signIn(at, browser, typed))
      const { status, body } = await browser.connection.send(call)
      if (status !== 200) throw new Error(`${call.path}: ${status} ${body.toString().slice(0, 300)}`)
    }
  }
}

/** The calls that need no page, by name. */
export function plainCalls(at: Endpoints): Readonly<Record<string, (token: string) => Call>> {
  return {
    discovery: () => ({ method: 'GET', path: '/.well-known/openid-configuration' }),
    jwks: () => ({ method: 'GET', path: at.jwks }),
    userinfo: (token) => getUserinfo(at, token),
    introspection: (token) => post(at.introspect, PORTAL, { token }),
    client_credentials: () => post(at.token, MACHINE, { grant_type: 'client_credentials' }),
  }
}
