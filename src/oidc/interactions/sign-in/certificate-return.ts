import { z } from 'zod'
import type { Certificates } from '../../../accounts/index.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { allowFormAction } from '../../../platform/http/security-headers.ts'

/** What the interaction pages need to send a browser to the host that asks for certificates. */
export type CertificateHost = Pick<Certificates, 'host' | 'begin' | 'discard'>

/** What the host of certificates sends back with. */
export const returnQuery = z.object({ bilhete: z.string().regex(/^[\w-]{43}$/).optional() })

/** Opens what the ticket was asked for; where that is not this browser's, the ticket is burnt before the refusal. */
export async function openOrDiscard<Opened>({ discard }: Pick<Certificates, 'discard'>, ticket: string, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open()
  } catch (error) {
    await discard(ticket)
    throw error
  }
}

/** Whether the page shows the way to the host; forms of the page may then end there. */
export async function allowHost(ctx: HttpContext, { host }: Pick<Certificates, 'host'>): Promise<boolean> {
  const address = await host()
  if (address !== undefined) allowFormAction(ctx, [address])
  return address !== undefined
}

/** Key of what a page says of a certificate that was refused. */
export function refusalKey(why: string | undefined): string {
  return `oidc.interaction.certificate.why.${why ?? 'strange'}`
}
