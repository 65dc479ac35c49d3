/** What strangers and a runaway camera page may ask of the counter: bounded by address and by who is signed in, and told when to come back. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { atOneMoment } from '../support/clock.ts'
import { openCase, openStaffedDesk, type StaffedDesk, tokenOf } from './support/attendance-scene.ts'
import { enterDesk } from './support/counter.ts'

let area: TestArea
let desk: StaffedDesk

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
})
after(() => area.close())

/** The first refusal of many requests at once. */
async function refusalOf(ask: () => Promise<Response>, most: number): Promise<Response | undefined> {
  const answers = await atOneMoment(() => Promise.all(Array.from({ length: most }, ask)))
  return answers.find(({ status }) => status === 429)
}

test('surveys and screens are bounded by address; another address is served, and the page says when to come back', async () => {
  const token = 'a'.repeat(43)
  for (const [path, most] of [
    [`/avaliacao/${token}`, 35],
    [`/painel/${desk.unit.code}/chamadas`, 250],
  ] as const) {
    const flood = area.browser()
    const refused =
      (await refusalOf(() => flood.fetch(`${area.url}${path}`, { headers: { Accept: 'text/html' } }), most)) ?? assert.fail(path)
    assert.ok(Number(refused.headers.get('Retry-After')) >= 1, path)
    assert.match(await refused.text(), /<h1/)
    assert.notEqual((await area.browser().fetch(`${area.url}${path}`)).status, 429, path)
  }
})

test('the bound of what strangers open is not the counter’s: a unit’s whole staff, and its devices, share an address', async () => {
  const unit = area.browser()
  const at = (path: string) => () => unit.fetch(`${area.url}${path}`, { headers: { Accept: 'text/html' }, redirect: 'manual' })
  for (const path of ['/aparelho', '/balcao/entrar', '/balcao/atendimentos']) assert.equal(await refusalOf(at(path), 60), undefined, path)
  const link = `/comprovantes/${'a'.repeat(43)}`
  assert.equal((await refusalOf(at(link), 35))?.status, 429)
  assert.equal((await at('/aparelho')()).status, 200, 'a flood of one kind of link closes no other page')
})

test('links and pairing codes of the citizens’ screens are tried a few at a time', async () => {
  const flood = area.browser()
  const csrf = /name="_csrf" value="([^"]+)"/.exec((await area.open(flood, '/aparelho')).html)?.[1] ?? assert.fail()
  const post = (path: string, fields: Record<string, string>) => () => flood.fetch(`${area.url}${path}`, { method: 'POST', body: new URLSearchParams({ _csrf: csrf, ...fields }) })
  const ways = [
    ['/aparelho/ligar', { code: 'ABCD-EFGH' }], [`/aparelho/acesso/${'a'.repeat(43)}`, { agree: 'sim' }],
    ['/tela', { code: 'ABCD-EFGH' }], [`/tela/${'a'.repeat(43)}`, {}],
  ] as const
  for (const [path, fields] of ways) assert.equal((await refusalOf(post(path, fields), 35))?.status, 429, path)
  assert.equal((await flood.fetch(`${area.url}/aparelho`)).status, 200)
})

test('camera frames are bounded by who sends them', async () => {
  const browser = area.browser()
  await enterDesk(area, browser, desk.attendant)
  const path = (await openCase(area, browser, (await area.citizen()).cpf)).url.pathname
  const headers = { 'Content-Type': 'image/jpeg', 'X-CSRF-Token': await tokenOf(area, browser), Accept: 'application/json' }
  const frame = () => browser.fetch(`${area.url}${path}/rosto/quadro`, { method: 'POST', headers, body: new Uint8Array([255, 216, 255]) })
  const refused = await refusalOf(frame, 45)
  assert.equal(refused?.status, 429)
})
