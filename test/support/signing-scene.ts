/** Citizens' signatures over a real database and the real signing thread; the provider's proofs are made by the test. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { exportJWK, type JWK, SignJWT } from 'jose'
import type { Level } from '../../src/assurance/index.ts'
import { createAudit } from '../../src/audit/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { silentLog } from '../../src/platform/log.ts'
import {
  type ActivationDocument, createRemoteSigning, type CredentialChoice, type PersonKeyKind, type RemoteSigning, type Represented, type Signatory, signatureEvents, type SignerFacts,
} from '../../src/signatures/index.ts'
import { openSignatureScene, type SignatureScene } from './signature-scene.ts'

export const AUDIENCE = 'mt-conta'
export const SIGNING_PASSWORD = 'garça-anzol-cerrado-19'
const CHEAP = { memoryKib: 64, passes: 1 }

export interface SceneCitizen {
  readonly accountId: string
  readonly personId: string
}

/** What a proof says, unless the test says otherwise. */
export interface ProofClaims {
  readonly sub?: string
  readonly aud?: string | string[]
  readonly iss?: string
  readonly nonce?: string
  /** `seen` is the one whose factors this server saw. */
  readonly sid?: string
  readonly acr?: string
  readonly aal?: string | undefined
  readonly authAt?: Date
  readonly faceAt?: Date | undefined
  /** Signed by a key that is none of the provider's. */
  readonly forged?: boolean
}

export interface SigningScene extends SignatureScene {
  readonly signing: RemoteSigning
  readonly provider: KeyObject
  /** Notices that citizens were sent, as `account notice`. */
  readonly told: string[]
  addCitizen(cpf?: string): Promise<SceneCitizen>
  /** Makes a citizen known whom another process added to the database. */
  adopt(accountId: string, personId: string, cpf: string): void
  setLevel(accountId: string, level: Level): void
  setStatus(accountId: string, status: SignerFacts['status']): void
  /** The base register says so from now on. */
  setDeceased(accountId: string): void
  setHeld(accountId: string, isHeld: boolean): void
  /** What `mayRepresent` answers. */
  allowRepresentation(answer: (represented: Represented) => boolean): void
  proof(citizen: SceneCitizen, nonce: string, claims?: ProofClaims): Promise<string>
  open(citizen: SceneCitizen, ask?: { documents?: readonly ActivationDocument[]; credential?: CredentialChoice; signatory?: Signatory; clientId?: string; open?: { count: number } }): Promise<{ id: string; nonce: string }>
  /** A certificate to keep, made the whole way. */
  keep(citizen: SceneCitizen, replaces?: string, as?: Represented): Promise<string>
  /** The same people and provider in another process. */
  another(): RemoteSigning
}

let citizens = 0

