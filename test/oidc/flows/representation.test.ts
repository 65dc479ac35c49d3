import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { endRepresentations, type Representation } from '../../../src/oidc/index.ts'
import { createEnding } from '../../../src/oidc/representation/ending.ts'
import { fixedClock } from '../../support/clock.ts'
import { authorizationUrl, Browser, type Harness, OPERATOR, type RelyingParty, redeem, registerClient, signIn, startHarness, type Tokens } from '../harness.ts'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const API = 'https://api.sefaz.example.org'
const POLICY = { representation: true, representationNamespaces: ['sefaz'], resources: [API] }
const SCOPE = 'openid profile representacao offline_access'
const GRANTS = { grant_types: ['authorization_code', 'refresh_token', EXCHANGE] }

let harness: Harness
before(async () => {
  harness = await startHarness()
  const scopes = ['ipva.consultar', 'ipva.pagar', 'nfe.emitir']
  const scopePowers = { 'ipva.consultar': ['sefaz:ipva.consultar', 'sefaz:ipva.pagar'], 'ipva.pagar': ['sefaz:ipva.pagar'] }
  await harness.oidc.resources.put({ indicator: API, name: 'Sefaz', scopes, tokenFormat: 'jwt', tokenSeconds: 3600, scopePowers }, OPERATOR)
})
after(() => harness.close())
beforeEach(() => {
  const { world } = harness
  world.level = 'prata'
  world.active = true
  world.chosen = 'self'
  world.representations = []
  world.prompts.length = 0
  world.uses.length = 0
})

const company = (change: Partial<Representation> = {}): Representation => {
  const id = randomUUID()
  return {
    id, mandateId: id, kind: 'procuracao', powers: ['sefaz:ipva.consultar'], titles: [], validFrom: '2026-11-01', validThrough: '2027-06-30', mayDelegate: false, through: [],
    minimumLevel: 'bronze', represented: { partyId: randomUUID(), type: 'PJ', name: 'Sementes do Cerrado Ltda', document: '12ABC34501DE35' }, ...change,
  }
}
const grandmother = (): Representation =>
  company({ represented: { partyId: randomUUID(), type: 'PF', name: 'Ana Maria Souza', document: '11144477735', birthDate: '1950-02-01', accountId: randomUUID() } })

const register = (policy: object = {}, metadata: object = {}) =>
  registerClient(harness, { ...GRANTS, ...metadata }, { ...POLICY, allowedScopes: ['openid', 'profile', 'email', 'offline_access', 'representacao', 'representee.*', 'representee_list'], ...policy })

/** Signed in on somebody's behalf, with a refresh token. */
async function actFor(one: Representation, rp: RelyingParty, parameters: Record<string, string> = {}): Promise<Tokens> {
  harness.world.representations = [one]
  harness.world.chosen = one.id
  return signIn(rp, new Browser(), { scope: SCOPE, prompt: 'consent', ...parameters })
}
/** The mandate ends, in a transaction as the register of mandates does it. */
async function revoke({ id }: Representation): Promise<void> {
  await harness.db.transaction((tx) => endRepresentations(tx, id, new Date()))
  harness.world.representations = harness.world.representations.filter((one) => one.id !== id)
}
const refresh = (rp: RelyingParty, token: string | undefined, parameters = {}) => client.refreshTokenGrant(rp.config, token ?? '', parameters)
const exchange = (rp: RelyingParty, parameters: Record<string, string>) =>
  client.genericGrantRequest(rp.config, EXCHANGE, { subject_token_type: ACCESS_TOKEN, audience: API, ...parameters })
const isRefused = (code: string) => (fault: client.ResponseBodyError) => fault.error === code
const isActive = async (rp: RelyingParty, token: string) => (await client.tokenIntrospection(rp.config, token)).active
const member = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined)

