import { createHash, randomUUID } from 'node:crypto'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { POLICY_OID } from '../asn1/oids.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import {
  countCertificates, findRequested, findService, findState, insertCertificate, insertRequested, installAuthority, type InstalledAuthority, listInstalled,
  lockAuthority, markRevoked, markStale, updateRootCrl,
} from './authority.store.ts'
import { issueCertificate, nameOf, newSerial, parseCertificate, type Subject } from './certificate.ts'
import { checkChain, crlNumberOf, nextUpdateOf } from './chain.ts'
import type { RevocationReason } from './crl.ts'
import { placesOf, rootPlacesOf } from './places.ts'
import { PROFILES, type Profile, SERVICES, type Service } from './profiles.ts'
import { issuingName, makeRequest, makeRoot, parseRequest, rootName, signIssuing, signRootCrl } from './request.ts'
import type { AuthorityKeys } from '../keys/authority-keys.ts'
import { createKeySigner, makeKey, type Signer } from './signer.ts'

export interface AuthorityDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keys: Pick<AuthorityKeys, 'make' | 'signer' | 'findPublic' | 'reseal'>
  readonly audit: Pick<Audit, 'record'>
  readonly publicUrl: string
}

/** A key of one of our services, with the certificates that whoever checks it needs: its own first, the root left out. */
export interface ServiceKey {
  readonly signer: Signer
  readonly serial: string
  readonly certificates: readonly [Buffer, ...Buffer[]]
}

/** The issuing authority below an offline root, and every certificate that it issued. */
export interface Authority {
  /** Active and retired ones, newest first; empty until the first is installed. */
  list(): Promise<InstalledAuthority[]>
  /** @throws {Problem} signatures/no-authority */
  active(): Promise<InstalledAuthority>
  /** A new key for an issuing authority, and the request (PKCS#10) that the ceremony answers. Of several that nobody answered, the newest counts. */
  request(input: { organization: string; actor: AuditActor }): Promise<{ id: string; request: Buffer }>
  /**
   * Takes the ceremony's answer into use; what was active goes on answering for what it issued.
   * @throws {Problem} signatures/authority-unfit; signatures/no-authority without a request
   */
  install(chain: { certificate: Buffer; root: Buffer; rootCrl: Buffer }, actor: AuditActor): Promise<InstalledAuthority>
  /** @throws {Problem} signatures/authority-unfit */
  installRootList(rootCrl: Buffer, actor: AuditActor): Promise<void>
  /** An authority with a root whose key is thrown away, for the demonstration; nothing when there is one. */
  ensureDemonstration(): Promise<void>
  /** Certificates of the services that are missing or near their end; for the start and a daily job. */
  renewServices(): Promise<number>
  /** The key of a service that is good now. @throws {Problem} signatures/no-authority */
  service(name: Service, of?: InstalledAuthority): Promise<ServiceKey>
  signerOf(keyId: string): Promise<Signer>
  /** @throws {Problem} signatures/certificate-unknown, signatures/certificate-revoked */
  revoke(input: { serial: string; reason: RevocationReason; actor: AuditActor }): Promise<void>
  /** When the root's list has to be made anew; undefined without an authority. */
  rootListEnds(): Promise<Date | undefined>
  /** Wraps all keys under the seal key in use; returns how many changed. */
  reseal(): Promise<number>
}

const DAY_MS = 86_400_000
/** Clocks of those who check are not ours. */
const EARLY_MS = 5 * 60_000
/** Certificates whose revocations stand in one list: a list stays small enough to be made in the request that needs it. */
export const SHARD_SIZE = 5000
const DEMO_ORGANIZATION = 'Demonstracao MT Login'
const SERVICE_NAMES: Readonly<Record<Service, string>> = { ocsp: 'MT Login OCSP', tsa: 'MT Login Carimbo do Tempo', seal: 'MT Login Selo da Organizacao' }
const SYSTEM: AuditActor = { kind: 'system' }

