import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { agree, begin, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { CITIZEN, codeIn, linkIn, openScene, type Scene } from '../support/sign-in-scene.ts'

const JOAO = {
  cpf: '111.444.777-35',
  name: 'João Batista Pereira',
  birthDate: '02/11/1978',
  email: 'joao@example.org',
  password: 'capivara-rio-cuiaba-92',
}

let scene: Scene
let rp: TestRelyingParty

before(async () => {
  scene = await openScene()
  rp = await scene.relyingParty()
})
after(() => scene.close())

async function openForm(): Promise<Journey> {
  const journey = await begin(rp)
  const link = journey.page.links.find(({ text }) => text === 'Criar conta')
  assert.ok(link, journey.page.text)
  return { ...journey, page: await journey.browser.get(link.href) }
}

const register = async (journey: Journey, form: object): Promise<Journey> => ({
  ...journey,
  page: await journey.browser.submit(journey.page, { ...form }, { action: '/cadastro' }),
})

const fieldsOf = (page: Page) => page.forms.find(({ action }) => action.pathname.endsWith('/cadastro'))?.fields

test('a citizen registers, confirms the e-mail, agrees and is back in the portal at bronze', async () => {
  const journey = await register(await openForm(), CITIZEN)
  assert.match(journey.page.text, /Mandamos um código de 6 números para ma\*\*\*@example\.org/)
  const code = codeIn(scene.mailsTo(CITIZEN.email).at(-1))
  const consent = await journey.browser.submit(journey.page, { code }, { action: '/confirmar' })
  assert.match(consent.text, /Portal de Teste quer usar estes dados seus/)
  const claims = (await redeem(await agree({ ...journey, page: consent }))).claims()
  assert.equal(claims?.['acr'], 'urn:mt-login:nivel:bronze')
  assert.deepEqual(claims?.['amr'], ['pwd'])
})

test('every wrong field is named at once, what was typed stays, and never the password', async () => {
  const wrong = {
    cpf: '529.982.247-26',
    name: 'Maria',
    birthDate: '31/02/1985',
    email: 'maria.example.org',
    password: 'uma-senha-qualquer',
  }
  const { page } = await register(await openForm(), wrong)
  assert.equal(page.status, 422)
  for (const text of ['O CPF não confere', 'o nome e o sobrenome', 'dia, mês e ano', 'nome@exemplo.com'])
    assert.ok(page.text.includes(text), text)
  const fields = fieldsOf(page)
  assert.deepEqual(
    ['cpf', 'name', 'birthDate', 'email'].map((name) => fields?.get(name)?.[0]),
    [wrong.cpf, wrong.name, wrong.birthDate, wrong.email],
  )
  assert.ok(!page.html.includes(wrong.password))
})

test('a weak password is refused with advice after the data are found right', async () => {
  for (const [password, advice] of [
    ['joao', 'A senha é curta'],
    ['Joao Batista Pereira', 'não pode ter seu nome'],
    ['12345678', 'muito usada'],
  ] as const) {
    const { page } = await register(await openForm(), { ...JOAO, email: 'fraca@example.org', password })
    assert.equal(page.status, 422)
    assert.ok(page.text.includes(advice), `${password}: ${page.text.slice(0, 500)}`)
  }
})

test('data of two people are refused alike whichever part is wrong, with the counter as the other way', async () => {
  const mine = { ...JOAO, email: 'diferente@example.org' }
  const asked = [
    { ...mine, name: 'João Pereira da Silva' },
    { ...mine, birthDate: '03/11/1978' },
    { ...mine, cpf: '168.995.350-09' },
  ]
  const pages = await Promise.all(asked.map(async (form) => (await register(await openForm(), form)).page))
  for (const page of pages) {
    assert.equal(page.status, 422)
    assert.match(page.text, /Os dados não batem com o cadastro desse CPF.*balcão do Ganha Tempo/)
  }
})

test('a CPF of somebody deceased gets no account and is sent to the counter', async () => {
  const dead = { ...JOAO, email: 'falecido@example.org', cpf: '987.654.321-00', name: 'Benedito Nunes de Arruda', birthDate: '14/02/1931' }
  const { page } = await register(await openForm(), dead)
  assert.match(page.text, /Não é possível criar uma conta pela internet com esse CPF/)
})

test('a CPF that has an account sees the same page, its owner is told, and no code works', async () => {
  const taken = { ...CITIZEN, email: 'golpista@example.org' }
  const before = scene.mailsTo(CITIZEN.email).length
  const journey = await register(await openForm(), taken)
  assert.match(journey.page.text, /Mandamos um código de 6 números para go\*\*\*@example\.org/)
  assert.equal(scene.mailsTo('golpista@example.org').length, 0)
  assert.equal(scene.mailsTo(CITIZEN.email).length, before + 1)
  const page = await journey.browser.submit(journey.page, { code: '000000' }, { action: '/confirmar' })
  assert.equal(page.status, 422)
})

test('a wrong code says so and a new one replaces it', async () => {
  const journey = await register(await openForm(), { ...JOAO, email: 'outro@example.org' })
  const first = codeIn(scene.mailsTo('outro@example.org').at(-1))
  const wrong = await journey.browser.submit(journey.page, { code: first === '123456' ? '654321' : '123456' }, { action: '/confirmar' })
  assert.match(wrong.text, /O código não confere/)
  const resent = await journey.browser.submit(wrong, {}, { action: '/reenviar' })
  assert.match(resent.text, /Mandamos outro código/)
  assert.equal(scene.mailsTo('outro@example.org').length, 2)
  const old = await journey.browser.submit(resent, { code: first }, { action: '/confirmar' })
  assert.equal(old.status, 422)
})

test('going back to change the e-mail keeps what was typed', async () => {
  const journey = await register(await openForm(), { ...JOAO, email: 'errado@example.org' })
  const form = await journey.browser.submit(journey.page, {}, { action: '/recomecar' })
  assert.equal(fieldsOf(form)?.get('name')?.[0], JOAO.name)
  assert.equal(fieldsOf(form)?.get('password')?.[0], '')
})

test('the link of the mail confirms on another device, and here the new password signs in', async () => {
  const journey = await register(await openForm(), JOAO)
  const phone: BrowserClient = newBrowser()
  const page = await phone.get(linkIn(scene.mailsTo(JOAO.email).at(-1)))
  assert.equal((await scene.events('accounts/registered')).length, 1, 'looking at a link confirms nothing')
  const done = await phone.submit(page, {})
  assert.match(done.text, /Sua conta está pronta/)
  assert.equal((await phone.submit(page, {})).status, 410, 'a link works once')
  const login = await journey.browser.submit(journey.page, {}, { action: '/ja-confirmei' })
  assert.equal(login.forms[0]?.fields.get('cpf')?.[0], JOAO.cpf)
  const tokens = await redeem(await agree(await typePassword({ ...journey, page: login }, JOAO)))
  assert.ok(tokens.access_token)
})

test('an interaction opened by another browser is a page that says where to go', async () => {
  const { page: form } = await openForm()
  const thief = newBrowser()
  const page = await thief.get(form.url.href.replace('/cadastro', ''))
  assert.equal(page.status, 410)
  assert.match(page.text, /Esta página não está mais aberta/)
})
