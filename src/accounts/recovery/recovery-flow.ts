import { z } from 'zod'
import type { Sql } from '../../platform/db.ts'
import { type AccountId, parseAccountId } from '../account.ts'
import type { Cpf } from '../identity/cpf.ts'
import { parseCpf } from '../identity/cpf.ts'
import type { OneTimeTokens, Token, TokenSecrets } from '../token/one-time-tokens.ts'
import { FIRST_STEPS, nextStep, RECOVERY_METHODS, RECOVERY_STEPS, type RecoveryEvent, type RecoveryMethod, type RecoveryStep } from './step.ts'

const KIND = 'recovery'
const TTL_SECONDS = 3600

const payload = z.object({ method: z.enum(RECOVERY_METHODS), cpf: z.string(), sentTo: z.string().optional() })

/** One recovery under way. Without an account it is a decoy: it looks the same and leads nowhere. */
export interface RecoveryFlow {
  readonly id: string
  readonly binding: string
  readonly step: RecoveryStep
  readonly method: RecoveryMethod
  readonly cpf: Cpf
  readonly accountId: AccountId | undefined
  /** Where its codes go: the account's address when it began. */
  readonly sentTo: string | undefined
}

/** Recoveries as one-time tokens whose state follows the table of `step.ts`. */
export interface RecoveryFlows {
  begin(tx: Sql, begun: { method: RecoveryMethod; cpf: Cpf; accountId: AccountId | undefined; binding: string; sentTo: string | undefined }): Promise<TokenSecrets>
  find(id: string, binding: string): Promise<RecoveryFlow | undefined>
  findByLink(link: string): Promise<RecoveryFlow | undefined>
  /** Takes a step of the table; `undefined` when another request took it first. */
  advance(tx: Sql, flow: RecoveryFlow, event: RecoveryEvent, binding?: string): Promise<RecoveryFlow | undefined>
}

export const RECOVERY_KIND = KIND

export function createRecoveryFlows(tokens: OneTimeTokens): RecoveryFlows {
  return {
    begin: (tx, { method, cpf, accountId, binding, sentTo }) =>
      tokens.create(tx, {
        kind: KIND, ttlSeconds: TTL_SECONDS, accountId, binding, state: FIRST_STEPS[method], payload: JSON.stringify({ method, cpf, sentTo }),
      }),
    async find(id, binding) {
      const token = await tokens.find({ kind: KIND, id, binding })
      return token && toFlow(token)
    },
    async findByLink(link) {
      const token = await tokens.findByLink(KIND, link)
      return token && toFlow(token)
    },
    async advance(tx, flow, event, binding = flow.binding) {
      const step = nextStep(flow.step, event)
      return (await tokens.move(tx, { id: flow.id, from: flow.step, to: step, binding })) ? { ...flow, step, binding } : undefined
    },
  }
}

function toFlow(token: Token): RecoveryFlow {
  const { method, cpf: text, sentTo } = payload.parse(JSON.parse(token.payload ?? '{}'))
  const step = RECOVERY_STEPS.find((name) => name === token.state)
  const cpf = parseCpf(text)
  if (step === undefined || cpf === undefined || token.binding === undefined) throw new Error('a stored recovery makes no sense')
  const accountId = token.accountId === undefined ? undefined : parseAccountId(token.accountId)
  return { id: token.id, binding: token.binding, step, method, cpf, accountId, sentTo }
}
