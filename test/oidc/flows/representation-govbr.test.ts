import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Representation } from '../../../src/oidc/index.ts'
import { Browser, type Harness, type RelyingParty, registerClient, signIn, startHarness } from '../harness.ts'

const OWN_CPF = '52998224725'
const LIST = 'poav2_retrievePoasByAgentAccountIdAndGrantorAccountIdAndClientIdAndIsActive_agent'
const HISTORY = 'poav2_createPoaAccessHistory_agent'
const POAS = '/procuracoes/v2/procuracoes'

let harness: Harness
let rp: RelyingParty
let token: string
const grandmother = representationOf('PF', '11144477735')
before(async () => {
  harness = await startHarness()
  const allowedScopes = ['openid', 'profile', LIST, HISTORY]
  rp = await registerClient(harness, {}, { representation: true, delegationClaims: 'govbr', representationNamespaces: ['sefaz'], allowedScopes })
  harness.world.representations = [grandmother, representationOf('PJ', '12ABC34501DE35')]
  harness.world.chosen = grandmother.id
  token = (await signIn(rp, new Browser(), { scope: `openid profile ${LIST} ${HISTORY}` })).access_token
})
after(() => harness.close())

function representationOf(type: 'PF' | 'PJ', document: string): Representation {
  const id = randomUUID()
  return {
    id, mandateId: id, kind: 'procuracao', represented: { partyId: randomUUID(), type, name: 'Ana Maria Souza', document }, powers: ['sefaz:ipva'],
    titles: [{ 'pt-BR': 'Consultar o IPVA', en: 'See the tax', es: 'Consultar' }], validFrom: '2026-11-01', validThrough: '2027-06-30', mayDelegate: false, through: [], minimumLevel: 'bronze',
  }
}

const call = (path: string, init: RequestInit = {}, bearer = token) =>
  fetch(harness.issuer + path, { ...init, headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' } })
const note = (poa: number, history: object, bearer = token) =>
  call(`${POAS}/${poa}/historico-acessos`, { method: 'POST', body: JSON.stringify({ poaAccessHistory: history }) }, bearer)
const codeOf = async (response: Response) => ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code

interface Poa {
  id: number
  status: string
  expiresAtUtc: string
  grantorAccount: { name: string }
  services: { clientId: string; serviceId: number; serviceName: string }[]
}
const list = async (query = ''): Promise<Poa[]> => ((await (await call(POAS + query)).json()) as { poas: Poa[] }).poas

test('who acts lists what they may do for other people, in the federal shape and with numbers that stay', async () => {
  const [poa, ...more] = await list(`?filtrar-por-procurador=${OWN_CPF}&filtrar-por-outorgante=11144477735&filtrar-por-clientid=${rp.id}&filtrar-por-situacao=ativo`)
  assert.ok(poa)
  assert.equal(more.length, 0, 'people only')
  assert.deepEqual([poa.status, poa.expiresAtUtc, poa.grantorAccount.name], ['ACTIVE', '2027-07-01T04:00:00.000Z', 'Ana Maria Souza'])
  assert.deepEqual(poa.services.map(({ clientId, serviceName }) => [clientId, serviceName]), [[rp.id, 'Consultar o IPVA']])
  assert.equal((await list())[0]?.id, poa.id)
})

test('somebody else\'s mandates are none', async () => {
  assert.deepEqual(await list('?filtrar-por-procurador=11144477735'), [])
  assert.deepEqual(await list('?filtrar-por-clientid=another'), [])
  assert.deepEqual(await list('?filtrar-por-outorgante=39053344705'), [])
})

test('a use that the relying party notes is in the history of whoever gave the mandate', async () => {
  const [poa] = await list()
  assert.ok(poa)
  const [service] = poa.services
  const response = await note(poa.id, { clientId: rp.id, serviceId: service?.serviceId, instanteEvento: '2026-11-28T10:11:47.000' })
  assert.equal(response.status, 201)
  assert.equal(typeof ((await response.json()) as { id: unknown }).id, 'number')
  assert.deepEqual([harness.world.uses.at(-1)?.kind, harness.world.uses.at(-1)?.representation.id], ['service', grandmother.id])
})

test('the refusals, with the codes of the manual', async () => {
  const [poa] = await list()
  assert.ok(poa)
  const serviceId = poa.services[0]?.serviceId
  const other = await note(poa.id, { clientId: 'another', serviceId })
  assert.equal(other.status, 403)
  assert.equal(await codeOf(other), 'REQUEST_POAACCESSHISTORY_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD')
  for (const [id, service] of [[poa.id, 999_999], [999_999, serviceId]] as const)
    assert.equal(await codeOf(await note(id, { clientId: rp.id, serviceId: service })), 'REQUEST_POAACCESSHISTORY_CLIENTIDANDSERVICEID_MUSTMATCHPOASERVICECLIENTIDANDSERVICEID')
  assert.equal(await codeOf(await call(POAS, {}, 'mta_nobody')), 'ACCESSTOKEN_MUSTBEVALID')
  const weak = await signIn(rp, new Browser(), { scope: 'openid profile' })
  assert.equal(await codeOf(await call(POAS, {}, weak.access_token)), 'ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE')
  const naive = await signIn(await registerClient(harness), new Browser())
  assert.equal(await codeOf(await call(POAS, {}, naive.access_token)), 'ACCESSTOKEN_MUSTBEVALID')
})

test('a relying party writes no more a minute than it may, in the federal shape of a refusal', async () => {
  const allowedScopes = ['openid', 'profile', LIST, HISTORY]
  const busy = await registerClient(harness, {}, { representation: true, delegationClaims: 'govbr', representationNamespaces: ['sefaz'], representationCallsPerMinute: 2, allowedScopes })
  const bearer = (await signIn(busy, new Browser(), { scope: `openid profile ${LIST} ${HISTORY}` })).access_token
  const [poa] = await list()
  assert.ok(poa)
  const before = harness.world.uses.length
  const answers: Response[] = []
  // The minute may turn once between them.
  for (let count = 0; count < 5; count += 1) answers.push(await note(poa.id, { clientId: busy.id, serviceId: poa.services[0]?.serviceId }, bearer))
  const refused = answers.filter(({ status }) => status === 429)
  assert.ok(refused.length >= 1)
  assert.equal(harness.world.uses.length - before, 5 - refused.length)
  assert.match(refused[0]?.headers.get('retry-after') ?? '', /^\d+$/)
  assert.equal(refused[0] && (await codeOf(refused[0])), 'REQUEST_TOOMANYREQUESTS')
  assert.equal((await call(POAS)).status, 200, 'another relying party has its own')
})