export function createAuthority(deps: AuthorityDependencies): Authority {
  const { db, clock, keys, audit, publicUrl } = deps

  async function active(): Promise<InstalledAuthority> {
    const found = (await listInstalled(db)).find(({ isActive }) => isActive)
    if (!found) throw new Problem(SIGNATURE_PROBLEMS.noAuthority)
    return found
  }

  async function requestIn(tx: Sql, { organization, actor, demo }: { organization: string; actor: AuditActor; demo: boolean }) {
    const { id: keyId, signer } = await keys.make(tx, 'P-384')
    const id = randomUUID()
    await insertRequested(tx, { id, keyId, organization }, demo, clock.now())
    await audit.record(tx, { type: 'signatures/authority-requested', actor, data: { authorityId: id, keyId } })
    return { id, request: await makeRequest(issuingName(organization, demo), rootPlacesOf(publicUrl, id), signer) }
  }

  async function installIn(tx: Sql, chain: { certificate: Buffer; root: Buffer; rootCrl: Buffer }, actor: AuditActor, demo: boolean): Promise<string> {
    const requested = await findRequested(tx)
    if (!requested) throw new Problem(SIGNATURE_PROBLEMS.noAuthority, { detail: 'nothing was requested' })
    const spki = await keys.findPublic(tx, requested.keyId)
    const fault = checkChain({ ...chain, spki: spki ?? Buffer.alloc(0), now: clock.now() })
    if (fault !== undefined) throw new Problem(SIGNATURE_PROBLEMS.authorityUnfit, { detail: fault })
    if (!(await installAuthority(tx, requested.id, chain, clock.now()))) throw new Problem(SIGNATURE_PROBLEMS.authorityExists)
    const rootSha256 = createHash('sha256').update(chain.root).digest('hex')
    await audit.record(tx, { type: 'signatures/authority-installed', actor, data: { authorityId: requested.id, rootSha256, demo } })
    return requested.id
  }

  /** A new key and certificate for one service, unless another request was quicker; one that would end before `after` does not count. */
  async function issueService(authority: InstalledAuthority, name: Service, after: Date): Promise<boolean> {
    const issuing = parseCertificate(authority.certificate)
    if (issuing.notAfter <= clock.now()) throw new Problem(SIGNATURE_PROBLEMS.noAuthority, { detail: 'the issuing certificate has ended' })
    const issuer = { name: issuing.subject, signer: await keys.signer(authority.keyId) }
    return db.transaction(async (tx) => {
      await lockAuthority(tx)
      const current = await findService(tx, authority.id, name, clock.now())
      if (current && current.notAfter > after) return false
      const { id: keyId, signer } = await keys.make(tx, 'P-256')
      const serial = newSerial()
      const shard = Math.floor((await countCertificates(tx, authority.id)) / SHARD_SIZE)
      const now = clock.now()
      const end = Math.min(now.getTime() + PROFILES[name].days * DAY_MS, issuing.notAfter.getTime())
      const times = { notBefore: new Date(now.getTime() - EARLY_MS), notAfter: new Date(end) }
      const der = await issueCertificate(
        {
          profile: profileOf(name, authority.demo), serial, subject: nameOf(serviceSubject(name, authority)), spki: signer.spki, ...times,
          places: placesOf(publicUrl, authority.id, shard),
        },
        issuer,
      )
      await insertCertificate(tx, { authorityId: authority.id, serial, shard, profile: name, keyId, der, ...times }, now)
      await audit.record(tx, { type: 'signatures/certificate-issued', actor: SYSTEM, data: { authorityId: authority.id, serial, profile: name } })
      return true
    })
  }

  /** A retired authority needs its responder alone. */
  async function renewServices(): Promise<number> {
    let issued = 0
    for (const authority of await listInstalled(db)) {
      if (parseCertificate(authority.certificate).notAfter <= clock.now()) continue
      for (const name of SERVICES.filter((each) => authority.isActive || each === 'ocsp')) {
        // Near the issuing authority's own end there is nothing longer to be had.
        const soon = Math.min(clock.now().getTime() + PROFILES[name].renewDays * DAY_MS, parseCertificate(authority.certificate).notAfter.getTime() - 1)
        if (await issueService(authority, name, new Date(soon))) issued += 1
      }
    }
    return issued
  }

  return {
    list: () => listInstalled(db),
    active,
    signerOf: keys.signer,
    renewServices,
    request: ({ organization, actor }) => db.transaction((tx) => requestIn(tx, { organization, actor, demo: false })),
    async install(chain, actor) {
      await db.transaction((tx) => installIn(tx, chain, actor, false))
      await renewServices()
      return active()
    },
    async installRootList(rootCrl, actor) {
      const authority = await active()
      const number = crlNumberOf(rootCrl, authority.root)
      const before = crlNumberOf(authority.rootCrl, authority.root)
      if (number === undefined || before === undefined || number < before) throw new Problem(SIGNATURE_PROBLEMS.authorityUnfit, { detail: 'not a newer list of this root' })
      await db.transaction(async (tx) => {
        await updateRootCrl(tx, authority.root, rootCrl)
        await audit.record(tx, { type: 'signatures/root-list-installed', actor, data: { authorityId: authority.id, number: String(number) } })
      })
    },
    async ensureDemonstration() {
      await db.transaction(async (tx) => {
        await lockAuthority(tx)
        if ((await listInstalled(tx)).length > 0) return
        const { request } = await requestIn(tx, { organization: DEMO_ORGANIZATION, actor: SYSTEM, demo: true })
        const signer = createKeySigner(makeKey('P-384'))
        const root = await makeRoot(rootName(DEMO_ORGANIZATION, true), signer, clock.now())
        const issuer = { name: parseCertificate(root).subject, signer }
        const certificate = await signIssuing(parseRequest(request), root, issuer, { now: clock.now(), policy: POLICY_OID.demonstration })
        await installIn(tx, { certificate, root, rootCrl: await signRootCrl(issuer, [], clock.now()) }, SYSTEM, true)
      })
      await renewServices()
    },
    async service(name, of) {
      const authority = of ?? (await active())
      const found = (await findService(db, authority.id, name, clock.now())) ?? (await renewed(authority, name))
      return { signer: await keys.signer(found.keyId), serial: found.serial, certificates: [found.der, authority.certificate] }
    },
    async revoke({ serial, reason, actor }) {
      await db.transaction(async (tx) => {
        const [authority] = await whoIssued(tx, serial)
        if (!authority) throw new Problem(SIGNATURE_PROBLEMS.certificateUnknown)
        const shard = await markRevoked(tx, authority.id, serial, { at: clock.now(), reason })
        if (shard === undefined) throw new Problem(SIGNATURE_PROBLEMS.certificateRevoked)
        await markStale(tx, authority.id, shard)
        await audit.record(tx, { type: 'signatures/certificate-revoked', actor, data: { authorityId: authority.id, serial, reason } })
      })
    },
    async rootListEnds() {
      const authority = (await listInstalled(db)).find(({ isActive }) => isActive)
      return authority && nextUpdateOf(authority.rootCrl)
    },
    reseal: keys.reseal,
  }

  async function renewed(authority: InstalledAuthority, name: Service) {
    await issueService(authority, name, clock.now())
    const found = await findService(db, authority.id, name, clock.now())
    if (!found) throw new Problem(SIGNATURE_PROBLEMS.noAuthority)
    return found
  }

  async function whoIssued(tx: Sql, serial: string): Promise<InstalledAuthority[]> {
    const installed = await listInstalled(tx)
    const states = await Promise.all(installed.map(({ id }) => findState(tx, id, serial)))
    return installed.filter((_, i) => states[i] !== undefined)
  }
}

function serviceSubject(name: Service, { organization, demo }: InstalledAuthority): Subject {
  return { commonName: demo ? `${SERVICE_NAMES[name]} DEMONSTRACAO SEM VALOR` : SERVICE_NAMES[name], organization }
}

function profileOf(name: Service, demo: boolean): Profile {
  const profile: Profile = PROFILES[name]
  return demo && profile.policy !== undefined ? { ...profile, policy: POLICY_OID.demonstration } : profile
}
