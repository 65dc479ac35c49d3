import { type Accounts, accountsEvents, type AccountsSettings, createAccounts, DEFAULT_SETTINGS, type EndOidcSessions, type FileBaseRegister, openBaseRegisterFile, type VerifyFaceRecovery, withNotedDeaths } from '../accounts/index.ts'
import { adminEvents } from '../admin/index.ts'
import { type Audit, createAudit, headFile } from '../audit/index.ts'
import { type Assurance, assuranceEvents, createAssurance } from '../assurance/index.ts'
import { agencyEvents, biometricsEvents, createCustody, createFaceJobs, createFacePorts, createImageStore, createIntegrityCheck, type Custody, type FaceJobs, type IntegrityCheck, createLiveness, describeFaceModels, describeFaceSearch, type Faces, type FaceSearch, faceSearchEvents, type ImagePorts, type ImageStore, type Liveness, type LivenessPeople, nobodysTemplate, openFaceSearch, outcomeEvents, type Outcomes, pointEvents, SEARCHED_MODELS } from '../biometrics/index.ts'
import { appointmentEvents, createStaff, helpdeskEvents, queueEvents, type Staff, type Support, supportEvents } from '../helpdesk/index.ts'
import { interactionEvents, oidcEvents, recoveryCaller } from '../oidc/index.ts'
import type { Config } from '../platform/config.ts'
import type { Messages } from '../platform/http/messages.ts'
import { portalEvents } from '../portal/index.ts'
import { type Proxies, proxiesEvents, type SignedGrants } from '../proxies/index.ts'
import { configuredToken, createSignatures, type DocumentSigning, type Icp, type RemoteSigning, signatureEvents, type Signatures } from '../signatures/index.ts'
import type { FaceThreads } from './face-threads.ts'
import type { Foundation } from './foundation.ts'
import { openOutcomes } from './outcomes.ts'
import { type Figures, openFigures } from './helpdesk/management.ts'
import { openSupport } from './helpdesk/support.ts'
import { openWaitingLine, type WaitingLine } from './helpdesk/waiting-line.ts'
import { openProxies } from './proxies/register.ts'
import { openDocumentSigning } from './signatures/document-signing.ts'
import { certificateDoor, openIcp } from './signatures/icp.ts'
import { createInstrumentSigner } from './signatures/instrument-signing.ts'
import { organisationSeal } from './signatures/organisation-seal.ts'
import { type Issuer, openRemoteSigning, REVIEW_CERTIFICATES_JOB } from './signatures/remote-signing.ts'

/** Name of the job that ends sessions at the protocol after our own records of them have ended. */
export const END_SESSIONS_JOB = 'oidc-end-sessions'

/** Name of the job that asks the registers about a person whose death the counter noted, or took back. */
export const DEATH_JOB = 'person-death'

/** Name of the job that makes the copy of one original. */
export const COPY_IMAGE_JOB = 'image-copy'

/** What keeps the stored images in order, beside their store. */
export interface ImageCare {
  readonly custody: Custody
  readonly integrity: IntegrityCheck
  readonly jobs: FaceJobs
}

/** Every room but the protocol and the pages. */
export interface Rooms {
  readonly audit: Audit
  readonly register: FileBaseRegister
  readonly accounts: Accounts
  readonly faces: Faces
  readonly images: ImageStore
  readonly imageCare: ImageCare
  /** One face among all; off where the database has no pgvector. */
  readonly faceSearch: FaceSearch
  readonly liveness: Liveness
  /** For recovery, where nobody may learn whether an account or a reference exists. */
  readonly recoveryLiveness: Liveness
  /** What came of face checks, counted. */
  readonly outcomes: Outcomes
  readonly assurance: Assurance
  /** Who may act for whom. */
  readonly proxies: Proxies
  /** Powers that their grantor gives by advanced signature. */
  readonly signedGrants: SignedGrants
  /** The certificate authority. */
  readonly signatures: Signatures
  /** Citizens' certificates and signatures. */
  readonly signing: RemoteSigning
  /** ICP-Brasil certificates as seals. */
  readonly icp: Icp
  /** Documents that people sign. */
  readonly documents: DocumentSigning
  /** Units of the counter and who works there. */
  readonly staff: Staff
  /** The units' waiting lines and the hours booked in them. */
  readonly line: WaitingLine
  readonly support: Support
  readonly figures: Figures
  /** Changes of the settings for tests and benches only. */
  readonly settings: AccountsSettings
  close(): Promise<void>
}

