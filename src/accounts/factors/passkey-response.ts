import { z } from 'zod'

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/).max(65_536)
const outer = {
  id: base64url.min(1).max(2048),
  rawId: base64url.min(1).max(2048),
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional(),
  clientExtensionResults: z.record(z.string(), z.unknown()).transform(() => ({})),
}

/** What `navigator.credentials.create` gave, as JSON; unknown members are dropped. */
export const registrationResponse = z.object({
  ...outer,
  response: z.object({
    clientDataJSON: base64url, attestationObject: base64url, transports: z.array(z.string().max(32)).max(10).default([]),
  }),
})

/** What `navigator.credentials.get` gave, as JSON; unknown members are dropped. */
export const authenticationResponse = z.object({
  ...outer,
  response: z.object({
    clientDataJSON: base64url, authenticatorData: base64url, signature: base64url, userHandle: base64url.optional(),
  }),
})
