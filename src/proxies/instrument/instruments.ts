import { createHash } from 'node:crypto'
import { maskPersonName } from '../../accounts/index.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor } from '../core.ts'
import type { Mandate, MandateId } from '../mandate/mandate.ts'
import { findMandate, listPath } from '../mandate/mandate.store.ts'
import type { Mandates } from '../mandate/mandates.ts'
import { dayOf } from '../mandate/day.ts'
import type { Acting } from '../party/actor.ts'
import { maskedDocument, type Party } from '../party/party.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Role } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import { newCode, parseCode } from './code.ts'
import { findByCode, findInstrument, insertInstrument, type StoredInstrument } from './instrument.store.ts'
import { type InstrumentTexts, instrumentOf } from './text.ts'

export interface Instrument {
  readonly pdf: Buffer
  /** What a third person types at `/procuracoes/verificar`. */
  readonly code: string
  readonly sha256: string
}

/** What a stranger with the code learns: whether it counts now, for what, and enough of the names to match the paper. */
export interface Verified {
  readonly validity: 'valid' | 'not-yet' | 'pending' | 'suspended' | 'ended'
  readonly mandate: Pick<Mandate, 'kind' | 'validFrom' | 'validThrough' | 'endedAt' | 'instance'>
  readonly represented: MaskedParty
  readonly delegate: MaskedParty
  readonly roles: readonly Role[]
  readonly sha256: string
}

export interface MaskedParty {
  readonly name: string
  readonly document: string
}

/** The readable text of a mandate: one for each, made when it is first asked for, its digest in the audit record. */
export interface Instruments {
  /** For both sides. @throws {Problem} proxies/mandate-not-found, proxies/step-out-of-order before it counts */
  get(by: Acting, id: MandateId): Promise<Instrument>
  /** For a counter that hands it to one of the sides; who may is the caller's to judge. @throws {Problem} proxies/step-out-of-order */
  print(mandate: Mandate): Promise<Instrument>
  /** @throws {Problem} proxies/instrument-not-found */
  verify(code: string): Promise<Verified>
}

export interface InstrumentDependencies {
  readonly core: Core
  readonly roles: Roles
  readonly mandates: Pick<Mandates, 'get'>
  readonly paper: { readonly documents: Pick<Documents, 'render'>; readonly texts: InstrumentTexts; readonly publicUrl: string }
}

const UNMADE: readonly Mandate['state'][] = ['draft', 'pending_signature', 'pending_acceptance', 'refused', 'lapsed']

export function createInstruments({ core, roles, mandates, paper }: InstrumentDependencies): Instruments {
  const { db, clock, keyring } = core.platform
  const context = (id: MandateId) => `mandate-instrument:${id}`
  const hashOf = (code: string) => keyring.hash(code, 'mandate-instrument')

  async function rolesOf(mandate: Mandate): Promise<Role[]> {
    const found = await Promise.all(mandate.powers.map((power) => roles.find(power)))
    return found.filter((role) => role !== undefined)
  }

  async function make(mandate: Mandate): Promise<StoredInstrument> {
    const code = newCode()
    const now = clock.now()
    const url = `${paper.publicUrl}/procuracoes/verificar/${code}`
    const plain = await paper.documents.render(instrumentOf(paper.texts, { mandate, roles: await rolesOf(mandate), code, url, at: now }))
    const pdf = core.ports.sealInstrument ? Buffer.from(await core.ports.sealInstrument(plain)) : plain
    const digest = createHash('sha256').update(pdf).digest()
    const made = {
      mandateId: mandate.id, codeHash: hashOf(code), codeSealed: keyring.seal(code, context(mandate.id)), sealed: keyring.seal(pdf, context(mandate.id)), digest,
      createdAt: now,
    }
    return db.transaction(async (tx) => {
      if (await insertInstrument(tx, made)) {
        const data = { mandateId: mandate.id, sha256: digest.toString('hex') }
        await recordFor(core, tx, { type: 'proxies/instrument-made', actor: { kind: 'system' }, parties: [mandate.represented, mandate.delegate], data })
        return made
      }
      // Two asked at once: the first one's stands.
      const first = await findInstrument(tx, mandate.id)
      if (!first) throw new Error('an instrument went away')
      return first
    })
  }

  async function print(mandate: Mandate): Promise<Instrument> {
    const { id, state } = mandate
    if (UNMADE.includes(state)) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
    const stored = (await findInstrument(db, id)) ?? (await make(mandate))
    const code = keyring.open(stored.codeSealed, context(id)).toString()
    return { pdf: keyring.open(stored.sealed, context(id)), code, sha256: stored.digest.toString('hex') }
  }

  return {
    get: async (by, id) => print(await mandates.get(by, id)),
    print,
    async verify(text) {
      const code = parseCode(text)
      const stored = code === undefined ? undefined : await findByCode(db, hashOf(code))
      const mandate = stored && (await findMandate(db, stored.mandateId))
      if (!stored || !mandate) throw new Problem(PROXIES_PROBLEMS.instrumentMissing)
      const path = await listPath(db, mandate.path)
      return {
        validity: validityOf(path, clock.now()), mandate, represented: masked(mandate.represented), delegate: masked(mandate.delegate),
        roles: await rolesOf(mandate), sha256: stored.digest.toString('hex'),
      }
    },
  }
}

/** Of the whole chain: what was passed on counts only while everything above it does. */
function validityOf(path: readonly Mandate[], now: Date): Verified['validity'] {
  const today = dayOf(now)
  const isOver = (one: Mandate) => one.endedAt !== undefined || (one.validThrough !== undefined && today > one.validThrough)
  if (path.some(isOver)) return 'ended'
  if (path.some((one) => one.state === 'suspended' || [one.grantor, one.delegate].some(({ standing }) => standing !== 'regular'))) return 'suspended'
  if (path.some(({ state }) => state !== 'active')) return 'pending'
  return path.some((one) => today < one.validFrom || now < one.effectiveAt) ? 'not-yet' : 'valid'
}

/** `Maria A. S.`: matches a paper at hand, and tells a stranger no name. */
function masked(party: Party): MaskedParty {
  const name = party.kind === 'person' ? maskPersonName(party.name) : party.name
  return { name, document: maskedDocument(party) }
}