/** Settings that tests and benches may replace; nothing in the environment can. */
export type AccountsOverrides = (settings: AccountsSettings) => AccountsSettings

/** What the rooms are opened with, beside their foundation. */
export interface RoomParts {
  readonly messages: Messages
  readonly faceThreads: FaceThreads
  readonly registerFile: string
  /** The protocol, once it is open: what proves that a citizen wants to sign. */
  readonly issuer: Issuer
  readonly override?: AccountsOverrides | undefined
}

/** Events that an operator looks at when there is one: rows were changed elsewhere than here. */
const ALARMS: ReadonlySet<string> = new Set(['accounts/ways-broken', 'accounts/passkey-suspect'])

/** Opens the rooms on a foundation. The hash threads start here and are ready later. */
export async function openRooms(foundation: Foundation, { messages, faceThreads, registerFile, issuer, override = (same) => same }: RoomParts): Promise<Rooms> {
  const { config, db, clock, keyring, log, outbox } = foundation
  const isKept = config.platform.dataDir !== 'memory'
  const catalogs = [accountsEvents, biometricsEvents, faceSearchEvents, outcomeEvents, agencyEvents, pointEvents, assuranceEvents, proxiesEvents, signatureEvents, oidcEvents, interactionEvents, portalEvents, helpdeskEvents, queueEvents, appointmentEvents, supportEvents, adminEvents]
  const onRecord = (type: string) => {
    if (ALARMS.has(type)) foundation.metrics.count('alarms', { type })
  }
  const audit = createAudit({ db, clock, keyring, log, settings: { catalogs, ...(isKept && { head: headFile(config.platform.dataDir) }), onRecord } })
  const { faces, warning } = faceThreads
  if (warning) log.warn(warning)
  log.info(describeFaceModels(faces.models))
  foundation.metrics.watchPool('faces', faces.stats)
  const { images, imageCare, faceSearch } = await openImages(foundation, audit, faces)
  const assurance = createAssurance({
    db, audit, clock, demo: config.demo.enabled,
    levelMayFall: async (tx, accountId) => void (await foundation.jobs.send(REVIEW_CERTIFICATES_JOB, { accountId }, { tx })),
  })
  const signatures = createSignatures({ db, clock, keyring, audit, publicUrl: config.platform.publicUrl, token: configuredToken(config.signatures) })
  const registerOfState = await openBaseRegisterFile(registerFile)
  const register: FileBaseRegister = { ...registerOfState, ...withNotedDeaths(registerOfState, db) }
  const settings = override(accountsSettings(config))
  const accounts: Accounts = createAccounts({
    platform: { db, clock, keyring },
    audit,
    settings,
    ports: {
      outbox, register, translations: messages,
      endOidcSessions: queueEndOfSessions(foundation),
      accountCreated: async (tx, { id: accountId, personId }) =>
        void (await assurance.add(tx, { method: 'registration', personId, accountId, source: 'base-register', actor: { kind: 'citizen', id: accountId } })),
      verifyFace: (asked) => verifyFace(asked),
      certificateDoor: certificateDoor(foundation, () => icp),
    },
  })
  foundation.metrics.watchPool('passwords', accounts.hashing)
  const seal = organisationSeal(signatures, clock, 'Instrumento de procuração')
  const proxies = await openProxies({ foundation, audit, assurance, register, paper: { messages, seal } })
  const signing = openRemoteSigning({ foundation, rooms: { audit, accounts, assurance, proxies, signatures }, messages, issuer, register })
  const signedGrants = proxies.signedBy(createInstrumentSigner({ accounts, signatures, activations: signing.activations, seal }))
  foundation.jobs.schedule('proxies-signing-purge', '1-59/5 * * * *', async () => void (await signedGrants.purge()))
  const documents = openDocumentSigning({ foundation, rooms: { audit, accounts, proxies, signatures, signing }, messages })
  const people = livenessPeople(accounts, images)
  const outcomes = openOutcomes(foundation, audit, messages)
  const engine = { rule: faces.rule, padModel: faces.padModel, observe: faces.observe, noteEnd: outcomes.noteEnd }
  const liveness = createLiveness({ db, clock, keyring, engine, people })
  const recoveryLiveness = createLiveness({ db, clock, keyring, engine, people: withStrangers(people, faces) })
  const verifyFace = faceRecovery({ liveness: recoveryLiveness, isDemo: config.demo.enabled })
  const icp = openIcp({ foundation, rooms: { audit, accounts, assurance, signatures }, messages })
  const staff = createStaff({ db, clock, audit })
  return {
    audit, register, accounts, faces, images, imageCare, faceSearch, liveness, recoveryLiveness, outcomes, assurance, proxies, signedGrants, signatures, signing, documents, settings,
    staff,
    figures: openFigures(foundation, { accounts, messages }),
    icp,
    support: openSupport(foundation, { audit, accounts, assurance, messages, signing }),
    line: openWaitingLine(foundation, { audit, accounts, staff, messages }),
    async close() {
      await faceSearch.close()
      await Promise.all([documents.close(), accounts.close(), signatures.close(), signing.close(), faces.close()])
      await audit.stop()
      await register.close()
    },
  }
}

