import { z } from 'zod'

/** A registration that waits for its e-mail code; sealed in a one-time token, nothing of it is in the tables yet. */
export const pendingRegistration = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('new'),
    cpf: z.string(),
    name: z.string(),
    socialName: z.string().optional(),
    birthDate: z.string(),
    email: z.string(),
    passwordHash: z.string(),
    locale: z.enum(['pt-BR', 'en', 'es']),
  }),
  /** The CPF has an account: the same page is shown, no code was sent and none is right. */
  z.object({ kind: z.literal('decoy'), email: z.string() }),
])
export type PendingRegistration = z.infer<typeof pendingRegistration>
export type NewRegistration = Extract<PendingRegistration, { kind: 'new' }>