test('a relying party that did not register for it is never told, and is never asked about', async () => {
  const naive = await registerClient(harness)
  harness.world.representations = [company()]
  harness.world.chosen = harness.world.representations[0]?.id ?? ''
  const claims = JSON.stringify({ id_token: { representation: { essential: true }, agent: null, act: null }, userinfo: { representee: null, authority: null } })
  const tokens = await signIn(naive, new Browser(), { claims })
  assert.ok(!harness.world.prompts.includes('select_account'))
  const told = { ...tokens.claims(), ...(await client.fetchUserInfo(naive.config, tokens.access_token, harness.world.accountId)) }
  for (const claim of ['representation', 'agent', 'grantor_account', 'representee', 'act', 'authority']) assert.ok(!(claim in told), claim)
  const { url } = await new Browser().go((await authorizationUrl(naive, { scope: 'openid representacao' })).url)
  assert.equal(url.searchParams.get('error'), 'invalid_scope')
  assert.equal(harness.world.uses.length, 0)
})

test('what belongs to representation is registered together with it, by an operator and on record', async () => {
  const create = (policy: object, metadata: object = {}) =>
    harness.oidc.clients.create({ metadata: { client_name: 'X', redirect_uris: ['https://x.example.org/cb'], ...metadata }, policy, actor: OPERATOR })
  await assert.rejects(create({ allowedScopes: ['openid', 'representacao'] }), /client-invalid/)
  await assert.rejects(create({ representation: true }), /client-invalid/)
  await assert.rejects(create({}, GRANTS), /client-invalid/)
  await assert.rejects(create(POLICY, { ...GRANTS, token_endpoint_auth_method: 'none' }), /client authentication/)
  const rp = await registerClient(harness)
  await harness.oidc.clients.change(rp.id, { policy: { representation: true, representationNamespaces: ['sefaz'] }, actor: OPERATOR })
  const event = harness.world.events.findLast(({ type }) => type === 'oidc/client-changed')
  assert.deepEqual(event?.actor, OPERATOR)
  assert.deepEqual(event?.data['changed'], ['representation', 'representationNamespaces'])
})

test('who represents nobody is not asked; who does is asked once a session, and again when the relying party wants it', async () => {
  const rp = await register()
  const browser = new Browser()
  const tokens = await signIn(rp, browser)
  assert.ok(!harness.world.prompts.includes('select_account'))
  assert.ok(!('representation' in (tokens.claims() ?? {})))
  harness.world.representations = [company()]
  await signIn(rp, browser)
  await signIn(rp, browser)
  assert.equal(harness.world.prompts.filter((name) => name === 'select_account').length, 1)
  await signIn(rp, browser, { prompt: 'select_account' })
  assert.equal(harness.world.prompts.filter((name) => name === 'select_account').length, 2)
})

test('without a page there is no guess: prompt=none asks for the selection', async () => {
  const rp = await register()
  const browser = new Browser()
  await signIn(rp, browser)
  harness.world.representations = [company()]
  const { url } = await browser.go((await authorizationUrl(rp, { prompt: 'none' })).url)
  assert.equal(url.searchParams.get('error'), 'account_selection_required')
})

test('acting for a company: sub stays the person, the claim says for whom, with what, until when', async () => {
  const rp = await register()
  const one = company()
  const tokens = await actFor(one, rp, { scope: 'openid profile' })
  const claims = tokens.claims()
  assert.equal(claims?.sub, harness.world.accountId)
  const said = claims?.['representation']
  assert.equal(member(said, 'mandate_id'), one.id)
  assert.deepEqual(member(said, 'powers'), ['sefaz:ipva.consultar'])
  assert.equal(member(said, 'valid_through'), '2027-06-30')
  assert.equal(member(member(said, 'represented'), 'cnpj'), '***BC34501DE**', 'masked without the scope')
  const full = await actFor(one, rp)
  assert.equal(member(member(full.claims()?.['representation'], 'represented'), 'cnpj'), '12ABC34501DE35')
  const userinfo = await client.fetchUserInfo(rp.config, full.access_token, harness.world.accountId)
  assert.deepEqual(userinfo['representation'], full.claims()?.['representation'])
  assert.equal((await client.tokenIntrospection(rp.config, full.access_token))['mandate_id'], one.id)
})

