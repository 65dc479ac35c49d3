import { randomUUID } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor } from '../core.ts'
import { findMandate } from '../mandate/mandate.store.ts'
import { type PartyRef, rootOf } from '../party/party.ts'
import { keepParty, lookUpParty, lookUpSigner } from '../party/registers.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { type Power, powerName } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import type { Act } from './act.ts'
import type { ActGroups } from './act-group.ts'
import { tell } from './act-steps.ts'
import { insertAct, listOpenActs } from './act.store.ts'
import type { Decide } from './decide.ts'

/** An act waits a week for those who must approve it. */
const OPEN_MS = 7 * 86_400_000
/** Of one group at once: more are a flood. */
const MOST_OPEN = 20

export interface ActAsked {
  /** Who begins it, at the relying party. */
  readonly actor: PartyRef
  readonly represented: PartyRef
  readonly role: Pick<Power, 'namespace' | 'code'>
  readonly service?: string | undefined
  readonly instance?: string | undefined
  /** What exactly is to be done: this is what the others approve. */
  readonly about: string
}

/** A relying party with the namespaces that are its. */
export interface ActClient {
  readonly id: string
  readonly namespaces: readonly string[]
}

export interface OpenDependencies {
  readonly core: Core
  readonly roles: Roles
  readonly decide: Decide
  readonly groups: ActGroups
}

/** Opens an act for whom the decision point lets do it only with others. */
export function createOpen({ core, groups, decide, roles }: OpenDependencies): (client: ActClient, asked: ActAsked) => Promise<Act> {
  const { db, clock } = core.platform
  return async ({ id: clientId, namespaces }, { actor, represented, role, service, instance, about }) => {
    if (!namespaces.includes(role.namespace)) throw new Problem(PROXIES_PROBLEMS.namespaceForeign)
    const hand = actor.kind === 'person' ? await lookUpSigner(core, actor.cpf) : await lookUpParty(core, actor)
    const { reason, mandateId, obligations } = await decide({ actor, represented, role, service, instance })
    if (!hand || reason !== 'quorum' || obligations.joint === undefined) throw new Problem(PROXIES_PROBLEMS.actPending)
    const mandate = mandateId && (await findMandate(db, mandateId))
    const groupKey = mandate?.joint ? `group:${mandate.joint.groupId}` : represented.kind === 'company' ? `register:${rootOf(represented.cnpj)}` : undefined
    const registered = await lookUpParty(core, represented)
    if (groupKey === undefined || registered === undefined) throw new Problem(PROXIES_PROBLEMS.actPending)
    const named = mandate ? mandate.powers : await roles.list({ namespace: role.namespace, hidden: true })
    const { quorum } = obligations.joint
    return db.transaction(async (tx) => {
      const party = mandate?.represented ?? (await keepParty(core, tx, registered))
      const opener = await keepParty(core, tx, hand)
      const openedAt = clock.now()
      const act: Act = {
        id: randomUUID(),
        representedId: party.id,
        groupKey,
        quorum,
        ...role,
        version: named.find(({ code }) => code === role.code)?.version,
        service,
        instance,
        about,
        clientId,
        openedBy: opener.id,
        openedAt,
        expiresAt: new Date(openedAt.getTime() + OPEN_MS),
        usedAt: undefined,
        closed: undefined,
      }
      const waiting = await listOpenActs(tx, act, openedAt)
      const same = waiting.find((one) => isSameAct(one, act))
      if (same) return same
      if (waiting.length >= MOST_OPEN) throw new Problem(PROXIES_PROBLEMS.tooManyRequests, { detail: 'acts' })
      await insertAct(tx, act)
      await recordFor(core, tx, {
        type: 'proxies/act-opened',
        actor: { kind: 'client', id: clientId },
        clientId,
        parties: [party, opener],
        data: { actId: act.id, power: powerName(role) },
      })
      for (const member of await groups.toTell(tx, act, party)) await tell(core, tx, member, 'to-approve', opener, party)
      return act
    })
  }
}

function isSameAct(one: Act, other: Act): boolean {
  return (['clientId', 'openedBy', 'namespace', 'code', 'version', 'service', 'instance', 'about'] as const).every((name) => one[name] === other[name])
}