/** The image store, what keeps it in order, and the search over it. */
async function openImages({ db, clock, keyring, log, jobs }: Foundation, audit: Audit, faces: Faces): Promise<Pick<Rooms, 'images' | 'imageCare' | 'faceSearch'>> {
  const ports: ImagePorts = {
    ...createFacePorts(() => faceSearch),
    onOriginalStored: (tx, imageId) => jobs.send(COPY_IMAGE_JOB, { imageId }, { tx }),
  }
  const imageDeps = { db, keyring, clock, audit, ports }
  const images = createImageStore(imageDeps)
  const imageCare = {
    custody: createCustody(imageDeps),
    integrity: createIntegrityCheck(imageDeps),
    jobs: createFaceJobs({ images: imageDeps, store: images, faces, modelId: faces.models.setId }),
  }
  const faceSearch = await openFaceSearch({ db, platform: { clock, keyring, log }, audit, findReference: images.findReference, modelIds: SEARCHED_MODELS })
  if (!faceSearch.state.on) log.warn(describeFaceSearch(faceSearch.state))
  return { images, imageCare, faceSearch }
}

function accountsSettings({ platform, accounts }: Config): AccountsSettings {
  return {
    ...DEFAULT_SETTINGS,
    publicUrl: platform.publicUrl,
    password: {
      ...DEFAULT_SETTINGS.password,
      minLength: accounts.passwordMinLength,
      cost: { ...DEFAULT_SETTINGS.password.cost, memoryKib: accounts.argon2MemoryKib, passes: accounts.argon2Time },
      slots: accounts.hashWorkers,
      maxQueue: accounts.hashQueue,
    },
    session: { ...DEFAULT_SETTINGS.session, idleSeconds: accounts.sessionIdleSeconds, totalSeconds: accounts.sessionAbsoluteSeconds },
  }
}

/** Queued in the transaction that ends our records: the protocol's side follows within seconds, and no token is issued meanwhile. */
function queueEndOfSessions({ jobs, clock }: Foundation): EndOidcSessions {
  return (tx, { accountId, sessionIds, reason, offlineToo }) =>
    jobs.send(END_SESSIONS_JOB, { accountId, sessionIds: sessionIds.join(' '), reason, offlineToo, endedAt: clock.now().toISOString() }, { tx })
}

function livenessPeople(accounts: Accounts, images: ImageStore): LivenessPeople {
  return {
    async findReference(accountId, modelId) {
      const account = await accounts.find(accountId)
      const found = account && (await images.findReference(account.personId, modelId))
      return found && { modelId: found.modelId, template: found.descriptor, inPerson: found.inPerson }
    },
    claimAttempt: accounts.faceAttempts.claim,
    attemptsLeft: accounts.faceAttempts.left,
    subjectOf: async (accountId) => (await accounts.find(accountId))?.personId ?? accountId,
  }
}

/** Whoever has no reference is compared with a face that nobody has, so that a recovery refuses everybody in the same way. */
function withStrangers(people: LivenessPeople, { rule, models }: Faces): LivenessPeople {
  const template = nobodysTemplate(rule, models.dimension)
  return {
    ...people,
    findReference: async (accountId, modelId) =>
      (await people.findReference(accountId, modelId)) ?? { modelId, template, inPerson: false },
  }
}

/**
 * A recovery by face takes over an account, so it wants a check that a program cannot pass in a camera's place: class `basic`
 * is enough in the demonstration only (specs/biometrics 1.8).
 */
function faceRecovery({ liveness, isDemo }: { liveness: Liveness; isDemo: boolean }): VerifyFaceRecovery {
  return async ({ accountId, recoveryId, proof }) => {
    const outcome = await liveness.result(recoveryCaller(accountId, recoveryId), proof)
    return outcome.passed && (isDemo || outcome.class !== 'basic')
  }
}
