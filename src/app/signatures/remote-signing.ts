import type { JWK } from 'jose'
import { type Accounts, type BaseRegister, displayName, parseCnpj, parseCpf } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit } from '../../audit/index.ts'
import { createTellCitizen } from '../../helpdesk/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { type DecisionAsk, parsePartyRef, parsePowerName, type Proxies } from '../../proxies/index.ts'
import { createRemoteSigning, DEFAULT_WRAP_COST, type RemoteSigning, type Represented, type SignerPorts, type Signatures } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'
import { findServing, isServing } from './serving.ts'

/** The client of the citizen's area: the only one whose tokens prove that a citizen wants to sign. */
export const SIGNING_AUDIENCE = 'mt-conta'

/** Name of the job that looks whether a person may still have certificates. */
export const REVIEW_CERTIFICATES_JOB = 'signatures-review-person'

/** Name of the job that ends representatives' certificates under a mandate that ended or rests. */
export const REVIEW_REPRESENTATIONS_JOB = 'signatures-review-representations'

/** What the protocol knows of proofs; it opens after the rooms. */
export interface Issuer {
  /** The provider's keys at this moment. */
  keys(): readonly JWK[]
  /** The sign-in behind a `sid` that the citizen's area was told. */
  findSignIn(accountId: string, sid: string): Promise<string | undefined>
}

export interface OpenRemoteSigningDependencies {
  readonly foundation: Foundation
  readonly rooms: { readonly audit: Audit; readonly accounts: Accounts; readonly assurance: Assurance; readonly proxies: Proxies; readonly signatures: Signatures }
  readonly messages: Messages
  readonly issuer: Issuer
  readonly register: BaseRegister
}

/** Citizens' certificates and signatures, over what the other rooms know of people. */
export function openRemoteSigning({ foundation, rooms, messages, issuer, register }: OpenRemoteSigningDependencies): RemoteSigning {
  const { config, db, clock, keyring, jobs, metrics } = foundation
  const { publicUrl } = config.platform
  const { citizenKey: keyKind, keyPasswordMemoryKib: memoryKib } = config.signatures
  const signing = createRemoteSigning({
    core: { db, clock, keyring, audit: rooms.audit, people: signerPorts(foundation, rooms, { messages, register, issuer }) },
    authority: rooms.signatures.authority,
    settings: {
      publicUrl, keyKind, issuerKeys: issuer.keys,
      cost: { ...DEFAULT_WRAP_COST, memoryKib },
      evidence: { issuer: publicUrl, audience: SIGNING_AUDIENCE },
    },
  })
  metrics.watchPool('signing', signing.stats)
  jobs.schedule('signatures-purge', '27 * * * *', async () => {
    await signing.activations.purge()
    await signing.lendings.purge()
    await signing.asks.purge()
    await signing.credentials.purge()
  })
  jobs.work(REVIEW_CERTIFICATES_JOB, async ({ accountId }) => {
    await signing.review.one(String(accountId))
    await signing.review.representations({ accountId: String(accountId) })
  })
  jobs.work(REVIEW_REPRESENTATIONS_JOB, async ({ mandateId }) => void (await signing.review.representations({ mandateId: String(mandateId) })))
  jobs.schedule('signatures-review', '19 * * * *', async () => {
    await signing.review.all()
    await signing.review.representations()
  })
  jobs.schedule('signatures-review-deaths', '29 5 * * *', async () => void (await signing.review.all({ deaths: true })))
  return signing
}

function signerPorts({ config, outbox }: Foundation, { accounts, assurance, proxies }: OpenRemoteSigningDependencies['rooms'], { messages, register, issuer }: Pick<OpenRemoteSigningDependencies, 'messages' | 'register' | 'issuer'>): SignerPorts {
  const tell = createTellCitizen({ outbox, messages, publicUrl: config.platform.publicUrl })
  return {
    async findSigner(accountId) {
      const account = await accounts.find(accountId)
      if (!account) return undefined
      const citizen = account.citizen.reveal()
      return {
        accountId: account.id, personId: account.personId, status: account.status, isHeld: !accounts.canChangeSensitive(account), level: await assurance.levelOf(account.id),
        hasOwnWays: () => accounts.hasOwnWays(account.id),
        person: { name: displayName(citizen), cpf: citizen.cpf },
      }
    },
    holdActive: accounts.holdActive,
    async mayRepresent(accountId, represented) {
      // Whom an agency lets sign is in its own team, and the signature in the person's ledger.
      if (isServing(represented)) return (await findServing(proxies, accountId, represented)) !== undefined
      const account = await accounts.find(accountId)
      const ask = account && askOf(account.citizen.reveal().cpf, represented)
      return ask !== undefined && recordUse(proxies, ask, represented)
    },
    async stillRepresents(accountId, represented) {
      if (isServing(represented)) return (await findServing(proxies, accountId, represented)) !== undefined
      const account = await accounts.find(accountId)
      const ask = account && askOf(account.citizen.reveal().cpf, represented)
      return ask !== undefined && isThis(await proxies.decide(ask), represented)
    },
    async certifiedAs(accountId, represented) {
      if (isServing(represented)) {
        const serving = await findServing(proxies, accountId, represented)
        return serving && { kind: 'servant', register: serving.register, agency: serving.agency, post: serving.post }
      }
      const cnpj = parseCnpj(represented.party) ?? (await proxies.parties.headOfficeOf(represented.party))
      return cnpj === undefined ? undefined : { kind: 'representative', cnpj, company: represented.represented.name }
    },
    async findPasswordFault(accountId, password) {
      const account = await accounts.get(accountId)
      return accounts.findOtherPasswordFault(account.id, password)
    },
    async hasProved({ accountId, sid, nonce, since }) {
      const account = await accounts.find(accountId)
      const session = account && (await issuer.findSignIn(account.id, sid))
      if (!account || !session) return false
      const { secondFactorAt, faceAt } = await accounts.sessions.findProved(account.id, session, nonce)
      return [secondFactorAt, faceAt].some((at) => at !== undefined && at >= since)
    },
    async isDeceased({ person }) {
      const cpf = parseCpf(person.cpf)
      return cpf !== undefined && (await register.find(cpf))?.situation === 'deceased'
    },
    async tell(tx, accountId, notice) {
      const account = await accounts.findIn(tx, accountId)
      if (account) await tell(tx, account, `certificates.${notice}`)
    },
  }
}

function askOf(cpf: Extract<DecisionAsk['actor'], { kind: 'person' }>['cpf'], { party, power }: Represented): DecisionAsk | undefined {
  const represented = parsePartyRef(party)
  const role = parsePowerName(power)
  return represented && role && { actor: { kind: 'person', cpf }, represented, role }
}

/** Permitted, and by the very mandate that was named. */
const isThis = ({ mandateId }: { readonly mandateId?: string | undefined }, named: Represented): boolean => (mandateId ?? 'registro') === named.mandateId

/** Decided at this moment, by the very mandate that the signature will name, and shown to whoever is represented. */
async function recordUse({ decide, uses }: Proxies, ask: DecisionAsk, represented: Represented): Promise<boolean> {
  if (!isThis(await decide(ask), represented)) return false
  const { useId } = await uses.record(ask, SIGNING_AUDIENCE, {
    also: async (_tx, decision) => {
      if (!isThis(decision, represented)) throw new Error('another mandate permits now than a moment ago')
    },
  })
  return useId !== undefined
}
