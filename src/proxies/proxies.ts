import { rootOf } from './party/party.ts'
import type { Assurance } from '../assurance/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/db.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Core } from './core.ts'
import { type Acts, createActs } from './decision/acts.ts'
import { createDecide, type Decide } from './decision/decide.ts'
import { createUses, type Uses } from './decision/uses.ts'
import { createEntered, type Entered } from './entered/entered.ts'
import { createSignedGrants, type InstrumentSigner, type SignedGrants } from './instrument/signed-grants.ts'
import { createInstruments, type InstrumentDependencies, type Instruments } from './instrument/instruments.ts'
import { createLifecycle, type Lifecycle } from './mandate/lifecycle.ts'
import { createMandates, type Mandates } from './mandate/mandates.ts'
import { type Companies, createCompanies } from './party/companies.ts'
import { createListRepresentable, type ListRepresentable } from './party/representable.ts'
import type { ProxiesPorts } from './ports.ts'
import { createRequests, type Requests } from './request/requests.ts'
import { createRoles, type Roles } from './role/roles.ts'
import { createServants, type Servants } from './staff/servants.ts'
import { createTeam, type Team } from './staff/team.ts'

export interface ProxiesDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring }
  readonly audit: Audit
  readonly assurance: Pick<Assurance, 'findStanding' | 'levelOf'>
  readonly ports: ProxiesPorts
  /** What instruments are printed with. */
  readonly paper: InstrumentDependencies['paper']
}

/** The register of who may act for whom. */
export interface Proxies {
  readonly parties: {
    readonly representable: ListRepresentable
    /** The CNPJ of the head office of a company that is named by its root or by any place of it. */
    readonly headOfficeOf: (document: string) => Promise<string | undefined>
  }
  readonly companies: Companies
  readonly roles: Roles
  readonly team: Team
  readonly servants: Servants
  readonly mandates: Mandates
  readonly decide: Decide
  readonly uses: Uses
  readonly acts: Acts
  readonly requests: Requests
  readonly entered: Entered
  readonly instruments: Instruments
  readonly lifecycle: Lifecycle
  /** Giving by advanced signature, once there is who signs: that room is opened after this one. */
  readonly signedBy: (signer: InstrumentSigner) => SignedGrants
}

export function createProxies({ platform, audit, assurance, ports, paper }: ProxiesDependencies): Proxies {
  const { db, clock } = platform
  const core: Core = { platform, audit, assurance, ports, companies: createCompanies({ db, clock, register: ports.companies }) }
  const roles = createRoles({ db, clock, audit })
  const { mandates, changeBySystem } = createMandates(core, roles)
  const lifecycle = createLifecycle(core, changeBySystem)
  const servants = createServants(core)
  const decide = createDecide({ core, roles, refresh: lifecycle.refresh })
  return {
    parties: {
      representable: createListRepresentable(core, roles),
      headOfficeOf: async (document) => (await core.companies.find(rootOf(document)))?.cnpj,
    },
    companies: core.companies,
    roles, mandates, decide, lifecycle,
    servants, team: createTeam({ db, clock, audit, placeEnded: servants.placeEnded }),
    uses: createUses({ core, decide, mandates }),
    acts: createActs({ core, roles, decide }),
    requests: createRequests({ core, roles, mandates }),
    entered: createEntered(core, roles, changeBySystem),
    instruments: createInstruments({ core, roles, mandates, paper }),
    signedBy: (signer) => createSignedGrants({ core, roles, grants: mandates, paper, signer }),
  }
}
