import { type Account, type AccountId, createAddressLimit, displayName, DOUBTED_MS, networkOf } from '../accounts/index.ts'
import type { Oidc } from '../oidc/index.ts'
import type { Sql } from '../platform/db.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { type AreaData, CITIZEN_PLACE, createCertificateRoutes, createCertificateSealRoutes, createLendingRoutes, createPortalRoutes, createProxyRoutes, createSigningRoutes, type Portal, type PortalDependencies } from '../portal/index.ts'
import { CLOSED_GRACE_DAYS } from './closed-accounts.ts'
import { type AreaDependencies, type LocalAddress, openEntrance } from './first-party.ts'
import type { Rooms } from './rooms.ts'
import { SIGNING_AUDIENCE } from './signatures/remote-signing.ts'
import { faceCheckGrants } from './web.ts'

export const AREA_CLIENT = SIGNING_AUDIENCE

const AREA_SCOPES = ['openid', 'profile', 'cpf', 'email', 'phone'] as const
/** What a browser without a name is called in its record. */
const NAMELESS_DEVICE = '?'

export type CitizenAreaDependencies = AreaDependencies

/** The area's routes and frame, and the account that is signed in to it. */
export interface CitizenArea extends Pick<Portal, 'routes' | 'pages' | 'prove'> {
  findAccount(ctx: HttpContext): Promise<Account | undefined>
  /** The account with the sign-in that it is here by. */
  findVisit: Portal['findVisit']
  /** Of browsers that are signed in to it. */
  readonly sessions: PageSessions<AreaData>
}

/** `/conta` as a first-party relying party of this very server: its registration, its sessions, its routes. */
export async function openCitizenArea(
  deps: CitizenAreaDependencies,
  localAddress: LocalAddress,
): Promise<CitizenArea> {
  const { oidc, look, rooms } = deps
  const { idleSeconds, totalSeconds: absoluteSeconds } = rooms.settings.session
  const party = { clientId: AREA_CLIENT, name: 'MT Login', place: CITIZEN_PLACE, scopes: AREA_SCOPES, limits: { idleSeconds, absoluteSeconds } }
  const entrance = await openEntrance(deps, party, localAddress)
  const ledger = {
    audit: ledgerOfPeople(rooms),
    messages: look.messages,
    clientName: (id: string) => clientName(oidc, id),
    purposeName: (id: string, purpose: string) => purposeName(oidc, id, purpose),
    deviceLabels: (id: AccountId) => deviceLabels(rooms, id),
  }
  const { routes, pages, prove, findVisit } = createPortalRoutes({
    entrance,
    messages: look.messages,
    accounts: accountsOf(deps),
    account: {
      openSessions: openSessionsOf(rooms), knownDevices: knownDevicesOf(rooms), systems: connectedSystems(oidc), overview: overviewOf(deps),
      closing: closingOf(deps),
    },
    history: {
      ledger,
      reportMisuse: ({ account }, entry) => reportMisuse(deps, account, entry),
    },
  })
  const { sessions } = entrance
  routes.use(createProxyRoutes({ pages, sessions, proxies: rooms.proxies, clock: deps.foundation.clock, clientName: (id) => clientName(oidc, id) }, { grants: rooms.signedGrants, prove }).routes())
  routes.use(createSigningRoutes({ pages, signing: rooms.documents, prove, about: { levelOf: rooms.assurance.levelOf, clientName: (id) => clientName(oidc, id), personName: (id) => personName(rooms, id) } }).routes())
  routes.use(createCertificateRoutes({ pages, credentials: rooms.signing.credentials, prove, ledger, representedBy: (visit) => representedBy(rooms, visit) }).routes())
  routes.use(createLendingRoutes({ pages, prove, signing: rooms.signing, levelOf: rooms.assurance.levelOf, clients: { ...oidc.signingClients, claimAddress: askLimit() } }).routes())
  routes.use(createCertificateSealRoutes({
    pages, icp: rooms.icp, hostUrl: deps.foundation.config.signatures.certificateUrl,
    remove: ({ account: { id } }) => deps.foundation.db.transaction((tx) => rooms.icp.end(tx, { accountId: id, why: 'citizen', actor: { kind: 'citizen', id }, notice: 'removed' })),
  }).routes())
  return { routes, pages, prove, sessions, findVisit, findAccount: async (ctx) => (await findVisit(ctx))?.account }
}

