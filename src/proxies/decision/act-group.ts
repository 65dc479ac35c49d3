import type { Level } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import type { Core } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import { listGroup, listGroupsOf } from '../mandate/mandate.store.ts'
import type { Mandate } from '../mandate/mandate.ts'
import { type Actor, actorDocuments, isActor, personRef } from '../party/actor.ts'
import { type Party, rootOf } from '../party/party.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Role } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import type { Act } from './act.ts'

/** Somebody as a member of an act's group. */
export interface Member {
  /** The company that holds the mandate, where it is one; the person themselves without. */
  readonly company: Party | undefined
}

/** Who may say a word on an act: the delegates of a joint mandate, or those who bind a company only together. */
export interface ActGroups {
  /** The actor's place in the group, if they have one now. */
  find(actor: Actor, act: Pick<Act, 'groupKey'>): Promise<Member | undefined>
  /** Documents of those who are of it now. */
  documentsOf(act: Pick<Act, 'groupKey'>): Promise<readonly string[]>
  /** Keys of the groups that an actor is of now. */
  keysOf(actor: Actor): Promise<string[]>
  /** Parties to tell; of a company it is the company, whose administrators hear. */
  toTell(tx: Sql, act: Pick<Act, 'groupKey'>, represented: Pick<Party, 'id'>): Promise<Pick<Party, 'id'>[]>
  /** What the power asks of whoever approves. */
  levelFor(act: Act): Promise<Level>
}

export function createActGroups(core: Core, roles: Roles): ActGroups {
  const { db, clock } = core.platform

  /** Mandates of the group that count now. */
  async function holders(groupId: string, sql: Sql = db): Promise<Mandate[]> {
    const now = clock.now()
    const today = dayOf(now)
    const counts = ({ state, effectiveAt, validFrom, validThrough }: Mandate) =>
      state === 'active' && effectiveAt <= now && validFrom <= today && (validThrough === undefined || validThrough >= today)
    return (await listGroup(sql, groupId)).filter(counts)
  }

  async function administrators(root: string): Promise<readonly string[]> {
    const company = await core.companies.find(rootOf(root))
    return company?.standing === 'regular' ? company.administrators : []
  }

  return {
    async find(actor, { groupKey }) {
      const [kind = '', id = ''] = groupKey.split(':')
      if (kind !== 'group') return (await administrators(id)).some((cpf) => cpf === actor.facts.cpf) ? { company: undefined } : undefined
      const held = (await holders(id)).find(({ delegate }) => isActor(actor, delegate))
      return held && { company: held.delegate.kind === 'company' ? held.delegate : undefined }
    },
    async documentsOf({ groupKey }) {
      const [kind = '', id = ''] = groupKey.split(':')
      return kind === 'group' ? (await holders(id)).map(({ delegate }) => delegate.document) : administrators(id)
    },
    async keysOf(actor) {
      const groups = (await listGroupsOf(db, actorDocuments(actor))).map((id) => `group:${id}`)
      const self = personRef(actor.facts.cpf)
      const companies = actor.company ? [actor.company] : self.kind === 'person' ? await core.companies.listOf(self.cpf).catch(noCompanies) : []
      return [...groups, ...companies.filter(({ quorum, standing }) => quorum > 1 && standing === 'regular').map(({ root }) => `register:${root}`)]
    },
    async toTell(tx, { groupKey }, represented) {
      const [kind = '', id = ''] = groupKey.split(':')
      return kind === 'group' ? (await holders(id, tx)).map(({ delegate }) => delegate) : [represented]
    },
    async levelFor(act) {
      const { namespace, code, version } = act
      const role = version === undefined ? await latest(roles, act) : await roles.find({ namespace, code, version })
      const side = act.groupKey.startsWith('group:') ? 'delegateLevel' : 'grantorLevel'
      return role?.definition[side] ?? 'ouro'
    },
  }
}

/** While the company register is away a page still shows what people gave; of companies nothing is known. */
function noCompanies(error: unknown): [] {
  if (isProblem(error, PROXIES_PROBLEMS.companyRegisterDown)) return []
  throw error
}

/** The version that an act of before the versions were kept can only have meant. */
async function latest(roles: Roles, { namespace, code }: Act): Promise<Role | undefined> {
  return (await roles.list({ namespace, states: ['published', 'retired'], hidden: true })).findLast((one) => one.code === code)
}
