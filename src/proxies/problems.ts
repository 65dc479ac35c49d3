import type { ProblemKind } from '../platform/problem.ts'

/** Refusals of the room. A stranger to a mandate is told the same as for one that does not exist. */
export const PROXIES_PROBLEMS = {
  actPending: { code: 'proxies/act-not-open', status: 409, title: 'The act is over, or waits for nobody of this kind' },
  companyUnknown: { code: 'proxies/company-not-bound', status: 403, title: 'The company register does not say that this person binds the company' },
  companyRegisterDown: { code: 'proxies/company-register-unavailable', status: 503, title: 'The company register does not answer' },
  delegateUnconfirmed: { code: 'proxies/delegate-not-confirmed', status: 422, title: 'Number and name do not belong together, or the person cannot be a delegate' },
  freshnessNeeded: { code: 'proxies/freshness-needed', status: 403, title: 'A face check or a second factor of the last five minutes is needed' },
  held: { code: 'proxies/held', status: 403, title: 'Nothing can be granted for 24 hours after a recovery or a change of credentials' },
  instrumentMissing: { code: 'proxies/instrument-not-found', status: 404, title: 'There is no such instrument' },
  levelNeeded: { code: 'proxies/level-needed', status: 403, title: 'The identity level is too low for this power' },
  mandateNotFound: { code: 'proxies/mandate-not-found', status: 404, title: 'There is no such mandate' },
  namespaceForeign: { code: 'proxies/namespace-not-yours', status: 404, title: 'There is no such namespace' },
  notForOneself: { code: 'proxies/not-for-oneself', status: 409, title: 'Nobody does this for themselves' },
  organisationForeign: { code: 'proxies/organisation-not-yours', status: 409, title: 'The code of this organisation belongs to another agency' },
  requestBlocked: { code: 'proxies/request-refused', status: 422, title: 'This request cannot be made' },
  requestNotFound: { code: 'proxies/request-not-found', status: 404, title: 'There is no such request' },
  roleChanged: { code: 'proxies/role-changed', status: 409, title: 'A power has changed since it was shown' },
  roleInvalid: { code: 'proxies/role-invalid', status: 422, title: 'The definition of the role does not hold together' },
  roleNotFound: { code: 'proxies/role-not-found', status: 404, title: 'There is no such role' },
  secondPerson: { code: 'proxies/second-person-needed', status: 409, title: 'Another person must do this' },
  signatureNeeded: { code: 'proxies/signature-needed', status: 403, title: 'This power is given only by an advanced signature under the instrument' },
  signingOver: { code: 'proxies/signing-over', status: 410, title: 'This instrument was signed, is too old, or never was' },
  staffUnfit: { code: 'proxies/staff-unfit', status: 422, title: 'This person cannot be given a place: an account at prata with a second factor is needed' },
  stepOutOfOrder: { code: 'proxies/step-out-of-order', status: 409, title: 'The mandate is not in a state that allows this' },
  termsRefused: { code: 'proxies/terms-refused', status: 422, title: 'These terms go beyond what may be granted' },
  tooManyRequests: { code: 'proxies/too-many-requests', status: 429, title: 'Too many requests to represent somebody' },
} as const satisfies Record<string, ProblemKind>
