import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { POLICY_OID } from '../asn1/oids.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { Authority } from './authority.ts'
import { findShard, insertPersonCertificate, type InstalledAuthority } from './authority.store.ts'
import { issueCertificate, nameOf, newSerial, parseCertificate } from './certificate.ts'
import { altNamesOf, type CertifiedPerson, subjectOf } from './people.ts'
import { placesOf } from './places.ts'
import { type PersonProfile, PROFILES } from './profiles.ts'

export interface PersonCertificateRequest {
  readonly profile: PersonProfile
  readonly person: CertifiedPerson
  readonly personId: string
  readonly actor: AuditActor
  readonly spki: Buffer
}

export interface PersonCertificate {
  readonly authorityId: string
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Its own, then the issuing authority's. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
}

export interface IssuanceDependencies {
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  readonly authority: Pick<Authority, 'active' | 'signerOf'>
  readonly publicUrl: string
}

/** Certificates of people, by the authority that is active. */
export interface Issuance {
  /** Ready before the transaction: who issues, and that it may. @throws {Problem} signatures/no-authority */
  prepare(): Promise<(tx: Sql, request: PersonCertificateRequest) => Promise<PersonCertificate>>
}

const DAY_MS = 86_400_000
/** Clocks of those who check are not ours. */
const EARLY_MS = 5 * 60_000
/** Certificates whose revocations stand in one list; as for services, a little more under load does no harm. */
const SHARD_SIZE = 5000

export function createIssuance({ clock, audit, authority, publicUrl }: IssuanceDependencies): Issuance {
  return {
    async prepare() {
      const issuing = await authority.active()
      const parsed = parseCertificate(issuing.certificate)
      const signer = await authority.signerOf(issuing.keyId)
      return async (tx, { profile: name, person, personId, actor, spki }) => {
        const now = clock.now()
        const notBefore = new Date(now.getTime() - EARLY_MS)
        const notAfter = new Date(Math.min(notBefore.getTime() + PROFILES[name].days * DAY_MS, parsed.notAfter.getTime()))
        if (notAfter <= now) throw new Problem(SIGNATURE_PROBLEMS.noAuthority, { detail: 'the issuing certificate has ended' })
        const { shard, count } = await findShard(tx, issuing.id)
        const place = count < SHARD_SIZE ? shard : shard + 1
        const serial = newSerial()
        const der = await issueCertificate(
          {
            profile: profileOf(name, issuing), serial, subject: nameOf(subjectOf(person, issuing)), spki, notBefore, notAfter,
            altNames: altNamesOf(person), places: placesOf(publicUrl, issuing.id, place),
          },
          { name: parsed.subject, signer },
        )
        await insertPersonCertificate(tx, { authorityId: issuing.id, serial, shard: place, profile: name, personId, der, notBefore, notAfter }, now)
        await audit.record(tx, { type: 'signatures/person-certified', actor, data: { authorityId: issuing.id, serial, profile: name } })
        return { authorityId: issuing.id, serial, notBefore, notAfter, certificates: [der, issuing.certificate] }
      }
    },
  }
}

function profileOf(name: PersonProfile, { demo }: InstalledAuthority) {
  return demo ? { ...PROFILES[name], policy: POLICY_OID.demonstration } : PROFILES[name]
}