test('a person of the register is known by the same sub as at a sign-in of their own', async () => {
  const rp = await register({}, { subject_type: 'pairwise' })
  const one = grandmother()
  const tokens = await actFor(one, rp)
  const sub = member(member(tokens.claims()?.['representation'], 'represented'), 'sub')
  assert.ok(sub !== one.represented.accountId && sub !== tokens.claims()?.sub)
})

test('every use is written down before a token leaves, and without the line there is no token', async () => {
  const rp = await register()
  const one = company()
  const tokens = await actFor(one, rp)
  await refresh(rp, tokens.refresh_token)
  assert.deepEqual(harness.world.uses.map(({ kind, clientId }) => [kind, clientId]), [['sign-in', rp.id], ['refresh', rp.id]])
  harness.world.ledgerDown = true
  await assert.rejects(actFor(one, rp))
  harness.world.ledgerDown = false
})

test('the federal shape: agent and grantor_account beside the sub of who acts; companies are not offered', async () => {
  const rp = await register({ delegationClaims: 'govbr' })
  const tokens = await actFor(grandmother(), rp)
  assert.deepEqual([tokens.claims()?.['agent'], tokens.claims()?.['grantor_account']], [true, '11144477735'])
  assert.ok(!('representation' in (tokens.claims() ?? {})))
  harness.world.prompts.length = 0
  harness.world.representations = [company()]
  await signIn(rp, new Browser())
  assert.ok(!harness.world.prompts.includes('select_account'))
})

test('the Estonian shape: representee, the list, and the switch of person by refresh', async () => {
  const rp = await register({ delegationClaims: 'representee' })
  const [one, other] = [company(), grandmother()]
  harness.world.representations = [one, other]
  const scope = 'openid offline_access representee.* representee_list'
  const alone = await signIn(rp, new Browser(), { scope, prompt: 'consent' })
  assert.ok(!('representee' in (alone.claims() ?? {})))
  assert.deepEqual((member(alone.claims()?.['representee_list'], 'list') as unknown[]).map((party) => member(party, 'sub')), ['BR12ABC34501DE35', 'BR11144477735'])
  const turned = await refresh(rp, alone.refresh_token, { scope: 'openid offline_access representee.* representee.BR12ABC34501DE35' })
  assert.deepEqual(member(turned.claims()?.['representee'], 'mandates'), [{ role: 'sefaz:ipva.consultar' }])
  assert.equal(harness.world.uses.at(-1)?.kind, 'switch')
  await assert.rejects(client.fetchUserInfo(rp.config, alone.access_token, client.skipSubjectCheck), 'a token of another party is of no use')
  const again = await refresh(rp, turned.refresh_token)
  assert.equal(member(again.claims()?.['representee'], 'sub'), 'BR12ABC34501DE35')
  await assert.rejects(refresh(rp, again.refresh_token, { scope: 'openid representee.BR39053344705' }), isRefused('invalid_scope'))
  const self = await refresh(rp, again.refresh_token, { scope: 'openid offline_access representee.* representee.BR52998224725' })
  assert.ok(!('representee' in (self.claims() ?? {})))
})

test('a switch needs the shape and the scope', async () => {
  const rp = await register()
  const one = company()
  const tokens = await actFor(one, rp)
  await assert.rejects(refresh(rp, tokens.refresh_token, { scope: 'openid representee.BR12ABC34501DE35' }), isRefused('invalid_scope'))
})

test('a choice belongs to its grant: acting for another ends the tokens of the one before', async () => {
  const rp = await register()
  const browser = new Browser()
  const [one, other] = [company(), grandmother()]
  harness.world.representations = [one, other]
  harness.world.chosen = one.id
  const first = await signIn(rp, browser, { scope: SCOPE, prompt: 'consent' })
  harness.world.chosen = other.id
  const second = await signIn(rp, browser, { scope: SCOPE, prompt: 'select_account consent' })
  assert.equal(member(second.claims()?.['representation'], 'mandate_id'), other.id)
  await assert.rejects(refresh(rp, first.refresh_token), isRefused('invalid_grant'))
  assert.equal(await isActive(rp, first.access_token), false)
  assert.equal(await isActive(rp, second.access_token), true)
})

