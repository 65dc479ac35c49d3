/**
 * Digital proxies: who may act for whom in state services.
 *
 * Terminology: **party** = person, company or organisation · **role** (poder) = a power of an agency's catalogue, in versions; **power** = one
 * version of one · **mandate** (procuração, or legal representation) = `delegate` may act for `represented` with powers until a day ·
 * **substabelecimento** = a mandate given by the delegate of another; its **path** leads to the root · **joint** = only a quorum of a group
 * together, act by act · **decision** = permit or deny, with the chain and obligations.
 *
 * Nothing is cached for a decision but published roles, which never change. Deny is the default.
 */
export { type Call, createCall } from './agency/call.ts'
export { createMandatesApi } from './agency/mandates-api.routes.ts'
export { PROXY_SCOPES, type ProxyClient, type ProxyPolicy, proxyPolicySchema, type ProxyScope, type RequireProxyClient } from './agency/policy.ts'
export type { Act, ActState } from './decision/act.ts'
export type { ActProgress } from './decision/act-progress.ts'
export type { Acts, OwnAct } from './decision/acts.ts'
export type { ChainLink, Decide, Decision, DecisionAsk } from './decision/decide.ts'
export { DECISION_REASONS, type DecisionReason } from './decision/judge.ts'
export type { Use } from './decision/use.store.ts'
export type { RecordedUse, UseOptions, Uses } from './decision/uses.ts'
export type { Authority, ChangedMandate, Entered, EnteredMandate, HelpTerms, LegalTerms } from './entered/entered.ts'
export { proxiesEvents } from './events.ts'
export { proxiesTerms } from './terms.ts'
export { newCode, parseCode } from './instrument/code.ts'
export type { Instrument, Instruments, Verified } from './instrument/instruments.ts'
export type { InstrumentSigner, ShownSigning, SignedGrants, Unsigned } from './instrument/signed-grants.ts'
export { createVerificationPages } from './instrument/verification.routes.ts'
export { type Day, dayOf, endOfDay, parseDay } from './mandate/day.ts'
export type { GrantPreview } from './mandate/grants.ts'
export type { Lifecycle } from './mandate/lifecycle.ts'
export { type Mandate, type MandateEvent, type MandateId, parseMandateId } from './mandate/mandate.ts'
export type { Mandates } from './mandate/mandates.ts'
export { CHANGE_REASONS, type ChangeReason } from './mandate/steps.ts'
export type { GrantTerms } from './mandate/terms.ts'
export { type Capacity, CHANGES, type Change, MANDATE_STATES, type MandateState } from './mandate/transition.ts'
export type { Acting } from './party/actor.ts'
export type { Companies } from './party/companies.ts'
export type { KnownCompany } from './party/company.store.ts'
export type { CompanyRecord, CompanyRegister, Establishment } from './party/company-register.ts'
export { companyRegisterOf, openCompanyRegisterFile } from './party/company-register-file.ts'
export {
  type CnpjRoot, documentOf, maskedDocument, parseCnpjRoot, parsePartyRef, type Party, type PartyId, type PartyKind, type PartyRef, refOf, rootOf,
  type Standing,
} from './party/party.ts'
export { createNotify } from './notices.ts'
export type { ListRepresentable, Representable } from './party/representable.ts'
export type { EndRepresentationTokens, Notify, ProxiesPorts, ProxyNotice, SealInstrument } from './ports.ts'
export { PROXY_NOTICES } from './ports.ts'
export { PROXIES_PROBLEMS } from './problems.ts'
export { createProxies, type Proxies, type ProxiesDependencies } from './proxies.ts'
export type { RepresentationRequest } from './request/request.ts'
export type { Requests, RequestTerms } from './request/requests.ts'
export { ENTERED_KINDS, LEGAL_KINDS, MANDATE_KINDS, type MandateKind, parsePowerName, type Power, powerName, type Role, type RoleDefinition, ROLE_CODE, roleDefinition } from './role/role.ts'
export { createRoles, findRoleFault, type Roles } from './role/roles.ts'
export type { Servant, Servants } from './staff/servants.ts'
export { AGENCY_ROLES, type AgencyRole, createTeam, type Membership, type Team } from './staff/team.ts'
