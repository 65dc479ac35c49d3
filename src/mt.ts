/** The operator's command line: `npm run mt -- COMANDO`. Opens only what the command asks for, and closes it. */
import { userInfo } from 'node:os'
import { join } from 'node:path'
import {
  adminEvents, createAgencyCommands, createAuditCommands, createAuthorityCommands, createCeremonyCommands, createDocumentsCommands, createSecretPrompt, createSigningApiCommands, createStampCommands, createTrustCommands, createCandidateCommands, createClientCommands, createImageCommands, createKeyCommands, createOperatorCommands, createOutcomeCommands, createOperators, createPlatformCommands, createReceiptKeyCommands, createPointCommands, createProxyCommands, createResourceCommands, createRetentionCommands,
  createUnitCommands, createVault, runCommandLine,
  createMeteringCommands, faultsOutcome,
} from './admin/index.ts'
import { openBaseRegisterFile } from './accounts/index.ts'
import { baseRegisterFileOf } from './demo/sample-register.ts'
import { createAudit, headFile } from './audit/index.ts'
import { biometricsEvents, chooseFaceModels, createCustody, createFaceCandidates, createFaceJobs, createFaces, createImageTransfer, createIntegrityCheck, createMetering, createFacePorts, createImageStore, createOutcomes, createPoints, type FaceSearch, faceSearchEvents, openFaceSearch, pointEvents, SEARCHED_MODELS, createQuotas, createReceiptKeys, agencyEvents } from './biometrics/index.ts'
import { createStaff, helpdeskEvents } from './helpdesk/index.ts'
import { configuredToken, createAuthority, createAuthorityKeys, createTrustList, signatureEvents } from './signatures/index.ts'
import { createOidc, oidcEvents, type OidcPorts } from './oidc/index.ts'
import { openRetention } from './app/retention/retention.ts'
import { systemClock } from './platform/clock.ts'
import { type Config, ConfigError, loadConfig } from './platform/config.ts'
import { openDatabase } from './platform/db.ts'
import { openKeyring } from './platform/keyring.ts'
import { createLog } from './platform/log.ts'
import { createRoles, createTeam, proxiesEvents } from './proxies/index.ts'
import { migrate } from './platform/migrate.ts'

const POOL_SIZE = 2
/** An operator waits for what a request never may: an index over millions of faces. */
const LONGEST_STATEMENT_MS = 6 * 60 * 60 * 1000
/** The protocol server is built here for its clients and keys; it answers no request, so it needs to know nobody. */
const NOBODY: OidcPorts = {
  findPerson: async () => ({ subject: undefined, standing: undefined }),
  listEvidence: async () => [],
  representation: { list: async () => [], find: async () => undefined, noteUse: async () => false },
  sessionEnded: async () => {},
}

/** Runs `make` when first asked, once, and notes how to close what it made. */
function lazily<T>(closers: (() => Promise<void>)[], make: () => Promise<T>, close: (made: T) => Promise<void> = async () => {}): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().then((opened) => {
      closers.unshift(() => close(opened))
      return opened
    })
    return made
  }
}

/** The rooms as the commands need them, each opened when first asked for. */
function openRooms(config: Config, closers: (() => Promise<void>)[]) {
  const { databaseUrl: url, dataDir, masterKey } = config.platform
  const clock = systemClock
  const log = createLog({ level: 'warn', destination: process.stderr })
  const bare = lazily(closers, () => openDatabase({ url, dataDir, poolSize: POOL_SIZE, statementTimeoutMs: LONGEST_STATEMENT_MS }), (db) => db.close())
  const applied = lazily(closers, async () => migrate(await bare()))
  const database = async () => {
    await applied()
    return bare()
  }
  const keyring = lazily(closers, async () => openKeyring({ db: await database(), clock, masterKey, dataDir }), (opened) => opened.close())
  const settings = { catalogs: [biometricsEvents, agencyEvents, proxiesEvents, faceSearchEvents, pointEvents, oidcEvents, signatureEvents, helpdeskEvents, adminEvents], head: headFile(dataDir) }
  const audit = lazily(closers, async () => createAudit({ db: await database(), clock, keyring: await keyring(), log, settings }))
  const deps = async () => ({ db: await database(), clock, keyring: await keyring(), audit: await audit() })
  const openOidc = async () => {
    const { db, audit: record, keyring: ring } = await deps()
    const { keyRotationDays, ...lifetimes } = config.oidc
    const { sessionIdleSeconds, sessionAbsoluteSeconds } = config.accounts
    const issuer = { issuer: config.platform.publicUrl, trustedProxies: [], keyRotationDays }
    return createOidc({
      settings: { ...lifetimes, ...issuer, sessionIdleSeconds, sessionAbsoluteSeconds },
      platform: { db, clock, keyring: ring, log: { error: (_fields, text) => log.error(text) } },
      audit: record,
      ports: NOBODY,
      html: () => '',
    })
  }
  const oidc = lazily(closers, openOidc, (opened) => opened.close())
  const candidates = async () => createFaceCandidates(await deps())
  const openSearch = async (): Promise<FaceSearch> => {
    const { db, keyring: ring, audit: record } = await deps()
    const images = createImageStore({ db, keyring: ring, clock, audit: record, ports: createFacePorts(() => search) })
    const search = await openFaceSearch({ db, platform: { clock, keyring: ring, log }, audit: record, findReference: images.findReference, modelIds: SEARCHED_MODELS })
    return search
  }
  const search = lazily(closers, openSearch, (opened) => opened.close())
  const authorityKeys = lazily(closers, async () => createAuthorityKeys({ ...(await deps()), token: configuredToken(config.signatures) }), (keys) => keys.close())
  const authority = async () => createAuthority({ ...(await deps()), keys: await authorityKeys(), publicUrl: config.platform.publicUrl })
  return { applied, deps, audit, oidc, authority, candidates, search, images: openImages({ config, closers, deps, search }) }
}

