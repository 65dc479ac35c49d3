import { z } from 'zod'
import { LEVELS } from '../assurance/index.ts'
import { defineEvents } from '../audit/index.ts'

const clientId = z.string()

/** What the oidc room writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const oidcEvents = defineEvents({
  /** A relying party got tokens about a person: the line in that person's ledger. */
  'oidc/authorized': z.object({
    grant: z.enum(['code', 'refresh', 'device']),
    level: z.enum(LEVELS),
    aal: z.int().min(1).max(3),
    scopes: z.array(z.string()),
  }),
  /** Somebody signed in with a power that only several have together: nothing was used yet. */
  'oidc/joint-representation': z.object({ mandate: z.string(), kind: z.enum(['sign-in', 'refresh', 'switch', 'api', 'service']), about: z.string().optional() }),
  'oidc/consent-given': z.object({ scopes: z.array(z.string()), claims: z.array(z.string()), declined: z.array(z.string()).optional() }),
  'oidc/consent-withdrawn': z.object({}),
  'oidc/sessions-ended': z.object({ reason: z.string(), sessions: z.int(), clients: z.int() }),
  'oidc/client-created': z.object({ clientId, authMethod: z.string(), dynamic: z.boolean() }),
  'oidc/client-changed': z.object({ clientId, changed: z.array(z.string()) }),
  'oidc/client-secret-rotated': z.object({ clientId }),
  'oidc/client-disabled': z.object({ clientId }),
  'oidc/client-enabled': z.object({ clientId }),
  'oidc/registration-token-issued': z.object({ preset: z.string() }),
  'oidc/resource-set': z.object({ indicator: z.string(), tokenFormat: z.string() }),
  'oidc/keys-rotated': z.object({ added: z.array(z.string()), removed: z.array(z.string()), urgent: z.boolean() }),
  'oidc/refresh-token-reused': z.object({ ageSeconds: z.int() }),
})