test('another person\'s mandate can not be chosen', async () => {
  const rp = await register()
  harness.world.representations = [company()]
  harness.world.chosen = randomUUID()
  await assert.rejects(new Browser().go((await authorizationUrl(rp)).url), /too many redirects/)
})

test('a mandate that ends between the choice and the code gives no token', async () => {
  const rp = await register()
  const one = company()
  harness.world.representations = [one]
  harness.world.chosen = one.id
  const asked = await authorizationUrl(rp, { scope: SCOPE, prompt: 'consent' })
  const { url } = await new Browser().go(asked.url)
  await revoke(one)
  await assert.rejects(redeem(rp, asked, url), isRefused('invalid_grant'))
  assert.equal(harness.world.uses.length, 0)
})

test('revocation reaches tokens at once: refresh, introspection, userinfo, exchange', async () => {
  const rp = await register()
  const one = company()
  const tokens = await actFor(one, rp)
  assert.equal(await isActive(rp, tokens.access_token), true)
  await revoke(one)
  assert.equal(await isActive(rp, tokens.access_token), false)
  assert.equal(await isActive(rp, tokens.refresh_token ?? ''), false)
  await assert.rejects(client.fetchUserInfo(rp.config, tokens.access_token, client.skipSubjectCheck))
  await assert.rejects(exchange(rp, { subject_token: tokens.access_token }), isRefused('invalid_grant'))
  await assert.rejects(refresh(rp, tokens.refresh_token), isRefused('invalid_grant'))
  await harness.oidc.representation.killEnded()
  const [row] = await harness.db.query<{ killed_at: Date | null }>('SELECT killed_at FROM oidc_representation WHERE mandate_id = $1', [one.id])
  assert.ok(row?.killed_at)
})

test('what the register no longer bears is refused, with or without an end: term, grantor\'s level, delegate\'s level', async () => {
  const rp = await register()
  const one = company({ minimumLevel: 'prata' })
  const tokens = await actFor(one, rp)
  harness.world.level = 'bronze'
  await assert.rejects(refresh(rp, tokens.refresh_token), isRefused('invalid_grant'))
  harness.world.level = 'prata'
  const next = await actFor(one, rp)
  harness.world.representations = []
  assert.equal(await isActive(rp, next.access_token), false)
  await assert.rejects(refresh(rp, next.refresh_token), isRefused('invalid_grant'))
})

test('authority in verified_claims, on userinfo', async () => {
  const rp = await register()
  const claims = JSON.stringify({ userinfo: { verified_claims: { verification: { trust_framework: null }, claims: { authority: null } } } })
  const tokens = await actFor(company(), rp, { claims })
  const userinfo = await client.fetchUserInfo(rp.config, tokens.access_token, harness.world.accountId)
  const [authority] = member(member(userinfo['verified_claims'], 'claims'), 'authority') as object[]
  assert.equal(member(member(authority, 'applies_to'), 'registration_number'), '12ABC34501DE35')
  assert.deepEqual(member(authority, 'permission'), [
    { role: 'sefaz:ipva.consultar', validity: { start: '2026-11-01', end: '2027-06-30' }, audience: rp.id, may_delegate: false },
  ])
  assert.equal(member(member(authority, 'granted_by'), 'method'), 'delegated')
})

