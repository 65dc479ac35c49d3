import Router from '@koa/router'
import { inRoom } from '../../../platform/http/app.ts'
import { createBodyHold } from '../../../platform/http/body/hold.ts'
import { type HttpContext, requestFacts } from '../../../platform/http/request-facts.ts'
import { SIGNATURE_FORMS } from '../../signing/signing.ts'
import { openApiDocument } from '../open-api.ts'
import { CSC_BASE } from '../signing-clients.ts'
import { admitCaller, admitService } from './admission.ts'
import { credentialRequest, ENVELOPES, listRequest, SIGN_ALGORITHMS } from './contract.ts'
import { credentialInfo } from './credential-info.ts'
import { authorize, authorizeCheck, getChallenge } from './explicit.ts'
import { CSC_API } from './open-api.ts'
import { cscRefusals, invalidParameter, readJson } from './refusal.ts'
import { type CscDependencies, SIGN_DOC_BODIES, signDoc } from './sign-doc.ts'
import { signHash } from './sign-hash.ts'
import { stamp } from './stamp.ts'
import { giveToken, revoke } from './token.ts'

const LONGEST_BODY = 4096

/** The API of the Cloud Signature Consortium (v2), for certificates that citizens keep; the SAD is the one-use token of its authorization server. */
export function createCscApi(deps: CscDependencies): Router {
  const router = new Router({ prefix: CSC_BASE })
  router.use(inRoom('signatures'), cscRefusals)
  const hold = createBodyHold(SIGN_DOC_BODIES)
  const document = openApiDocument(CSC_API, deps.service.publicUrl)
  router.get('/openapi.json', (ctx) => {
    ctx.body = document
  })
  router.post('/info', (ctx) => showInfo(deps, ctx))
  router.post('/oauth2/token', (ctx) => giveToken(deps, ctx))
  router.post('/oauth2/revoke', (ctx) => revoke(deps, ctx))
  router.post('/credentials/list', (ctx) => listCredentials(deps, ctx))
  router.post('/credentials/info', (ctx) => showCredential(deps, ctx))
  router.post('/credentials/getChallenge', (ctx) => getChallenge(deps, ctx))
  router.post('/credentials/authorize', (ctx) => authorize(deps, ctx))
  router.post('/credentials/authorizeCheck', (ctx) => authorizeCheck(deps, ctx))
  router.post('/signatures/signHash', (ctx) => signHash(deps, ctx))
  router.post('/signatures/signDoc', async (ctx) => hold(ctx, (await admitCaller(deps, ctx)).id, () => signDoc(deps, ctx)))
  router.post('/signatures/timestamp', (ctx) => stamp(deps, ctx))
  return router
}

const METHODS = [
  'oauth2/authorize', 'oauth2/token', 'oauth2/revoke', 'info', 'credentials/list', 'credentials/info',
  'credentials/getChallenge', 'credentials/authorize', 'credentials/authorizeCheck', 'signatures/signHash', 'signatures/signDoc', 'signatures/timestamp',
]

function showInfo({ claims, service: { publicUrl } }: CscDependencies, ctx: HttpContext): void {
  claims.address(requestFacts(ctx).ip)
  ctx.body = {
    specs: '2.0.0.2', name: 'MT Login', logo: `${publicUrl}/favicon.ico`, region: 'BR', lang: 'pt-BR', description: 'Assinatura eletrônica avançada (Lei 14.063/2020) do Estado de Mato Grosso',
    authType: ['oauth2code'], oauth2: `${publicUrl}${CSC_BASE}`, methods: METHODS, validationInfo: true,
    signAlgorithms: { algos: Object.values(SIGN_ALGORITHMS) },
    signature_formats: { formats: Object.keys(ENVELOPES), envelope_properties: Object.values(ENVELOPES) },
    conformance_levels: SIGNATURE_FORMS.map((form) => `Ades-${form}`),
  }
}

async function listCredentials(deps: CscDependencies, ctx: HttpContext): Promise<void> {
  const { accountId, client } = await admitService(deps, ctx)
  const asked = { ...(await readJson(ctx, listRequest, LONGEST_BODY)), isExplicit: client.policy.explicit }
  const found = (await deps.signing.credentials.list(accountId)).filter(({ state }) => !asked.onlyValid || state === 'active')
  ctx.body = {
    credentialIDs: found.map(({ id }) => id),
    ...(asked.credentialInfo && { credentialInfos: found.map((one) => ({ credentialID: one.id, ...credentialInfo(one, asked) })) }),
    ...(asked.onlyValid && { onlyValid: true }),
  }
}

async function showCredential(deps: CscDependencies, ctx: HttpContext): Promise<void> {
  const { accountId, client } = await admitService(deps, ctx)
  const asked = await readJson(ctx, credentialRequest, LONGEST_BODY)
  const found = (await deps.signing.credentials.list(accountId)).find(({ id }) => id === asked.credentialID)
  if (!found) throw invalidParameter('credentialID')
  ctx.body = credentialInfo(found, { ...asked, isExplicit: client.policy.explicit })
}
