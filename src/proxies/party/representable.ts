import type { Core } from '../core.ts'
import { findFault, type Link } from '../decision/judge.ts'
import { dayOf } from '../mandate/day.ts'
import type { Day } from '../mandate/day.ts'
import type { Mandate, MandateId } from '../mandate/mandate.ts'
import { listBySide, listPath } from '../mandate/mandate.store.ts'
import { isProblem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { type MandateKind, type Power, powerName } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import { documentsOfCompany } from './company-register.ts'
import type { KnownCompany } from './company.store.ts'
import type { PartyKind } from './party.ts'
import { findCpfOfPerson } from './party.store.ts'
import { personRef } from './actor.ts'

/** One party whom somebody may represent now, by one mandate or by the company register. */
export interface Representable {
  readonly kind: PartyKind
  /** CPF, CNPJ or root. */
  readonly document: string
  readonly name: string
  readonly basis: 'mandate' | 'register'
  readonly mandateId: MandateId | undefined
  readonly mandateKind: MandateKind | undefined
  /** The represented's first; empty for what the register says. */
  readonly path: readonly MandateId[]
  /** What it covers, of what was asked for. */
  readonly powers: readonly Power[]
  readonly until: Day | undefined
  /** So many must approve each act: by itself the choice permits nothing. */
  readonly joint: { readonly quorum: number } | undefined
  readonly instance: string | undefined
  /** The company through which a person holds it. */
  readonly through: string | undefined
}

export type ListRepresentable = (personId: string, options?: { roles?: readonly string[] | undefined }) => Promise<Representable[]>

/** For the party picker. `roles` = names `namespace:code`; what has none of them is left out. What is chosen is decided again. */
export function createListRepresentable(core: Core, roles: Roles): ListRepresentable {
  const { db, clock } = core.platform

  return async (personId, { roles: wanted } = {}) => {
    const cpf = await findCpfOfPerson(db, personId)
    const ref = cpf === undefined ? undefined : personRef(cpf)
    if (ref?.kind !== 'person') return []
    const companies = (await core.companies.listOf(ref.cpf).catch(noCompanies)).filter(({ standing }) => standing === 'regular')
    const isWanted = (power: Pick<Power, 'namespace' | 'code'>) => wanted === undefined || wanted.includes(powerName(power))
    const found: Representable[] = []
    const company = (await roles.list({ hidden: true })).filter((role) => role.definition.representedKinds.includes('company') && isWanted(role))
    for (const one of companies) if (company.length > 0) found.push(byRegister(one, company))
    const alone = companies.filter(({ quorum }) => quorum === 1).flatMap(documentsOfCompany)
    const received = await listBySide(db, 'received', [ref.cpf, ...alone], { state: 'active' })
    for (const mandate of received) {
      const powers = mandate.powers.filter(isWanted)
      if (powers.length > 0 && (await counts(mandate))) found.push(byMandate(mandate, powers, ref.cpf))
    }
    return found
  }

  async function counts(mandate: Mandate): Promise<boolean> {
    const links = (await listPath(db, mandate.path)).map(toLink)
    const now = clock.now()
    // Level, service and act are the decision's; here only the chain itself.
    const ask = { today: dayOf(now), now, instance: mandate.instance, grantorLevel: 'bronze' as const }
    return findFault({ kind: mandate.kind, links, grantorLevel: undefined }, ask) === undefined
  }
}

/** While the company register is away people still choose among people; of companies nothing is known, so nothing is offered. */
function noCompanies(error: unknown): KnownCompany[] {
  if (isProblem(error, PROXIES_PROBLEMS.companyRegisterDown)) return []
  throw error
}

function byRegister(company: KnownCompany, roles: readonly Power[]): Representable {
  return {
    kind: 'company', document: company.root, name: company.name, basis: 'register', mandateId: undefined, mandateKind: undefined, path: [],
    powers: roles.map(({ namespace, code, version }) => ({ namespace, code, version })), until: undefined,
    joint: company.quorum > 1 ? { quorum: company.quorum } : undefined, instance: undefined, through: undefined,
  }
}

function byMandate(mandate: Mandate, powers: readonly Power[], cpf: string): Representable {
  const { represented, delegate } = mandate
  return {
    kind: represented.kind, document: represented.document, name: represented.name, basis: 'mandate', mandateId: mandate.id, mandateKind: mandate.kind,
    path: mandate.path, powers, until: mandate.validThrough, joint: mandate.joint && { quorum: mandate.joint.quorum }, instance: mandate.instance,
    through: delegate.document === cpf ? undefined : delegate.name,
  }
}

function toLink(mandate: Mandate): Link {
  const { represented, grantor, delegate } = mandate
  return {
    id: mandate.id, parentId: mandate.parentId, state: mandate.state, representedId: represented.id, grantorId: grantor.id, delegateId: delegate.id,
    subDepth: mandate.subDepth, validFrom: mandate.validFrom, validThrough: mandate.validThrough, effectiveAt: mandate.effectiveAt, instance: mandate.instance,
    hasPower: true, standings: [grantor.standing, delegate.standing],
  }
}
