import { createAddressLimit, networkOf } from '../../accounts/index.ts'
import { createQuotas, type Quotas } from '../../biometrics/index.ts'
import type { Oidc } from '../../oidc/index.ts'
import { createAuthorityRoutes, createCodeRoutes, createCscApi, createDocumentsApi, createGovbrSigningApi, createVerifierRoutes, type SigningApiDependencies } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'
import type { Rooms } from '../rooms.ts'
import type { Web } from '../web.ts'

export interface OpenSignaturesDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly web: Web
}

/** A reader of many signatures asks about each certificate; nobody needs more than this for long. */
const QUESTIONS = { burst: 300, perSecond: 30 } as const

/** Files that one address may have judged: each is up to 20 MB and a thread's whole attention. */
const FILES = { burst: 20, perSecond: 0.2 } as const

/** Two people have to meet for a new list: two months are time enough. */
const ROOT_LIST_WARNING_MS = 60 * 86_400_000

/**
 * What the authority publishes and answers. In the demonstration an authority that is marked as such is made at the first start;
 * elsewhere only a ceremony makes one (docs/signatures.md).
 */
export async function openSignatures({ foundation, rooms, oidc, web }: OpenSignaturesDependencies): Promise<void> {
  const { config, db, clock, jobs, log } = foundation
  const { signatures } = rooms
  const addresses = createAddressLimit({ allowance: QUESTIONS, networkOf })
  const quotas = createQuotas({ db, clock })
  const routes = createAuthorityRoutes({
    views: web.views,
    signatures,
    limits: {
      claimAddress(ip) {
        addresses.check(ip)
        addresses.spend(ip)
      },
      requireStampClient: oidc.requireStampClient,
      // Counted beside what the client uses of other things, not together with it.
      async claimStamp(ctx, { id, policy }) {
        const metered = { id: `carimbo:${id}`, policy }
        await quotas.claimCall(ctx, metered)
        await quotas.claimWork(ctx, metered, 'carimbo')
      },
    },
  })
  web.app.use(routes.routes())
  const files = createAddressLimit({ allowance: FILES, networkOf })
  const verifierRoutes = createVerifierRoutes({
    views: web.views,
    verifier: signatures.verifier,
    findUntimed: rooms.documents.records.findUntimed,
    claimAddress(ip) {
      files.check(ip)
      files.spend(ip)
    },
  })
  web.app.use(verifierRoutes.routes())
  const documentsApi = createDocumentsApi({
    documents: rooms.documents, publicUrl: config.platform.publicUrl, requireClient: oidc.requireDocumentsClient,
    async claim(ctx, { id, policy }, what) {
      const metered = { id: `assinaturas:${id}`, policy }
      if (what === 'call') await quotas.claimCall(ctx, metered)
      else await quotas.claimWork(ctx, metered, 'assinaturas')
    },
  })
  web.app.use(documentsApi.routes())
  const api = signingApi({ foundation, rooms, oidc, web }, quotas)
  web.app.use(createGovbrSigningApi(api, config.platform).routes())
  web.app.use(createCscApi({ ...api, service: { publicUrl: config.platform.publicUrl, signing: signatures.signing, stamping: signatures.stamping } }).routes())
  const codes = createAddressLimit({ allowance: QUESTIONS, networkOf })
  const codeRoutes = createCodeRoutes({
    views: web.views,
    records: rooms.documents.records,
    claimAddress(ip) {
      codes.check(ip)
      codes.spend(ip)
    },
  })
  web.app.use(codeRoutes.routes())
  jobs.schedule('signatures-renew', '37 4 * * *', async () => {
    await signatures.authority.renewServices()
    const ends = await signatures.authority.rootListEnds()
    if (ends && ends.getTime() - clock.now().getTime() < ROOT_LIST_WARNING_MS) log.warn('signatures: the list of the root ends soon; make a new one (ac raiz-lista, ac instalar-lista)')
  })
  if (config.demo.enabled) await signatures.authority.ensureDemonstration()
  await signatures.authority.renewServices()
  if ((await signatures.authority.list()).length === 0) log.info('signatures: no certificate authority yet; docs/signatures.md has the ceremony')
}

/** Calls without a good token that one address may make. */
const STRANGERS = { burst: 120, perSecond: 2 } as const

/** What the signing APIs stand on: keys that citizens lent, the clients that they lent them to, and how much these may do. */
function signingApi({ rooms, oidc }: OpenSignaturesDependencies, quotas: Quotas): SigningApiDependencies {
  const strangers = createAddressLimit({ allowance: STRANGERS, networkOf })
  const { accounts, register, signing } = rooms
  return {
    signing,
    people: {
      findSigner: signing.findSigner,
      async isRegular(accountId) {
        const account = await accounts.find(accountId)
        return account !== undefined && (await register.find(account.citizen.reveal().cpf))?.situation === 'regular'
      },
    },
    clients: oidc.signingClients,
    claims: {
      address(ip) {
        strangers.check(ip)
        strangers.spend(ip)
      },
      call: (ctx, { id, policy }) => quotas.claimCall(ctx, { id: `chave:${id}`, policy }),
      async signatures(ctx, { id, policy }, count) {
        for (let signature = 0; signature < count; signature += 1) await quotas.claimWork(ctx, { id: `chave:${id}`, policy }, 'chave')
      },
    },
  }
}
