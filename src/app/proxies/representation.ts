import type { Account, Accounts } from '../../accounts/index.ts'
import { higherLevel } from '../../assurance/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Representation, RepresentationPort, RepresentationUse, RepresentedParty } from '../../oidc/index.ts'
import type { Database } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { isProblem } from '../../platform/problem.ts'
import { type Decision, type PartyRef, parsePartyRef, type Power, powerName, type Proxies, PROXIES_PROBLEMS, type Representable, type Role } from '../../proxies/index.ts'

export interface RepresentationDependencies {
  readonly db: Database
  readonly keyring: Pick<Keyring, 'hash'>
  readonly audit: Audit
  readonly accounts: Pick<Accounts, 'find' | 'findByCpf'>
  readonly proxies: Proxies
}

/** A power that bears, and how the decision point put it. */
interface Borne {
  readonly power: Power
  readonly role: Role
  readonly decision: Decision
}

/** What the protocol asks of the register of mandates: the list for the picker, and every power of it decided again. */
export function createRepresentationPort(deps: RepresentationDependencies): RepresentationPort {
  const { accounts, proxies } = deps

  async function list(accountId: string, namespaces: readonly string[], id?: string): Promise<Representation[]> {
    const account = await accounts.find(accountId)
    if (account?.status !== 'active' || namespaces.length === 0) return []
    const all = await representable(proxies, account)
    const asked = all.filter((one) => id === undefined || idOf(deps, one) === id)
    const found = await Promise.all(asked.map((one) => representationOf(deps, account, one, namespaces)))
    return found.filter((one) => one !== undefined)
  }

  return {
    list,
    find: async (accountId, id, namespaces) => (await list(accountId, namespaces, id))[0],
    noteUse: (use, also) => noteUse(deps, use, also),
  }
}

/** While the company register does not answer nobody is represented, and everybody can sign in for themselves. */
async function representable(proxies: Proxies, { personId }: Account): Promise<Representable[]> {
  try {
    return await proxies.parties.representable(personId)
  } catch (error) {
    if (isProblem(error, PROXIES_PROBLEMS.companyRegisterDown)) return []
    throw error
  }
}

async function noteUse(deps: RepresentationDependencies, use: RepresentationUse, also: Parameters<RepresentationPort['noteUse']>[1]): Promise<boolean> {
  const { db, audit, accounts, proxies } = deps
  const { representation, accountId, clientId, about } = use
  const account = await accounts.find(accountId)
  const [name = ''] = representation.powers
  const role = await findRole(proxies, name)
  const represented = parsePartyRef(representation.represented.document)
  if (!account || !role || !represented) return false
  const ask = { actor: personOf(account), represented, role, service: role.definition.services[0] }
  if (representation.quorum === undefined) {
    const { useId } = await proxies.uses.record(ask, clientId, { also: async (tx) => also(tx) })
    return useId !== undefined
  }
  // By itself a joint power permits nothing, so there is no use of it; that somebody signed in with it is on record all the same.
  return db.transaction(async (tx) => {
    if ((await proxies.decide(ask, tx)).reason !== 'quorum') return false
    await also(tx)
    const subject = representation.represented.accountId ?? accountId
    const data = { mandate: representation.id, kind: use.kind, ...(about && { about }) }
    await audit.record(tx, { type: 'oidc/joint-representation', actor: { kind: 'client', id: clientId }, subject, clientId, data })
    return true
  })
}

async function representationOf(
  deps: RepresentationDependencies,
  account: Account,
  one: Representable,
  namespaces: readonly string[],
): Promise<Representation | undefined> {
  const { proxies } = deps
  // No shape of the claims can say «for this one thing only»: told without it, the power would be larger than what was given.
  if (one.instance !== undefined) return undefined
  const within = one.powers.filter(({ namespace }) => namespaces.includes(namespace))
  const borne = (await Promise.all(within.map((power) => judge(proxies, account, one, power)))).filter((found) => found !== undefined)
  if (borne.length === 0) return undefined
  const mandate = one.mandateId && (await proxies.mandates.find(one.mandateId))
  const path = mandate ? await proxies.mandates.pathOf(mandate) : []
  return {
    id: idOf(deps, one),
    mandateId: one.mandateId,
    kind: one.mandateKind ?? 'administracao',
    represented: await partyOf(deps, one),
    powers: borne.map(({ power }) => powerName(power)),
    titles: borne.map(({ role }) => role.definition.title),
    validFrom: mandate?.validFrom,
    validThrough: one.until,
    mayDelegate: (mandate?.subDepth ?? 0) > 0,
    quorum: one.joint?.quorum,
    through: await Promise.all(path.slice(0, -1).reverse().map(({ delegate }) => partyOf(deps, delegate))),
    minimumLevel: borne.map(({ decision }) => decision.obligations.level ?? 'bronze').reduce(higherLevel),
  }
}

/** Whether one power bears now; a joint one does, as far as a sign-in goes. */
async function judge(proxies: Proxies, account: Account, one: Representable, power: Power): Promise<Borne | undefined> {
  const represented = parsePartyRef(one.document)
  const role = await proxies.roles.find(power)
  if (!represented || !role) return undefined
  const ask = { actor: personOf(account), represented, role: power, service: role.definition.services[0] }
  const decision = await proxies.decide(ask)
  const isThis = decision.mandateId === one.mandateId
  return isThis && (decision.permit || decision.reason === 'quorum') ? { power, role, decision } : undefined
}

async function partyOf({ accounts, keyring }: RepresentationDependencies, { kind, document, name }: Pick<Representable, 'kind' | 'document' | 'name'>): Promise<RepresentedParty> {
  const ref = parsePartyRef(document)
  const account = ref?.kind === 'person' ? await accounts.findByCpf(ref.cpf) : undefined
  return {
    // Not the register's own id: whoever is known by this must not be found by it elsewhere.
    partyId: keyring.hash(document, 'oidc-party').toString('base64url'),
    type: kind === 'person' ? 'PF' : 'PJ',
    name, document,
    birthDate: account?.citizen.reveal().birthDate,
    accountId: account?.id,
  }
}

/** The mandate's id, or for what the company register says a name made of the company. */
function idOf({ keyring }: RepresentationDependencies, { mandateId, document }: Representable): string {
  return mandateId ?? `registro:${keyring.hash(document, 'oidc-party').toString('base64url').slice(0, 22)}`
}

async function findRole(proxies: Proxies, name: string): Promise<Role | undefined> {
  const [namespace = '', code = ''] = name.split(':')
  // What was granted by a retired version runs on.
  return (await proxies.roles.list({ namespace, states: ['published', 'retired'], hidden: true })).findLast((role) => role.code === code)
}

function personOf(account: Account): PartyRef {
  return { kind: 'person', cpf: account.citizen.reveal().cpf }
}
