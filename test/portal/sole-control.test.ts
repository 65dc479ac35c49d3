/**
 * Sole control through the pages: an operator reads and writes every row, has a browser of their own, and signs nothing in the citizen's
 * name (docs/adr/0009).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { storedId } from '../../src/oidc/adapter/adapter.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { openArea, PASSWORD, type TestArea } from './support/area.ts'
import { confirmationOf, PAGE, pdf, prove, type TestSigner, signer, signInWithCode } from './support/signing.ts'

let area: TestArea
before(async () => {
  area = await openArea()
})
after(() => area.close())

const db = () => area.app.foundation.db

interface Row {
  readonly id: string
  readonly payload: Record<string, unknown>
}
const sessionsOf = (who: TestSigner) => db().query<Row>("SELECT id, payload FROM oidc_artifact WHERE model = 'Session' AND account_id = $1", [who.accountId])
const write = (model: string, id: string, payload: object, accountId?: string) =>
  db().execute('UPDATE oidc_artifact SET payload = $3::jsonb, account_id = coalesce($4, account_id), uid = coalesce($3::jsonb->>\'uid\', uid) WHERE model = $1 AND id = $2', [model, id, JSON.stringify(payload), accountId ?? null])
const isSignIn = (page: { forms: readonly { fields: ReadonlyMap<string, unknown> }[] }) => page.forms.some(({ fields }) => fields.has('password'))

async function pair(): Promise<{ victim: TestSigner; operator: TestSigner; browser: BrowserClient; theirs: Row; own: Row }> {
  const [victim, operator] = [await signer(area), await signer(area)]
  await signInWithCode(area, victim)
  const { browser } = await signInWithCode(area, operator)
  const [[theirs], [own]] = [await sessionsOf(victim), await sessionsOf(operator)]
  assert.ok(theirs && own)
  return { victim, operator, browser, theirs, own }
}

test('another browser does not come into the victim\'s session: by its row, by a row like it, by one without a seal', async () => {
  const { victim, browser, theirs, own } = await pair()
  /** The area knows nobody any more: what the browser gets there is what the provider's session gives. */
  const enter = async () => {
    await db().execute('DELETE FROM page_session')
    return area.open(browser, PAGE)
  }
  assert.equal((await enter()).url.pathname, PAGE, 'its own session lets it in')
  const { accountId, uid, authorizations, loginTs } = theirs.payload
  const { seal: _seal, ...bare } = own.payload
  for (const payload of [theirs.payload, { ...theirs.payload, place: own.id }, { ...own.payload, accountId, uid, authorizations, loginTs }, { ...bare, accountId, uid }]) {
    await write('Session', own.id, payload, victim.accountId)
    const page = await enter()
    assert.ok(isSignIn(page), page.text)
  }
})

test('a sign-in of the victim\'s does not become the proof of another request', async () => {
  const victim = await signer(area)
  const { browser, page } = await area.signIn(victim, { path: PAGE })
  // Between the password and the code the operator writes what the code is to prove.
  const uid = /\/interacao\/([\w-]+)/.exec(page.url.pathname)?.[1] ?? ''
  const [row] = await db().query<Row>("SELECT id, payload FROM oidc_artifact WHERE model = 'Interaction' AND id = $1", [storedId('Interaction', uid)])
  assert.ok(row)
  const params = Object(row.payload['params'])
  await write('Interaction', row.id, { ...row.payload, params: { ...params, nonce: 'what-the-operator-wants-signed' } })
  area.clock.advance(30_000)
  const after = await browser.submit(page, { code: '123456' }, { button: 'Confirmar' })
  assert.notEqual(after.url.pathname, PAGE)
  assert.match(after.text, /não está mais aberta|começou|perdeu|expirou|terminou|de novo/i)
  // Put back as it was, its own code is proved for its own request alone.
  await write('Interaction', row.id, row.payload)
  const entered = await signInWithCode(area, victim)
  assert.equal(entered.page.url.pathname, PAGE)
  const [session] = await area.app.rooms.accounts.sessions.list(await idOf(victim))
  const { secondFactorAt } = await area.app.rooms.accounts.sessions.findProved(await idOf(victim), session?.id ?? '', 'what-the-operator-wants-signed')
  assert.equal(secondFactorAt, undefined)
})

test('a password that somebody wrote, and an app enrolled after it, sign nothing; the owner is told what to do', async () => {
  const [victim, operator] = [await signer(area), await signer(area)]
  const { browser } = await signInWithCode(area, victim)
  const envelope = (await browser.upload(await area.open(browser, `${PAGE}/nova`), 'arquivos', [{ name: 'a.pdf', bytes: await pdf('Recado') }], { action: '/nova' })).url.pathname
  const [mine] = await db().query<{ hash: string }>('SELECT password_hash AS hash FROM account WHERE id = $1', [operator.accountId])
  const [before] = await db().query<{ hash: string }>('SELECT password_hash AS hash FROM account WHERE id = $1', [victim.accountId])
  await db().execute('UPDATE account SET password_hash = $2 WHERE id = $1', [victim.accountId, mine?.hash ?? null])
  await db().execute('UPDATE totp_factor SET removed_at = now() WHERE account_id = $1', [victim.accountId])
  const entered = await area.signIn(victim, { path: '/conta/seguranca', password: PASSWORD })
  const enrolment = await area.open(entered.browser, '/conta/seguranca/aplicativo')
  assert.match(enrolment.text, /Vá a um balcão/)
  assert.doesNotMatch(enrolment.text, /código QR/i)
  // The owner, in their own session, cannot sign either, and reads why.
  const page = await prove(area, browser, await confirmationOf(area, browser, envelope), victim)
  assert.match(page.text, /Não conseguimos confirmar que as formas de entrar são suas/)
  assert.match(page.text, /Vá a um balcão/)
  assert.match((await area.open(browser, '/conta/historico')).text, /As formas de entrar não são as que você cadastrou/)
  // Written back, all is as it was.
  await db().execute('UPDATE account SET password_hash = $2 WHERE id = $1', [victim.accountId, before?.hash ?? null])
  await db().execute('UPDATE totp_factor SET removed_at = NULL WHERE account_id = $1', [victim.accountId])
  const again = await prove(area, browser, await confirmationOf(area, browser, envelope), victim)
  assert.match(again.text, /Assinado\. Baixe o documento/)
})

async function idOf({ accountId }: TestSigner) {
  return (await area.app.rooms.accounts.get(accountId)).id
}

test('nothing else was signed', async () => {
  const [row] = await db().query<{ n: number }>("SELECT count(*)::int AS n FROM audit_event WHERE type = 'signatures/signed'")
  assert.equal(row?.n, 1)
})