test('token exchange: the represented as sub, who acts as act, through whom as act of act, five minutes at most', async () => {
  const rp = await register()
  const lawyer = { partyId: randomUUID(), accountId: randomUUID() }
  const one = company({ through: [lawyer] })
  const tokens = await actFor(one, rp)
  const made = await exchange(rp, { subject_token: tokens.access_token, scope: 'ipva.consultar', actor_token: tokens.access_token, actor_token_type: ACCESS_TOKEN })
  assert.equal(made['issued_token_type'], ACCESS_TOKEN)
  assert.ok((made.expires_in ?? 0) <= 300)
  assert.equal(made.refresh_token, undefined)
  const { sub, act, aud, scope, mandate_id: mandateId, exp = 0, iat = 0 } = decodeJwt(made.access_token)
  assert.deepEqual([sub, aud, scope, mandateId], [one.represented.partyId, API, 'ipva.consultar', one.id])
  assert.deepEqual(act, { sub: harness.world.accountId, client_id: rp.id, act: { sub: lawyer.accountId } })
  assert.ok(exp - iat <= 300)
  const { about, kind } = harness.world.uses.at(-1) ?? {}
  assert.deepEqual([about, kind], [API, 'api'])
  const whole = await exchange(rp, { subject_token: tokens.access_token })
  assert.equal(whole.scope, 'ipva.consultar', 'without a wish, all that the powers bear and no more')
})

test('token exchange refuses what is beyond the powers, forged, somebody else\'s or nobody\'s', async () => {
  const rp = await register()
  const one = company()
  const tokens = await actFor(one, rp)
  const given = { subject_token: tokens.access_token }
  await assert.rejects(exchange(rp, { ...given, scope: 'ipva.pagar' }), isRefused('invalid_scope'))
  await assert.rejects(exchange(rp, { ...given, scope: 'nfe.emitir' }), isRefused('invalid_scope'))
  await assert.rejects(exchange(rp, { ...given, audience: 'https://other.example.org' }), isRefused('invalid_target'))
  await assert.rejects(exchange(rp, { ...given, resource: 'https://other.example.org' }), isRefused('invalid_target'))
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const forged = `${none}.${Buffer.from(JSON.stringify({ sub: one.represented.partyId, act: { sub: harness.world.accountId } })).toString('base64url')}.`
  await assert.rejects(exchange(rp, { subject_token: forged }), isRefused('invalid_grant'))
  await assert.rejects(exchange(rp, { ...given, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }), isRefused('invalid_request'))
  await assert.rejects(exchange(rp, { ...given, actor_token: forged, actor_token_type: ACCESS_TOKEN }), isRefused('invalid_grant'))
  const made = await exchange(rp, given)
  await assert.rejects(exchange(rp, { subject_token: made.access_token }), isRefused('invalid_grant'), 'an exchanged token is not exchanged again')
  const other = await register()
  await assert.rejects(exchange(other, given), isRefused('invalid_grant'))
  harness.world.chosen = 'self'
  const alone = await signIn(rp, new Browser(), { scope: SCOPE, prompt: 'consent' })
  await assert.rejects(exchange(rp, { subject_token: alone.access_token }), isRefused('invalid_grant'))
  const joint = await actFor(company({ quorum: 2 }), rp)
  assert.deepEqual(member(joint.claims()?.['representation'], 'joint'), { mode: 'CONJUNTA', quorum: 2 })
  await assert.rejects(exchange(rp, { subject_token: joint.access_token }), isRefused('invalid_grant'), 'joint powers need several people')
  await assert.rejects(exchange(await registerClient(harness), given))
})

test('whoever acts falls below the level of the powers: tokens that are out are of no use, and are again when it is proved anew', async () => {
  const rp = await register()
  const tokens = await actFor(company({ minimumLevel: 'prata' }), rp)
  const read = () => client.fetchUserInfo(rp.config, tokens.access_token, harness.world.accountId)
  assert.ok(await isActive(rp, tokens.access_token))
  harness.world.level = 'bronze'
  assert.ok(!(await isActive(rp, tokens.access_token)))
  await assert.rejects(read())
  await assert.rejects(exchange(rp, { subject_token: tokens.access_token }), isRefused('invalid_grant'))
  harness.world.level = 'prata'
  assert.ok(await isActive(rp, tokens.access_token))
  await read()
})

test('a relying party hears by back-channel logout that a representation is over', async () => {
  const rp = await register({ allowInternalHosts: ['127.0.0.1'] }, { backchannel_logout_uri: 'http://127.0.0.1:9/out', backchannel_logout_session_required: true })
  const one = company()
  const tokens = await actFor(one, rp)
  await revoke(one)
  await harness.oidc.representation.killEnded()
  const [notice] = await harness.db.query<{ reason: string; sid: string }>('SELECT reason, sid FROM oidc_logout_notice WHERE client_id = $1', [rp.id])
  assert.deepEqual(notice, { reason: 'representation-ended', sid: tokens.claims()?.['sid'] })
})

