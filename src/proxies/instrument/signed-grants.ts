import { createHash, randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import type { ReadableDocument } from '../../platform/documents/documents.ts'
import { Problem } from '../../platform/problem.ts'
import { type Core, recordFor } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import type { Grants } from '../mandate/grants.ts'
import { type Described, type Mandate, parseMandateId } from '../mandate/mandate.ts'
import { type GrantTerms, levelFor } from '../mandate/terms.ts'
import { type Acting, checkGiver, checkMayGive, getActor } from '../party/actor.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Role } from '../role/role.ts'
import type { Roles } from '../role/roles.ts'
import { newCode } from './code.ts'
import { insertInstrument } from './instrument.store.ts'
import type { InstrumentDependencies } from './instruments.ts'
import { countSignings, findSigning, insertSigning, purgeSignings, type StoredSigning, setActivation, takeSigning } from './signing.store.ts'
import { readPlan, type SigningPlan, type SigningText, writePlan } from './signing-plan.ts'
import { createSigningRecord } from './signing-record.ts'
import { instrumentOf } from './text.ts'

/** What a grantor signs at once: the instruments of one giving, always the same bytes. */
export interface Unsigned {
  readonly accountId: string
  readonly at: Date
  readonly pdfs: readonly Buffer[]
}

/** The grantor's own signature (PAdES B-LT), and the organisation's seal over it. */
export interface InstrumentSigner {
  /** Names these very documents; the proof of the grantor's will must answer this `nonce`. */
  open(unsigned: Unsigned): Promise<{ activationId: string; nonce: string }>
  /** Signs what was opened, in its order, once. */
  sign(unsigned: Unsigned, proof: { activationId: string; idToken: string }): Promise<Buffer[]>
}

/** Instruments that wait for their grantor. */
export interface ShownSigning extends Pick<SigningPlan, 'company' | 'parentId' | 'terms'> {
  /** The bytes that are signed, and their digest as it is confirmed. */
  readonly texts: readonly { readonly pdf: Buffer; readonly sha256: string }[]
}

/** Giving powers that want an advanced signature: read, confirm, prove, and only then is there a mandate. */
export interface SignedGrants {
  /** Makes the instruments; with `parentId` of what is passed on. @throws {Problem} as `grant` does, proxies/too-many-requests */
  prepare(by: Acting, terms: GrantTerms, parentId?: string): Promise<string>
  /** @throws {Problem} proxies/signing-over */
  get(by: Acting, id: string): Promise<ShownSigning>
  /** @throws {Problem} proxies/signing-over, proxies/role-changed, and what the signatures room refuses */
  begin(by: Acting, id: string): Promise<{ nonce: string }>
  /**
   * Signs, and gives in the transaction that keeps what was signed: what stops before it has given nothing, and the record says so.
   *
   * @throws {Problem} proxies/signing-over, proxies/role-changed, as `grant` does, and what the signatures room refuses
   */
  finish(by: Acting, id: string, proof: { idToken: string }): Promise<Mandate[]>
  /** Forgets what nobody signed in time; what was stopped dead with the key in hand is on record as lost first. */
  purge(): Promise<number>
}

export interface SignedGrantDependencies {
  readonly core: Core
  readonly roles: Pick<Roles, 'getPublished'>
  readonly grants: Pick<Grants, 'describe' | 'grant' | 'subdelegate'>
  readonly paper: InstrumentDependencies['paper']
  readonly signer: InstrumentSigner
}

/** As long as the browser's session lets somebody read. */
const OPEN_MS = 3_600_000
const MOST_OPEN = 10

export function createSignedGrants({ core, roles, grants, paper, signer }: SignedGrantDependencies): SignedGrants {
  const { db, clock, keyring } = core.platform
  const context = (id: string) => `mandate-signing:${id}`
  const record = createSigningRecord(core)

  const documentOf = (mandate: Described, granted: readonly Role[], { code, at }: { code: string; at: Date }) =>
    instrumentOf(paper.texts, { mandate, roles: granted, code, url: `${paper.publicUrl}/procuracoes/verificar/${code}`, at })

  /** Every text still says what would be given, to the letter. @throws {Problem} proxies/role-changed */
  function checkWords(mandates: readonly Described[], granted: readonly Role[], { texts, at }: SigningPlan): void {
    const isSame = (mandate: Described, index: number) => {
      const text = texts[index]
      return text !== undefined && wordsOf(documentOf(mandate, granted, { code: text.code, at })) === text.words
    }
    if (mandates.length !== texts.length || !mandates.every(isSame)) throw new Problem(PROXIES_PROBLEMS.roleChanged)
  }

  async function open(by: Acting, id: string): Promise<{ stored: StoredSigning; plan: SigningPlan; unsigned: Unsigned }> {
    const stored = await findSigning(db, { id, accountId: by.accountId, now: clock.now() })
    if (!stored) throw new Problem(PROXIES_PROBLEMS.signingOver)
    const plan = readPlan(keyring.open(stored.plan, context(id)).toString())
    return { stored, plan, unsigned: { accountId: by.accountId, at: plan.at, pdfs: plan.texts.map(({ pdf }) => pdf) } }
  }

  /** While nothing is signed: a power whose text is another now is read again first. What is passed on keeps the version that was given. */
  async function checkVersions({ parentId, terms }: SigningPlan): Promise<void> {
    if (parentId === undefined) await roles.getPublished(db, terms.powers)
  }

  async function keep(
    tx: Sql,
    made: readonly Mandate[],
    { id, texts, files }: { id: string; texts: readonly SigningText[]; files: readonly Buffer[] },
  ): Promise<void> {
    for (const [index, mandate] of made.entries()) {
      const [text, file] = [texts[index], files[index]]
      if (!text || !file) throw new Error('fewer instruments were signed than were shown')
      const digest = createHash('sha256').update(file).digest()
      const contextOf = `mandate-instrument:${mandate.id}`
      const kept = await insertInstrument(tx, {
        mandateId: mandate.id,
        codeHash: keyring.hash(text.code, 'mandate-instrument'),
        codeSealed: keyring.seal(text.code, contextOf),
        sealed: keyring.seal(file, contextOf),
        digest,
        createdAt: clock.now(),
      })
      if (!kept) throw new Error('a new mandate has an instrument already')
      const data = { mandateId: mandate.id, sha256: digest.toString('hex'), signingId: id }
      await recordFor(core, tx, {
        type: 'proxies/instrument-made',
        actor: { kind: 'system' },
        parties: [mandate.represented, mandate.delegate],
        data,
      })
    }
  }

  return {
    async prepare(by, asked, parentId) {
      const actor = await getActor(core, by)
      const at = clock.now()
      if ((await countSignings(db, by.accountId, at)) >= MOST_OPEN) throw new Problem(PROXIES_PROBLEMS.tooManyRequests, { retryAfterSeconds: OPEN_MS / 1000 })
      // The day is part of what is signed.
      const terms = { ...asked, validFrom: asked.validFrom ?? dayOf(at) }
      const described = await grants.describe(by, terms, parentIdOf(parentId))
      await checkMayGive(core, by, actor, levelFor(described.roles, 'grantorLevel'))
      const texts: SigningText[] = []
      for (const mandate of described.mandates) {
        const code = newCode()
        const document = documentOf(mandate, described.roles, { code, at })
        texts.push({ code, words: wordsOf(document), pdf: Buffer.from(await paper.documents.render(document)) })
      }
      const id = randomUUID()
      const plan = keyring.seal(writePlan({ company: by.company, parentId, terms, at, texts }), context(id))
      await insertSigning(db, { id, accountId: by.accountId, plan }, new Date(at.getTime() + OPEN_MS))
      return id
    },
    async get(by, id) {
      const { company, parentId, terms, texts } = (await open(by, id)).plan
      return { company, parentId, terms, texts: texts.map(({ pdf }) => ({ pdf, sha256: createHash('sha256').update(pdf).digest('hex') })) }
    },
    async begin(by, id) {
      const { stored, plan, unsigned } = await open(by, id)
      await checkVersions(plan)
      // A key of before, wherever it is, gives nothing any more.
      await record.lose(stored, clock.now())
      const { activationId, nonce } = await signer.open(unsigned)
      await setActivation(db, id, activationId)
      return { nonce }
    },
    async finish(by, id, { idToken }) {
      const { stored, plan, unsigned } = await open(by, id)
      const { activationId } = stored
      if (activationId === undefined) throw new Problem(PROXIES_PROBLEMS.signingOver)
      await checkVersions(plan)
      const { terms, company } = plan
      const parentId = parentIdOf(plan.parentId)
      const acting = { accountId: by.accountId, sessionId: by.sessionId, company }
      // Judged before the key is used, and once more with what is written.
      const now = await grants.describe(acting, terms, parentId)
      await checkGiver(core, acting, await getActor(core, acting), levelFor(now.roles, 'grantorLevel'))
      checkWords(now.mandates, now.roles, plan)
      await record.begin(stored, activationId)
      try {
        const files = await signer.sign(unsigned, { activationId, idToken })
        const signed = async (tx: Sql, made: readonly Mandate[]) => {
          if (!(await takeSigning(tx, id, activationId))) throw new Problem(PROXIES_PROBLEMS.signingOver)
          checkWords(made, now.roles, plan)
          await keep(tx, made, { id, texts: plan.texts, files })
        }
        return parentId === undefined ? await grants.grant(acting, terms, { signed }) : [await grants.subdelegate(acting, parentId, terms, { signed })]
      } catch (error) {
        // What cannot be written now is found by the purge.
        await record.lose(stored, clock.now()).catch(() => {})
        throw error
      }
    },
    async purge() {
      await record.loseDead()
      return purgeSignings(db, clock.now())
    },
  }
}

const wordsOf = (document: ReadableDocument): string => createHash('sha256').update(JSON.stringify(document)).digest('hex')

function parentIdOf(text: string | undefined) {
  if (text === undefined) return undefined
  const id = parseMandateId(text)
  if (id === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
  return id
}
