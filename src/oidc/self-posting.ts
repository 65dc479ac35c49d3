import type { ProviderContext } from 'oidc-provider'
import type { RenderHtml } from './pages.ts'
import { koaContext } from './provider-internals.ts'

/** A page whose only content is a form that sends itself. */
export interface SelfPosting {
  readonly action: string
  readonly inputs: readonly { readonly name: string; readonly value: string }[]
}

const TITLE = '<title>Submitting Callback</title>'
const ACTION = /<form method="post" action="([^"<>]*)">/
const INPUT = /<input type="hidden" name="([^"<>]*)" value="([^"<>]*)"\/>/g
const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
/** What the provider adds to the policy for its inline script, which our page does not have. */
const SCRIPT_SUM = / 'sha256-[\w+/=]+'/g

/** What the provider's own page would send where; `undefined` for every other page. */
export function readSelfPosting(body: unknown): SelfPosting | undefined {
  if (typeof body !== 'string' || !body.includes(TITLE)) return undefined
  const action = ACTION.exec(body)?.[1]
  if (action === undefined) return undefined
  return { action: plain(action), inputs: [...body.matchAll(INPUT)].map(([, name = '', value = '']) => ({ name: plain(name), value: plain(value) })) }
}

function plain(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
}

/**
 * Shows our page in the place of the provider's self-posting ones (`response_mode=form_post`, a sign-out that needs no question, a device
 * code in the address), which are bare English and show nothing at all where scripts run and this one does not.
 */
export function showSelfPosting(html: RenderHtml): (ctx: ProviderContext, next: () => Promise<void>) => Promise<void> {
  return async (ctx, next) => {
    await next()
    const posting = readSelfPosting(ctx.body)
    if (posting === undefined) return
    const koa = koaContext(ctx)
    const policy = String(koa.response.get('Content-Security-Policy'))
    koa.set('Content-Security-Policy', policy.replace(SCRIPT_SUM, ''))
    const { client, params } = ctx.oidc
    if (typeof params?.['ui_locales'] === 'string') koa.state.uiLocales = params['ui_locales']
    const isAnswer = client !== undefined && !posting.action.startsWith(`${new URL(ctx.oidc.provider.issuer).origin}/`)
    const { status } = koa
    koa.body = html(koa, 'oidc/self-post', { ...posting, clientName: isAnswer ? (client.clientName ?? client.clientId) : undefined })
    koa.status = status
    koa.type = 'text/html; charset=utf-8'
  }
}