export async function openSigningScene({ keyKind = 'P-256', open }: { keyKind?: PersonKeyKind; open?: () => Promise<Database> } = {}): Promise<SigningScene> {
  const scene = await openSignatureScene(open && { open })
  const { db, clock, keyring, signatures, site } = scene
  const [provider, stranger] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) as [KeyObject, KeyObject]
  const jwk: JWK = { ...(await exportJWK(provider)), kid: 'provider', alg: 'ES256', use: 'sig' }
  const facts = new Map<string, SignerFacts>()
  const told: string[] = []
  const deceased = new Set<string>()
  let mayRepresent: (represented: Represented) => boolean = () => false
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [signatureEvents] } })
  const make = () => createRemoteSigning({
    core: {
      db, clock, keyring, audit,
      people: {
        findSigner: async (accountId) => facts.get(accountId),
        holdActive: async (tx, accountId) => (await tx.query(`SELECT 1 FROM account WHERE id = $1 AND status = 'active' FOR KEY SHARE`, [accountId])).length === 1,
        mayRepresent: async (_accountId, represented) => mayRepresent(represented),
        certifiedAs: async (_accountId, { party, represented: { kind, name }, role }) =>
          kind === 'organisation' ? { kind: 'servant', register: '123456', agency: name, post: role } : { kind: 'representative', cnpj: party, company: name },
        stillRepresents: async (_accountId, represented) => mayRepresent(represented),
        hasProved: async ({ sid }) => sid === 'seen',
        isDeceased: async ({ accountId }) => deceased.has(accountId),
        findPasswordFault: async (_accountId, password) => (password.length < 8 ? 'too-short' : undefined),
        tell: async (_tx, accountId, notice) => void told.push(`${accountId} ${notice}`),
      },
    },
    authority: signatures.authority,
    settings: { publicUrl: site.url, keyKind, cost: CHEAP, evidence: { issuer: site.url, audience: AUDIENCE }, issuerKeys: () => [jwk] },
  })
  const rooms = [make()]
  const [signing] = rooms as [RemoteSigning]

  const result: SigningScene = {
    ...scene, signing, provider, told,
    async addCitizen(cpf = String(52998224725 + citizens)) {
      citizens += 1
      const [accountId, personId] = [randomUUID(), randomUUID()]
      await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, now())', [personId, cpf, 'Maria da Silva', '1985-03-12'])
      await db.execute(
        `INSERT INTO account (id, person_id, status, password_hash, password_changed_at, credentials_changed_at, locale, created_at) VALUES ($1, $2, 'active', 'x', now(), now(), 'pt-BR', now())`,
        [accountId, personId],
      )
      result.adopt(accountId, personId, cpf)
      return { accountId, personId }
    },
    adopt: (accountId, personId, cpf) =>
      void facts.set(accountId, { accountId, personId, status: 'active', isHeld: false, level: 'prata', hasOwnWays: async () => true, person: { name: 'Maria da Silva', cpf } }),
    setLevel: (accountId, level) => void change(accountId, { level }),
    setStatus: (accountId, status) => void change(accountId, { status }),
    setDeceased: (accountId) => void deceased.add(accountId),
    setHeld: (accountId, isHeld) => void change(accountId, { isHeld }),
    allowRepresentation: (answer) => {
      mayRepresent = answer
    },
    proof(citizen, nonce, claims = {}) {
      const at = (date: Date) => Math.floor(date.getTime() / 1000)
      const { acr = 'urn:mt-login:nivel:prata', aal = 'aal2', authAt = clock.now(), faceAt, sub = citizen.accountId, aud = AUDIENCE, iss = site.url } = claims
      return new SignJWT({ sid: claims.sid ?? 'seen', nonce: claims.nonce ?? nonce, acr, ...('aal' in claims && claims.aal === undefined ? {} : { aal }), auth_time: at(authAt), ...(faceAt && { face_time: at(faceAt) }) })
        .setProtectedHeader({ alg: 'ES256', kid: 'provider' }).setIssuer(iss).setAudience(aud).setSubject(sub)
        .setIssuedAt(at(clock.now())).setExpirationTime(at(clock.now()) + 3600).sign(claims.forged ? stranger : provider)
    },
    open: ({ accountId }, { documents = [documentOf('a')], credential, signatory, clientId, open: openSignatures } = {}) =>
      signing.activations.open({ accountId, signatory: signatory ?? { kind: 'self' }, credential: credential ?? { kind: 'one-shot' }, documents: openSignatures ? [] : [...documents], clientId, ...(openSignatures && { open: openSignatures }) }),
    async keep(citizen, replaces, as) {
      const { id, nonce } = await signing.credentials.begin({ accountId: citizen.accountId, replaces, as })
      return (await signing.credentials.finish({ id, idToken: await result.proof(citizen, nonce), password: SIGNING_PASSWORD })).id
    },
    another() {
      const room = make()
      rooms.push(room)
      return room
    },
    async close() {
      for (const room of rooms) await room.close()
      await audit.stop()
      await scene.close()
    },
  }
  return result

  function change(accountId: string, changes: Partial<SignerFacts>): void {
    const before = facts.get(accountId)
    if (before) facts.set(accountId, { ...before, ...changes })
  }
}

/** A document whose hash is 64 times this digit. */
export function documentOf(digit: string, form: ActivationDocument['form'] = 'cades'): ActivationDocument {
  return { name: `documento-${digit}.pdf`, form, sha256: digit.repeat(64), digest: digit.repeat(64) }
}
