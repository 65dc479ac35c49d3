import type { JsonObject } from 'oidc-provider'
import { isLevelAtLeast, LEVELS, type Level } from '../../assurance/index.ts'
import type { EvidenceFact, Subject } from '../ports.ts'

export const TRUST_FRAMEWORK = 'br_mt_login'

/** Claims that the evidence vouches for: they were compared with the base register. */
const VERIFIABLE = ['name', 'social_name', 'birthdate', 'cpf'] as const

/** How a method of ours is named in OpenID Connect for Identity Assurance 1.0, 5.4.4. */
const CHECK_METHODS = new Map([
  ['face-match', 'bvr'],
  ['counter-biometric', 'pvp'],
  ['counter-documents', 'pvp'],
  ['icp-brasil', 'vcrypt'],
  ['base-register', 'data'],
])

/**
 * Answers a request for `verified_claims` (OpenID Connect for Identity Assurance 1.0, §6), or `undefined`.
 *
 * Only what was asked for by name is given, and nothing at all when a constraint on the verification is not met: an assurance level
 * above the person's own, another trust framework, or evidence older than `max_age` (§6.2.2). `authority` is for whom the person acts now
 * (OpenID Connect Authority).
 */
export function verifiedClaims(
  request: unknown,
  subject: Subject,
  evidence: readonly EvidenceFact[],
  { now, authority }: { readonly now: Date; readonly authority?: readonly JsonObject[] | undefined },
): JsonObject | undefined {
  const wanted = member(request, 'claims')
  const constraints = member(request, 'verification')
  if (wanted === undefined || constraints === undefined) return undefined
  const level = LEVELS.findLast((name) => evidence.some(({ grants }) => grants === name)) ?? 'bronze'
  const verification = verificationFor(constraints, level, evidence, now)
  if (!verification) return undefined
  const available = availableClaims(subject)
  const claims: JsonObject = Object.fromEntries(
    VERIFIABLE.flatMap((name) => (name in wanted && available[name] !== undefined ? [[name, available[name]]] : [])),
  )
  if ('authority' in wanted && authority) claims['authority'] = authority
  return Object.keys(claims).length > 0 ? { verification, claims } : undefined
}

function verificationFor(constraints: JsonObject, level: Level, evidence: readonly EvidenceFact[], now: Date): JsonObject | undefined {
  if (!accepts(constraints['trust_framework'], (value) => value === TRUST_FRAMEWORK)) return undefined
  if (!accepts(constraints['assurance_level'], (value) => LEVELS.some((name) => name === value && isLevelAtLeast(level, name))))
    return undefined
  const counted = evidence.filter(({ grants }) => grants === level)
  const latest = Math.max(0, ...counted.map(({ obtainedAt }) => obtainedAt.getTime()))
  const maxAge = member(constraints, 'time')?.['max_age']
  if (typeof maxAge === 'number' && (latest === 0 || now.getTime() - latest > maxAge * 1000)) return undefined
  return {
    trust_framework: TRUST_FRAMEWORK,
    ...('assurance_level' in constraints && { assurance_level: level }),
    ...('time' in constraints && latest > 0 && { time: isoSeconds(new Date(latest)) }),
    ...('evidence' in constraints && { evidence: counted.map(evidenceEntry) }),
  }
}

function evidenceEntry({ method, source, obtainedAt }: EvidenceFact): JsonObject {
  return {
    type: 'electronic_record',
    check_details: [{ check_method: CHECK_METHODS.get(method) ?? 'data', organization: source, time: isoSeconds(obtainedAt) }],
    record: { type: method, source: { name: source } },
  }
}

/** Whether a constraint (`null`, or an object with `value` or `values`) leaves room for what there is. */
function accepts(constraint: unknown, holds: (value: unknown) => boolean): boolean {
  if (typeof constraint !== 'object' || constraint === null) return true
  if ('value' in constraint) return holds(constraint.value)
  if ('values' in constraint && Array.isArray(constraint.values)) return constraint.values.some(holds)
  return true
}

function availableClaims({ name, socialName, birthDate, cpf }: Subject): Record<(typeof VERIFIABLE)[number], string | undefined> {
  return { name, social_name: socialName, birthdate: birthDate, cpf }
}

function member(value: unknown, name: string): JsonObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found: unknown = Reflect.get(value, name)
  return typeof found === 'object' && found !== null ? { ...found } : undefined
}

function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
