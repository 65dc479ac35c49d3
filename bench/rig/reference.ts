/** The reference: bare oidc-provider on its memory adapter with the least pages that a login needs. Run as a child process. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { type InteractionInstance, Provider } from 'oidc-provider'
import { cpfOf, emailOf, MACHINE, PASSWORD, PEOPLE, PORTAL } from './setting.ts'

const people = new Map(Array.from({ length: PEOPLE }, (_, person) => [cpfOf(person), { name: `Pessoa ${person}`, email: emailOf(person) }]))

async function createProvider(issuer: string): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const portal = {
    client_id: PORTAL.id,
    client_secret: PORTAL.secret,
    redirect_uris: [PORTAL.redirectUri],
    id_token_signed_response_alg: 'ES256' as const,
  }
  const machine = {
    client_id: MACHINE.id,
    client_secret: MACHINE.secret,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    id_token_signed_response_alg: 'ES256' as const,
  }
  return new Provider(issuer, {
    clients: [portal, machine],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'reference' }] },
    cookies: { keys: ['reference'] },
    claims: { openid: ['sub'], profile: ['name', 'birthdate'], email: ['email', 'email_verified'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
    },
    interactions: { url: (_ctx: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600, Grant: 86_400, IdToken: 600, Interaction: 3600, Session: 86_400 },
    findAccount: (_ctx: unknown, cpf: string) => {
      const person = people.get(cpf)
      if (!person) return undefined
      return { accountId: cpf, claims: async () => ({ sub: cpf, birthdate: '1990-01-01', email_verified: true, ...person }) }
    },
  })
}

async function grantFor(provider: Provider, { grantId, params, session, prompt }: InteractionInstance): Promise<string> {
  const found = grantId ? await provider.Grant.find(grantId) : undefined
  const grant = found ?? new provider.Grant({ accountId: session?.accountId, clientId: params['client_id'] })
  const { missingOIDCScope, missingOIDCClaims } = prompt.details
  if (Array.isArray(missingOIDCScope)) grant.addOIDCScope(missingOIDCScope.join(' '))
  if (Array.isArray(missingOIDCClaims)) grant.addOIDCClaims(missingOIDCClaims.map(String))
  return grant.save()
}

async function formOf(req: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const chunk of req) text += chunk
  return new URLSearchParams(text)
}

function sendPage(res: ServerResponse, action: string, prompt: string) {
  const fields = prompt === 'login' ? '<input name="cpf"><input type="password" name="password">' : '<p>Portal</p>'
  res.setHeader('content-type', 'text/html; charset=utf-8')
  res.end(`<!doctype html><title>Login</title><main><form method="post" action="${action}">${fields}<button>Ok</button></form></main>`)
}

async function interact(provider: Provider, req: IncomingMessage, res: ServerResponse) {
  const details = await provider.interactionDetails(req, res)
  if (req.method !== 'POST') return sendPage(res, req.url ?? '', details.prompt.name)
  const form = await formOf(req)
  async function finish(result: Record<string, unknown>, mergeWithLastSubmission: boolean) {
    res.writeHead(303, { location: await provider.interactionResult(req, res, result, { mergeWithLastSubmission }) }).end()
  }
  if (details.prompt.name === 'consent') return finish({ consent: { grantId: await grantFor(provider, details) } }, true)
  const accountId = form.get('cpf') ?? ''
  if (!people.has(accountId) || form.get('password') !== PASSWORD) return sendPage(res, req.url ?? '', 'login')
  return finish({ login: { accountId, amr: ['pwd'] } }, false)
}

const server = createServer()
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', async () => {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = await createProvider(origin)
  const protocol = provider.callback()
  server.on('request', (req, res) => {
    if (!req.url?.startsWith('/interaction/')) return protocol(req, res)
    return interact(provider, req, res).catch((error: unknown) => {
      res.statusCode = 500
      res.end(String(error))
    })
  })
  process.stdout.write(`${JSON.stringify({ ready: true, origin })}\n`)
})
process.once('SIGTERM', () => process.exit(0))
