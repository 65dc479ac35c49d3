import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { NewEvidence } from '../../src/assurance/index.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen } from './support/area.ts'

const WITH_FACE = { cpf: '111.444.777-35' }
const YEAR_MS = 365 * 86_400_000

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

async function give(citizen: TestCitizen, proof: Pick<NewEvidence, 'method'> & Partial<NewEvidence>) {
  const { assurance } = area.app.rooms
  const { personId, accountId } = citizen
  return area.app.foundation.db.transaction(async (tx) => {
    const item = await assurance.add(tx, { personId, accountId, source: 'test', actor: { kind: 'system' }, ...proof })
    assert.ok(item, 'the proof is worth something')
    return item
  })
}

test('bronze: what counts, and every way up, one of them without a camera', async () => {
  const { page } = await area.signIn(await area.citizen(), { path: '/conta/nivel' })
  assertHeading(page, /Por que sou bronze\?/i)
  assert.match(page.text, /Cadastro conferido e contato confirmado vale bronze/i)
  assert.match(page.text, /Sem câmera/)
  assert.match(page.text, /Ganha Tempo/)
  assert.match(page.text, /ainda não tem uma foto sua para comparar/)
  assert.ok(
    page.links.some(({ href }) => href.pathname === '/demo/foto'),
    'the demonstration offers its counter',
  )
  assert.ok(!page.links.some(({ href }) => href.searchParams.has('nivel')), 'no face check without a reference')
})

test('with a reference photo the face check is one press away, by the ordinary step-up', async () => {
  const { browser, page } = await area.signIn(WITH_FACE, { path: '/conta/nivel', password: 'arara-azul-cerrado-3' })
  const way = page.links.find(({ href }) => href.searchParams.get('nivel') === 'prata')
  assert.ok(way, page.text)
  const asked = await browser.get(way.href)
  assert.ok(asked.trail.some(({ searchParams }) => searchParams.get('acr_values') === 'urn:mt-login:nivel:prata'))
  assert.match(asked.text, /MT Login pede o nível prata/)
  const back = await browser.submit(asked, {}, { action: '/desistir' })
  assert.equal(back.url.pathname, '/conta/nivel')
  assert.match(back.text, /A conferência não foi concluída\. Seu nível continua o mesmo/)
  assertHeading(back, /bronze/i)
})

test('reaching the level is worth a word', async () => {
  const citizen = await area.citizen()
  await give(citizen, { method: 'counter-documents', location: 'Ganha Tempo' })
  const { page } = await area.signIn(citizen, { path: '/conta/entrar?nivel=prata&para=/conta/nivel' })
  assert.equal(page.url.pathname, '/conta/nivel')
  assert.match(page.text, /Pronto: conferimos que é você/)
  assertHeading(page, /Por que sou prata\?/i)
})

test('prata by documents: the seal says since when and until when', async () => {
  const citizen = await area.citizen()
  await give(citizen, { method: 'counter-documents' })
  const { page } = await area.signIn(citizen, { path: '/conta/nivel' })
  assert.match(page.text, /Documentos vistos no balcão vale prata Desde \d{2}\/\d{2}\/\d{4} Vale até \d{2}\/\d{2}\/\d{4}/i)
})

test('an expired seal is still listed, no longer counts, and the level falls', async () => {
  const citizen = await area.citizen()
  await give(citizen, { method: 'counter-documents' })
  area.clock.advance(3 * YEAR_MS)
  const { page } = await area.signIn(citizen, { path: '/conta/nivel' })
  assertHeading(page, /Por que sou bronze\?/i)
  assert.match(page.text, /Documentos vistos no balcão venceu/)
  area.clock.set(new Date())
})

test('a withdrawn seal is still listed, no longer counts, and the level falls at the next request', async () => {
  const citizen = await area.citizen()
  const item = await give(citizen, { method: 'counter-documents' })
  const { browser, page } = await area.signIn(citizen, { path: '/conta/nivel' })
  assertHeading(page, /prata/i)
  const actor = { kind: 'operator', id: 'op' } as const
  await area.app.foundation.db.transaction((tx) =>
    area.app.rooms.assurance.withdraw(tx, { id: item.id, accountId: citizen.accountId, reason: 'test', actor }),
  )
  const after = await area.open(browser, '/conta/nivel')
  assertHeading(after, /bronze/i)
  assert.match(after.text, /Documentos vistos no balcão retirado/)
})

test('ouro needs no way up', async () => {
  const citizen = await area.citizen()
  await give(citizen, { method: 'attended', livenessClass: 'attended', dualControl: true, location: 'Ganha Tempo' })
  const { browser, page } = await area.signIn(citizen, { path: '/conta/nivel' })
  assertHeading(page, /Por que sou ouro\?/i)
  assert.doesNotMatch(page.text, /Como subir/)
  const home = await area.open(browser, '/conta')
  assert.doesNotMatch(home.text, /Subir o nível/)
})

test('the page speaks the citizen’s language', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  const page = await area.open(browser, '/conta/nivel')
  const english = page.links.find(({ text }) => text === 'English')
  assert.ok(english)
  assertHeading(await browser.get(english.href), /Why am I bronze\?/i)
})
