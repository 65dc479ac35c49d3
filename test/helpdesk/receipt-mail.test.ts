/** The receipt in the citizen's own mail: to the bound account only, by a link that works once, not too often. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openArea, type TestArea } from '../portal/support/area.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { bindByCode, bringToApproval, offerBinding, openStaffedDesk, type StaffedDesk, tokenOf } from './support/attendance-scene.ts'
import { enterDesk, hire } from './support/counter.ts'

let area: TestArea
let desk: StaffedDesk
let citizen: Awaited<ReturnType<TestArea['citizen']>>
let counter: BrowserClient
let path: string

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  citizen = await area.citizen()
  const sent = await bringToApproval(area, desk, citizen.cpf, 'third')
  counter = sent.browser
  path = sent.path
})
after(() => area.close())

const send = async (browser = counter) => browser.post(`${area.url}${path}/comprovante`, new URLSearchParams({ _csrf: await tokenOf(area, browser) }), new URL(area.url))
const receiptMails = async () => (await area.mailsTo(citizen.email)).filter(({ subject }) => subject === 'O comprovante do seu atendimento')
const linkOf = (text = '') => /\/comprovantes\/[\w-]{43}/.exec(text)?.[0] ?? assert.fail(text)

/** The page of a link in a browser; what it returns presses the button, as a form does. */
async function openLink(browser: BrowserClient, link: string): Promise<() => Promise<Response>> {
  const page = await area.open(browser, link)
  assert.equal(page.status, 200)
  const body = new URLSearchParams({ _csrf: /name="_csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '' })
  return () => browser.fetch(area.url + link, { method: 'POST', body })
}

test('whoever has an account with the CPF gets nothing until it is bound to the case', async () => {
  assert.match((await area.open(counter, path)).text, /ligue antes a conta da pessoa/)
  assert.match((await send()).text, /não tem endereço confirmado/)
  assert.deepEqual(await receiptMails(), [])
})

test('the bound account gets a link, not the file; it works once, after a press, for whoever has it', async () => {
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  const page = await area.open(counter, path)
  assert.match(page.text, /Mandar o comprovante para \S+\*\S*@/)
  assert.ok(!page.html.includes(citizen.email), 'the attendant sees enough of the address for its owner to know it')
  assert.match((await send()).text, /Comprovante enviado/)
  const [mail] = await receiptMails()
  const link = linkOf(mail?.text)
  const presses = await Promise.all([1, 2].map(() => openLink(area.browser(), link)))
  await area.open(area.browser(), link)
  const answers = await Promise.all(presses.map((press) => press()))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410], 'looking spends nothing; of two presses at once one gets the file')
  const file = answers.find(({ status }) => status === 200) ?? assert.fail()
  assert.equal(file.headers.get('Content-Type'), 'application/pdf')
  assert.equal(file.headers.get('Cache-Control'), 'no-store')
  assert.equal(Buffer.from(await file.arrayBuffer()).toString('latin1', 0, 5), '%PDF-')
  assert.equal((await area.open(area.browser(), link)).status, 410)
  const types = (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 20 })).map(({ type }) => type)
  for (const type of ['helpdesk/receipt-sent', 'helpdesk/receipt-taken']) assert.equal(types.filter((one) => one === type).length, 1, type)
})

test('again after two minutes, three times in all; a new link ends the former one, and seven days end the last', async () => {
  assert.match((await send()).text, /acabou de ser enviado/)
  area.clock.advance(2 * 60_000 + 1000)
  assert.match((await send()).text, /Comprovante enviado/)
  const second = linkOf((await receiptMails())[0]?.text)
  area.clock.advance(2 * 60_000 + 1000)
  assert.match((await send()).text, /Comprovante enviado/)
  const third = linkOf((await receiptMails())[0]?.text)
  assert.notEqual(second, third)
  assert.equal((await area.open(area.browser(), second)).status, 410)
  assert.equal((await area.open(area.browser(), third)).status, 200)
  area.clock.advance(2 * 60_000 + 1000)
  assert.match((await send()).text, /já foi enviado três vezes/)
  area.clock.advance(7 * 86_400_000)
  assert.equal((await area.open(area.browser(), third)).status, 410)
})

test('a link ends with a recovery, a block and a closing of its account, and with a change of the address that it went to', async () => {
  const fresh = async () => {
    const person = await area.citizen()
    const sent = await bringToApproval(area, desk, person.cpf, 'third')
    await bindByCode(area, person, await offerBinding(area, sent.browser, sent.path))
    const page = await sent.browser.submit(await area.open(sent.browser, sent.path), {}, { action: '/comprovante' })
    assert.match(page.text, /Comprovante enviado/)
    const link = linkOf((await area.mailsTo(person.email)).find(({ subject }) => subject === 'O comprovante do seu atendimento')?.text)
    assert.equal((await area.open(area.browser(), link)).status, 200)
    return { person, link, page, browser: sent.browser }
  }
  const { accounts } = area.app.rooms
  const { db } = area.app.foundation
  const actor = { kind: 'operator', id: 'test' } as const
  const moved = await fresh()
  await db.execute('UPDATE contact SET value = $2 WHERE account_id = $1', [moved.person.accountId, 'outra@example.org'])
  assert.equal((await area.open(area.browser(), moved.link)).status, 410, 'another address')
  const press = await openLink(area.browser(), moved.link).catch(() => undefined)
  assert.equal(press, undefined)
  await db.execute('UPDATE contact SET value = $2 WHERE account_id = $1', [moved.person.accountId, moved.person.email])
  assert.equal((await area.open(area.browser(), moved.link)).status, 200, 'only where it went to')
  await accounts.safety.suspend(moved.person.accountId, { reason: 'operator', actor })
  await accounts.safety.resume(moved.person.accountId, actor)
  assert.equal((await area.open(area.browser(), moved.link)).status, 410, 'a block ended it for good')
  area.clock.advance(2 * 60_000 + 1000)
  const again = await moved.browser.submit(await area.open(moved.browser, moved.page.url.pathname), {}, { action: '/comprovante' })
  assert.match(again.text, /Comprovante enviado/)
  const link = linkOf((await area.mailsTo(moved.person.email)).find(({ subject }) => subject === 'O comprovante do seu atendimento')?.text)
  assert.equal((await area.open(area.browser(), link)).status, 200)
  const facts = { ip: '10.9.9.9', userAgent: 'test', deviceCookie: undefined }
  await accounts.safety.close({ accountId: moved.person.accountId, authenticatedAt: area.clock.now(), facts })
  assert.equal((await area.open(area.browser(), link)).status, 410, 'as whatever hangs on an account ends with its recovery, it ends with its closing')
})

test('a colleague who does not hold the case sends nothing, and a made-up link is nothing', async () => {
  const colleague = area.browser()
  await enterDesk(area, colleague, await hire(area, desk, 'attendant'))
  assert.match((await send(colleague)).text, /já está com outra pessoa/)
  assert.equal((await receiptMails()).length, 3)
  assert.equal((await area.open(area.browser(), `/comprovantes/${'A'.repeat(43)}`)).status, 410)
})
