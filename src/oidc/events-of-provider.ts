import type { Provider, ProviderContext } from 'oidc-provider'
import { allowFormAction } from '../platform/http/security-headers.ts'
import type { OidcPorts } from './ports.ts'
import { koaContext } from './provider-internals.ts'

export interface ProviderEventDeps {
  readonly log: { error(fields: object, text: string): void }
  readonly ports: Pick<OidcPorts, 'sessionEnded'>
}

/** What this server does when the provider tells that something has happened. */
export function onProviderEvents(provider: Provider, { log, ports }: ProviderEventDeps): void {
  const fail = (_ctx: ProviderContext, error: Error) => log.error({ err: error }, 'protocol request failed')
  provider.on('server_error', fail)
  provider.on('error', (error: Error) => log.error({ err: error }, 'protocol answer failed'))
  // A form that posts itself to the relying party (`response_mode=form_post`) needs its address in the content security policy.
  const allowTarget = (ctx: ProviderContext) => {
    const { client, params } = ctx.oidc
    const target = params?.['redirect_uri']
    if (target !== undefined && params?.['response_mode']?.startsWith('form_post') && client.redirectUriAllowed(target))
      allowFormAction(koaContext(ctx), [target])
  }
  provider.on('authorization.success', allowTarget)
  provider.on('authorization.error', allowTarget)
  provider.use(async (ctx, next) => {
    await next()
    nameUnauthorizedGrant(ctx)
    if (ctx._matchedRouteName !== 'end_session_confirm' || !ctx.oidc.session || !('destroyed' in ctx.oidc.session)) return
    await ports.sessionEnded(ctx.oidc.session.uid, 'logout')
  })
}

/** The provider says `invalid_request` for a grant that is not the client's; RFC 6749 §5.2 has a name for it. */
function nameUnauthorizedGrant(ctx: ProviderContext): void {
  const { body } = ctx
  if (ctx.status !== 400 || typeof body !== 'object' || body === null || !('error_description' in body)) return
  const isGrant = typeof body.error_description === 'string' && body.error_description.endsWith('is not allowed for this client')
  if (isGrant && (ctx._matchedRouteName === 'token' || ctx._matchedRouteName === 'device_authorization'))
    ctx.body = { ...body, error: 'unauthorized_client' }
}