/** The companies and agencies that a citizen may sign for at this moment. */
async function representedBy({ documents }: Rooms, { account }: { readonly account: Account }) {
  const { cpf } = account.citizen.reveal()
  const found = await documents.powers.list({ accountId: account.id, cpf, name: displayName(account.citizen.reveal()) })
  return found.filter(({ represented }) => represented.kind !== 'person')
}

/** What strangers may make us remember; a citizen's own sign-in is limited beside it. */
const ASKS = { burst: 120, perSecond: 1 } as const

function askLimit(): (ip: string) => void {
  const limit = createAddressLimit({ allowance: ASKS, networkOf })
  return (ip) => {
    limit.check(ip)
    limit.spend(ip)
  }
}

function accountsOf({ foundation, rooms: { accounts, settings } }: CitizenAreaDependencies): PortalDependencies['accounts'] {
  const { recentSeconds, holdSeconds } = settings.session
  return {
    find: accounts.find,
    findLiveSession: accounts.sessions.findLive,
    isRecent: ({ authenticatedAt }) => foundation.clock.now().getTime() - authenticatedAt.getTime() <= recentSeconds * 1000,
    heldUntil: (account) =>
      account.recoveredAt === undefined || accounts.canChangeSensitive(account)
        ? undefined
        : new Date(account.recoveredAt.getTime() + holdSeconds * 1000),
    contacts: accounts.contacts,
    factors: { ...accounts.factors, changePassword: accounts.changePassword },
    minPasswordLength: settings.password.minLength,
  }
}

function openSessionsOf(rooms: Rooms): PortalDependencies['account']['openSessions'] {
  const { sessions } = rooms.accounts
  return {
    async list(accountId) {
      const labels = await deviceLabels(rooms, accountId)
      return (await sessions.list(accountId)).map(({ id, deviceId, createdAt, lastSeenAt }) => ({
        id,
        createdAt,
        lastSeenAt,
        label: deviceId === undefined ? undefined : labels.get(deviceId),
      }))
    },
    end: async (accountId, id) => void (await sessions.end(accountId, id, 'citizen')),
    async endOthers(accountId, keep) {
      for (const { id } of await sessions.list(accountId)) if (id !== keep) await sessions.end(accountId, id, 'citizen')
    },
  }
}

function knownDevicesOf({ accounts }: Rooms): PortalDependencies['account']['knownDevices'] {
  return {
    list: async (accountId) =>
      (await accounts.listDevices(accountId)).map(({ label, ...device }) => ({ ...device, label: label === NAMELESS_DEVICE ? undefined : label })),
    forget: async (accountId, deviceId) => void (await accounts.sessions.endDevice(accountId, deviceId)),
  }
}

/** Everything that an account gave ends with it, seals too: whoever registers the CPF again proves everything again. */
function closingOf({ rooms: { accounts, assurance, icp, signing }, oidc }: CitizenAreaDependencies): PortalDependencies['account']['closing'] {
  return {
    graceDays: CLOSED_GRACE_DAYS,
    close: (changer) =>
      accounts.safety.close(changer, async (tx, { id: accountId, personId }) => {
        const actor = { kind: 'citizen', id: accountId } as const
        await oidc.consents.withdrawAll(tx, accountId)
        await icp.end(tx, { accountId, why: 'account-closed', actor })
        await assurance.withdrawAll(tx, { personId, accountId, reason: 'account-closed', actor })
        await signing.credentials.revokeAll(tx, { personId, accountId, cause: 'account-closed', actor })
      }),
  }
}

async function deviceLabels({ accounts }: Rooms, accountId: AccountId): Promise<ReadonlyMap<string, string>> {
  const named = (await accounts.listDevices(accountId)).filter(({ label }) => label !== NAMELESS_DEVICE)
  return new Map(named.map(({ id, label }) => [id, label]))
}