test('one round sends the logout, whatever another relying party does with its own', async () => {
  const got = Promise.withResolvers<string>()
  const [hung, quick] = [createServer(() => {}), createServer((request, response) => {
    request.setEncoding('utf8').once('data', (body: string) => {
      response.writeHead(200).end()
      got.resolve(body)
    })
  })]
  const listening = async (server: Server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { allowInternalHosts: ['127.0.0.1'], uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/out` }
  }
  try {
    const rps = []
    for (const server of [hung, quick]) {
      const { allowInternalHosts, uri } = await listening(server)
      rps.push(await register({ allowInternalHosts }, { backchannel_logout_uri: uri, backchannel_logout_session_required: true }))
    }
    const ones: Representation[] = []
    for (const rp of rps) {
      const one = company()
      ones.push(one)
      await actFor(one, rp)
      await revoke(one)
    }
    assert.equal(await harness.oidc.representation.killEnded(), 2, 'no relying party is waited for')
    assert.match(await got.promise, /^logout_token=/)
  } finally {
    for (const server of [hung, quick]) {
      server.closeAllConnections()
      server.close()
    }
  }
})

test('a grant that can not be killed holds up no other, is said in the log and is tried again', async () => {
  const { db } = harness
  const clock = fixedClock(new Date('2027-03-01T12:00:00Z'))
  const ids = Array.from({ length: 3 }, () => randomUUID())
  for (const [index, grantId] of ids.entries()) {
    await db.execute(
      `INSERT INTO oidc_representation (grant_id, account_id, client_id, chosen_at, ended_at, ended_reason) VALUES ($1, 'a', 'rp', $2, $2, 'mandate')`,
      [grantId, new Date(clock.now().getTime() + index * 1000 - 60_000)],
    )
  }
  let isBroken = true
  const said: object[] = []
  const notified: string[] = []
  const ending = createEnding({
    db, clock, log: { error: (fields) => void said.push(fields) },
    revokeGrant: async (grantId) => (isBroken && grantId === ids[0] ? Promise.reject(new Error('the store is away')) : undefined),
    notify: async ({ reason }) => void notified.push(reason),
  })
  assert.deepEqual([await ending.killEnded(), said.length, notified.length], [2, 1, 2])
  assert.equal(await ending.killEnded(), 0, 'it waits a moment')
  clock.advance(2000)
  assert.deepEqual([await ending.killEnded(), said.length], [0, 2])
  isBroken = false
  clock.advance(60_000)
  assert.deepEqual([await ending.killEnded(), notified.length], [1, 3])
  assert.equal(await ending.killEnded(), 0)
})

test('a JWT that a refresh in representation gives lives five minutes at most, whatever its API and the client may have', async () => {
  const rp = await register({ accessTokenSeconds: 3600 })
  const tokens = await actFor(company(), rp, { resource: API, scope: `${SCOPE} ipva.consultar` })
  const { access_token: token } = await refresh(rp, tokens.refresh_token, { resource: API, scope: 'ipva.consultar' })
  const { exp = 0, iat = 0, aud } = decodeJwt(token)
  assert.equal(aud, API)
  assert.ok(exp - iat <= 300, `${exp - iat} s`)
})

test('discovery tells what there is', () => {
  return fetch(`${harness.issuer}/.well-known/openid-configuration`).then(async (response) => {
    const document: Record<string, unknown> = await response.json()
    assert.ok((document['grant_types_supported'] as string[]).includes(EXCHANGE))
    assert.ok((document['claims_supported'] as string[]).includes('representation'))
    assert.ok((document['scopes_supported'] as string[]).includes('representacao'))
    assert.deepEqual(document['authority_granted_methods_supported'], ['delegated', 'appointed'])
  })
})
