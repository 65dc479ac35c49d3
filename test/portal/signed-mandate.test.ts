/** A power that wants an advanced signature is given through the pages: read, proved, signed, kept. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { dayOf } from '../../src/proxies/index.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen } from './support/area.ts'
import { citizenAtPrata } from './support/proxies.ts'
import { bytesOf, prove, signer, signInWithCode, type TestSigner } from './support/signing.ts'

const BASE = '/conta/procuracoes'
const NAME = 'Rosa Maria dos Santos'

let area: TestArea
let giver: TestSigner
let taker: TestCitizen
let mine: BrowserClient
before(async () => {
  area = await openArea()
  // The day is part of what is signed: not over midnight.
  const soon = new Date(area.clock.now().getTime() + 300_000)
  if (dayOf(soon) !== dayOf(area.clock.now())) area.clock.advance(300_000)
  giver = await signer(area)
  // A way to sign in that was added just now would hold every giving for a day.
  await area.app.foundation.db.execute(`UPDATE account SET credentials_changed_at = credentials_changed_at - interval '2 days' WHERE id = $1`, [giver.accountId])
  taker = await citizenAtPrata(area)
  mine = (await signInWithCode(area, giver, BASE)).browser
})
after(() => area.close())

const until = () => new Date(area.clock.now().getTime() + 60 * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('/')

/** The four steps, and the document that waits to be signed. */
async function shown(): Promise<Page> {
  let page = await area.open(mine, `${BASE}/nova`)
  page = await mine.submit(page, { document: taker.cpf, name: NAME }, { action: `${BASE}/nova/quem` })
  const power = page.forms.flatMap(({ choices }) => choices.get('poder') ?? []).find((one) => one.includes(':veiculo.vender:')) ?? ''
  page = await mine.submit(page, { poder: power }, { action: `${BASE}/nova/poderes` })
  page = await mine.submit(page, { ate: until() }, { action: `${BASE}/nova/prazo` })
  assert.match(page.text, /Este poder pede uma assinatura com certificado/)
  return mine.submit(page, {}, { action: `${BASE}/nova/resumo` })
}
const given = async () => (await area.app.rooms.proxies.mandates.listGiven({ accountId: giver.accountId })).length

test('an address of the last step gives nothing without a proof of these very texts', async () => {
  const page = await shown()
  assert.equal((await area.open(mine, `${page.url.pathname}/feita`)).url.pathname, BASE, 'nothing was confirmed')
  mine.stopAt = (url) => url.pathname === '/authorize'
  await mine.submit(page, {}, { button: 'código ou chave' })
  mine.stopAt = () => false
  const forged = await area.open(mine, `${page.url.pathname}/feita`)
  assert.equal(forged.status, 422)
  const stranger = (await area.signIn(await citizenAtPrata(area))).browser
  for (const path of ['', '/texto/1', '/feita']) assert.equal((await area.open(stranger, `${page.url.pathname}${path}`)).url.pathname, BASE)
  assert.equal(await given(), 0)
})

test("read, proved and signed: the instrument bears the grantor's signature and the organisation's, and is good to anybody", async () => {
  const page = await shown()
  assertHeading(page, /Leia e assine a procuração/)
  assert.match(page.text, new RegExp(`${NAME} poderá vender o seu veículo`))
  const text = page.links.find(({ href }) => href.pathname.endsWith('/texto/1'))
  assert.ok(text)
  const read = await bytesOf(mine, text.href)
  const done = await prove(area, mine, page, giver)
  assert.match(done.text, /Procuração assinada/)
  assert.match(done.text, /Esperando aceite/)
  const { proxies, signatures } = area.app.rooms
  const [mandate] = await proxies.mandates.listGiven({ accountId: giver.accountId })
  assert.ok(mandate)
  await proxies.mandates.accept({ accountId: taker.accountId }, mandate.id)
  const file = await bytesOf(mine, new URL(`${BASE}/${mandate.id}/documento`, area.url))
  assert.ok(file.subarray(0, read.length).equals(read), 'what was read is what was signed')
  const verdict = await signatures.verifier.verify(file)
  assert.equal(verdict.verdict, 'valid')
  assert.equal(verdict.signatures.length, 2)
  assert.match(verdict.signatures[0]?.signer ?? '', /Rosa Maria dos Santos/)
  assert.equal(verdict.signatures[0]?.form, 'B-LT')
  const judged = await fetch(new URL('/api/verificar/v1', area.url), {
    method: 'POST', headers: { Accept: 'application/json', 'Content-Type': 'application/pdf' }, body: new Uint8Array(file),
  })
  assert.equal(((await judged.json()) as { signatures: unknown[] }).signatures.length, 2, 'anybody sees both')
  assert.equal((await area.open(mine, page.url.pathname)).url.pathname, BASE, 'once')
  assert.match((await area.open(mine, '/conta/historico')).text, /procuração/i)
})