function connectedSystems(oidc: Oidc): PortalDependencies['account']['systems'] {
  return {
    async list(accountId) {
      const consents = await oidc.consents.list(accountId)
      return Promise.all(
        consents.map(async ({ accountId: _, ...consent }) => ({ ...consent, clientName: await clientName(oidc, consent.clientId) })),
      )
    },
    withdraw: oidc.consents.withdraw,
  }
}

async function personName({ accounts }: Rooms, id: string): Promise<string | undefined> {
  const account = await accounts.find(id)
  return account && displayName(account.citizen.reveal())
}

async function clientName({ clients }: Oidc, id: string): Promise<string> {
  return (await clients.find(id))?.metadata.client_name ?? id
}

async function purposeName({ clients }: Oidc, id: string, code: string): Promise<string> {
  return (await clients.find(id))?.policy.agency?.purposes.find((purpose) => purpose.code === code)?.name ?? code
}

/** The account's ledger, and what was done to its person before there was an account. */
function ledgerOfPeople({ audit, accounts }: Rooms): Pick<Rooms['audit'], 'ledger'> {
  return {
    async ledger(accountId, page) {
      const account = await accounts.find(accountId)
      const [own, before] = await Promise.all([audit.ledger(accountId, page), account ? audit.ledger(account.personId, page) : []])
      return [...own, ...before].sort((a, b) => b.at.getTime() - a.at.getTime() || b.id - a.id).slice(0, page.limit)
    },
  }
}

function overviewOf({
  foundation,
  rooms: { accounts, assurance, icp, images, faces },
}: CitizenAreaDependencies): PortalDependencies['account']['overview'] {
  const { totp, passkeys, recoveryCodes } = accounts.factors
  return {
    async explain(accountId, personId) {
      const reference = await images.findReference(personId, faces.rule.modelId)
      const takesCertificates = foundation.config.signatures.certificateUrl !== undefined && (await icp.authorities()).length > 0
      const explanation = await assurance.explain(accountId, {
        takesCertificates,
        hasReferenceImage: reference !== undefined,
        faceCheckGrants: faceCheckGrants(foundation.config.demo.enabled, faces.models, {
          boundDevice: (await passkeys.list(accountId)).length > 0,
          referenceInPerson: reference?.inPerson === true,
        }),
      })
      return { ...explanation, managesCertificate: (await icp.find(accountId)) !== undefined }
    },
    hasTotp: totp.isEnabled,
    hasPasskey: async (accountId) => (await passkeys.list(accountId)).length > 0,
    recoveryCodesLeft: recoveryCodes.countLeft,
  }
}

/**
 * "Não fui eu": what somebody may have gained by a camera in the last month no longer counts, and the account stops.
 *
 * The account last: whoever is cut off in between is still signed in and says it again.
 */
async function reportMisuse(
  { foundation: { db, clock }, rooms: { accounts, assurance, audit, icp, signing } }: CitizenAreaDependencies,
  account: Account,
  entry: number | undefined,
): Promise<void> {
  const { id: accountId, personId } = account
  const actor = { kind: 'citizen', id: accountId } as const
  const since = new Date(clock.now().getTime() - DOUBTED_MS)
  await db.transaction(async (tx) => {
    await audit.record(tx, { type: 'portal/use-disowned', actor, subject: accountId, data: { entry } })
    await assurance.withdrawRemote(tx, { personId, accountId, since, reason: 'not-me', actor })
    await icp.end(tx, { accountId, why: 'not-me', actor, since })
  })
  await signing.lendings.end(accountId)
  await signing.asks.end(accountId)
  // Under the account's lock: a certificate that is being made meanwhile ends here, or is not made.
  const also = async (tx: Sql) => void (await signing.credentials.revokeAll(tx, { personId, accountId, cause: 'not-me', actor }))
  await accounts.safety.suspend(accountId, { reason: 'not-me', actor, also })
}
