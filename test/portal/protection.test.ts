/** Every page and every form of the area against whoever has no business there. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openArea, type TestArea, typePassword } from './support/area.ts'
import { AREA_PAGES, CODE_PAGES } from './support/pages.ts'

const PAGES: readonly string[] = [...AREA_PAGES, ...CODE_PAGES]
const ID = '7f3b1f4e-1c5e-4a55-9f6a-0d2b6a6f1a11'
/** Two loops add a form for each of these. */
const DRAFT_MODES = ['nova', 'pedir', 'repassar']
const DRAFT_STEPS = ['quem', 'poderes', 'prazo', 'resumo']
const MANDATE_ACTIONS = ['aceitar', 'recusar', 'renunciar', 'assinar', 'parar', 'liberar', 'cancelar', 'nao-fui-eu']
const CERTIFICATE_CHANGES = ['parar', 'liberar', 'revogar']
const SIGNING_FORMS: readonly (readonly [form: string, fields: Record<string, string>])[] = [
  ...['documentos', `documentos/${ID}/remover`, 'pessoas', 'pessoas/eu', `pessoas/${ID}/remover`, 'prazo', 'enviar', 'cancelar', 'recusar'].map((form) => [form, {}] as const),
  ['assinar', { carimbo: 'sim' }],
  ['nivel', {}],
  [`assinando/${ID}`, {}],
  ['confirmar', { prova: 'rosto' }],
]
const FORMS: readonly (readonly [path: string, fields: Record<string, string>])[] = [
  ['/conta/dados/email', { value: 'x@example.org' }],
  ['/conta/dados/email/codigo', { code: '123456' }],
  ['/conta/dados/telefone', { value: '65998712346' }],
  ['/conta/dados/telefone/codigo', { code: '123456' }],
  ['/conta/dados/telefone/retirar', {}],
  ['/conta/nivel/certificado', {}],
  ['/conta/nivel/certificado/remover', {}],
  ['/conta/seguranca/senha', { current: 'x', password: 'y' }],
  ['/conta/seguranca/aplicativo', { code: '123456' }],
  ['/conta/seguranca/aplicativo/remover', {}],
  ['/conta/seguranca/chaves', { label: 'x', ceremony: 'x', credential: '{}' }],
  ['/conta/seguranca/chaves/opcoes', {}],
  [`/conta/seguranca/chaves/${ID}/remover`, {}],
  ['/conta/seguranca/codigos', {}],
  ['/conta/seguranca/certificado', {}],
  [`/conta/seguranca/certificado/${ID}/remover`, {}],
  ['/conta/aparelhos/sair', { session: 'x' }],
  ['/conta/aparelhos/sair-dos-outros', {}],
  ['/conta/aparelhos/esquecer', { device: ID }],
  ['/conta/encerrar', { word: 'ENCERRAR' }],
  ['/conta/sistemas/retirar', { client: 'x' }],
  ['/conta/nao-fui-eu', {}],
  ...DRAFT_MODES.flatMap((mode) => DRAFT_STEPS.map((step) => [`/conta/procuracoes/${mode}/${step}`, {}] as const)),
  ...MANDATE_ACTIONS.map((action) => [`/conta/procuracoes/${ID}/${action}`, {}] as const),
  ...['concordar', 'recusar', 'desistir'].map((action) => [`/conta/procuracoes/pedidos/${ID}/${action}`, {}] as const),
  ['/conta/procuracoes/pedidos/desbloquear', {}],
  ['/conta/procuracoes/nova/juntos', { modo: 'sozinha' }],
  ['/conta/procuracoes/nova/juntos/pessoa', {}],
  ['/conta/procuracoes/nova/juntos/retirar', {}],
  [`/conta/procuracoes/assinatura/${ID}`, { prova: 'rosto' }],
  [`/conta/procuracoes/atos/${ID}/aprovar`, {}],
  [`/conta/procuracoes/atos/${ID}/recusar`, {}],
  ['/conta/certificados/novo', { prova: 'rosto' }],
  [`/conta/certificados/novo/${ID}`, { password: 'x', again: 'x' }],
  ...CERTIFICATE_CHANGES.map((change) => [`/conta/certificados/${ID}/${change}`, {}] as const),
  ['/conta/assinaturas/nova', {}],
  ...SIGNING_FORMS.map(([form, fields]) => [`/conta/assinaturas/${ID}/${form}`, fields] as const),
  [`/conta/autorizar/${ID}`, { prova: 'rosto' }],
  ...['permitir', 'negar', 'pronto'].map((form) => [`/conta/autorizar/${ID}/${form}`, {}] as const),
  ['/conta/sair', {}],
]

/** Each leads to the step that is next. */
const DRAFT_PAGES = ['/conta/procuracoes/nova/juntos', ...DRAFT_MODES.flatMap((mode) => DRAFT_STEPS.map((step) => `/conta/procuracoes/${mode}/${step}`))]

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