interface ImageRoomDependencies {
  readonly config: Config
  readonly closers: (() => Promise<void>)[]
  readonly deps: () => Promise<Omit<Parameters<typeof createImageStore>[0], 'ports'>>
  readonly search: () => Promise<FaceSearch>
}

/** The image store and what works on it; nets and base register only when a command looks at faces. */
function openImages({ config, closers, deps, search }: ImageRoomDependencies) {
  const store = lazily(closers, async () => {
    const opened = await search()
    const images = { ...(await deps()), ports: createFacePorts(() => opened) }
    return { images, store: createImageStore(images) }
  })
  const faces = lazily(closers, async () => {
    const modelsDir = join(config.platform.dataDir, 'models')
    const { faceModels: set, faceRecogniser: recogniser, faceWorkers: workers, faceQueue: maxQueue } = config.biometrics
    const { models, rule } = await chooseFaceModels({ set, recogniser }, modelsDir)
    const opened = createFaces({ modelsDir, models, rule, workers, maxQueue })
    await opened.ready()
    return opened
  }, (opened) => opened.close())
  const register = lazily(closers, () => openBaseRegisterFile(baseRegisterFileOf(config)), (opened) => opened.close())
  return {
    custody: async () => createCustody((await store()).images),
    integrity: async () => createIntegrityCheck((await store()).images),
    jobs: async () => {
      const opened = await faces()
      return createFaceJobs({ ...(await store()), faces: opened, modelId: opened.models.setId })
    },
    transfer: async () => createImageTransfer({ ...(await store()), look: async () => ({ faces: await faces(), register: await register() }) }),
  }
}

async function main(): Promise<number> {
  const closers: (() => Promise<void>)[] = []
  const config = loadConfig()
  const { applied, deps, audit, oidc, authority, candidates, search, images } = openRooms(config, closers)
  const actorId = `cli:${userInfo().username}`
  const actor = { kind: 'operator', id: actorId } as const
  const metering = async () => createMetering(await deps())
  const commands = [
    ...createOperatorCommands(async () => createOperators({ ...(await deps()), actorId })),
    ...createUnitCommands(async () => createStaff(await deps()), { actorId }),
    ...createClientCommands({ oidc, actor }),
    ...createResourceCommands({ oidc, actor }),
    ...createKeyCommands({ oidc, actor }),
    ...createAuthorityCommands({ authority, actor }),
    ...createCeremonyCommands({ clock: systemClock, askSecret: createSecretPrompt(process.stdin, process.stderr) }),
    ...createStampCommands({ oidc, actor }),
    ...createDocumentsCommands({ oidc, actor }),
    ...createSigningApiCommands({ oidc, actor }),
    ...createTrustCommands({ trust: async () => createTrustList({ ...(await deps()) }), actor }),
    ...createAuditCommands(audit, [async () => faultsOutcome(await (await metering()).verify())]),
    ...createMeteringCommands({ metering, actor }),
    ...createAgencyCommands({ oidc, actor, quotas: async () => createQuotas({ db: (await deps()).db, clock: systemClock }) }),
    ...createProxyCommands({ oidc, actor, roles: async () => createRoles({ ...(await deps()), clock: systemClock }), team: async () => createTeam({ ...(await deps()), clock: systemClock }) }),
    ...createReceiptKeyCommands({ keys: async () => createReceiptKeys(await deps()), actor }),
    ...createImageCommands({ ...images, setting: { actor, parallel: config.biometrics.faceWorkers + 1, progress: (text) => void process.stderr.write(text) } }),
    ...createPointCommands({ points: async () => createPoints(await deps()), actor }),
    ...createOutcomeCommands(async () => createOutcomes({ ...(await deps()), clock: systemClock })),
    ...createCandidateCommands({ candidates, search, actor }),
    ...createRetentionCommands(async () => openRetention({ ...(await deps()), config }, actorId)),
    ...createPlatformCommands({ config, migrate: applied, vault: async () => createVault({ ...(await deps()), actorId }) }),
  ]
  const terminal = { out: (text: string) => void process.stdout.write(text), error: (text: string) => void process.stderr.write(text) }
  try {
    return await runCommandLine(commands, process.argv.slice(2), terminal)
  } finally {
    for (const close of closers) await close()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