test('every page and form that the routes know is in these lists', async () => {
  const { globSync, readFileSync } = await import('node:fs')
  const text = globSync('src/portal/**/*.routes.ts')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  // contact.routes.ts adds its two for e-mail and for phone, grant.routes.ts, mandate.routes.ts and certificates.routes.ts each of theirs by one line.
  const byLoops = 2 + (DRAFT_MODES.length * DRAFT_STEPS.length - 1) + (MANDATE_ACTIONS.length - 1) + (CERTIFICATE_CHANGES.length - 1)
  assert.equal([...text.matchAll(/router\.post\(/g)].length, FORMS.length - byLoops)
})

test('a stranger gets no page of the area', async () => {
  for (const path of PAGES) {
    const response = await area.browser().fetch(`${area.url}${path}`)
    assert.equal(response.status, 303, path)
    assert.match(response.headers.get('Location') ?? '', /^\/conta\/entrar\?para=\/conta\//, path)
  }
})

test('a stranger’s forms, even with a token of their own, change nothing and lead to the sign-in', async () => {
  const browser = area.browser()
  const page = await area.open(browser, '/recuperar')
  const csrf = page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  for (const [path, fields] of FORMS) {
    if (path === '/conta/sair') continue
    const response = await browser.fetch(`${area.url}${path}`, { method: 'POST', body: new URLSearchParams({ ...fields, _csrf: csrf }) })
    assert.equal(response.status, 303, path)
    const location = response.headers.get('Location') ?? ''
    assert.match(location, /^\/conta\/entrar\?para=\/conta\//, path)
    assert.ok([...PAGES, ...DRAFT_PAGES, `/conta/certificados/novo/${ID}`, `/conta/procuracoes/assinatura/${ID}`, `/conta/autorizar/${ID}`, `/conta/assinaturas/${ID}/assinando/${ID}`].includes(location.slice('/conta/entrar?para='.length)), `${path} comes back to a page: ${location}`)
  }
})

test('no form works without its token, with another browser’s token, or from another site', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  const token = (await area.open(browser, '/conta')).forms[0]?.fields.get('_csrf')?.[0] ?? ''
  const foreign = (await area.open(area.browser(), '/recuperar')).forms[0]?.fields.get('_csrf')?.[0] ?? ''
  assert.ok(token && foreign)
  const before = await area.app.foundation.db.query('SELECT count(*) AS n FROM audit_event')
  for (const [path, fields] of FORMS) {
    const post = async (csrf: string | undefined, headers: Record<string, string> = {}) => {
      const body = new URLSearchParams({ ...fields, ...(csrf !== undefined && { _csrf: csrf }) })
      return (await browser.fetch(`${area.url}${path}`, { method: 'POST', body, headers })).status
    }
    assert.equal(await post(undefined), 403, `${path} without a token`)
    assert.equal(await post(foreign), 403, `${path} with another's token`)
    assert.equal(await post(token, { Origin: 'https://evil.example' }), 403, `${path} from another origin`)
    assert.equal(await post(token, { 'Sec-Fetch-Site': 'cross-site' }), 403, `${path} from another site`)
  }
  assert.deepEqual(await area.app.foundation.db.query('SELECT count(*) AS n FROM audit_event'), before)
  assert.equal((await area.open(browser, '/conta/dados')).url.pathname, '/conta/dados', 'still signed in')
})

test('unknown fields and unknown query members are refused', async () => {
  const { browser } = await area.signIn(await area.citizen())
  assert.equal((await browser.fetch(`${area.url}/conta/dados?feito=hackeado`)).status, 400)
  assert.equal((await browser.fetch(`${area.url}/conta/nivel?nome=x`)).status, 400)
  const token = (await area.open(browser, '/conta')).forms[0]?.fields.get('_csrf')?.[0] ?? ''
  const body = new URLSearchParams({ _csrf: token, session: 'x', account: 'y' })
  assert.equal((await browser.fetch(`${area.url}/conta/aparelhos/sair`, { method: 'POST', body })).status, 422)
})

test('every form of the area works without scripts: each is on a page, with its fields and a button', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  for (const path of PAGES) {
    let page = await area.open(browser, path)
    if (page.url.pathname.startsWith('/interacao/')) page = await typePassword(browser, page, citizen.cpf)
    for (const form of page.forms) {
      if (form.method !== 'POST') continue
      assert.ok(form.fields.has('_csrf'), `${path}: ${form.action.pathname} has its token`)
      assert.ok(form.buttons.length > 0 || form.action.pathname === '/conta/sair', `${path}: ${form.action.pathname} has a button`)
      assert.equal(form.action.origin, area.url)
    }
  }
})
