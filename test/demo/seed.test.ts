import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { DEMO_CITIZENS } from '../../src/app/demo-seed.ts'
import { loadConfig } from '../../src/platform/config.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { seededFolder } from '../support/seeded-folder.ts'

let folder: string

before(async () => {
  folder = await seededFolder(async (dataDir) => (await startTestApp({ dataDir })).stop())
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** How much there is of everything that a start might seed. */
async function census({ foundation: { db } }: TestApp): Promise<unknown> {
  const count = async (table: string) => (await db.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n
  const tables = ['person', 'account', 'contact', 'evidence', 'stored_image', 'oidc_client']
  return Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await count(table)])))
}

test('a further start keeps everything, adds nothing, and its portal still works, on whatever port', async () => {
  const first = await startTestApp({ dataDir: folder })
  const before = await census(first)
  const secret = first.demo?.clientSecret
  await first.stop()
  const second = await startTestApp({ dataDir: folder })
  try {
    assert.deepEqual(await census(second), before)
    assert.equal(second.demo?.clientSecret, secret)
    const browser = new BrowserClient()
    const login = await browser.get(`${second.demo?.portalUrl}/entrar`)
    const [maria] = DEMO_CITIZENS
    const asked = await browser.submit(login, { cpf: maria?.cpf ?? '', password: maria?.password ?? '' }, { action: '/entrar' })
    const page = await browser.submit(asked, {}, { button: 'Autorizar' })
    assert.match(page.text, /Olá, Maria/)
  } finally {
    await second.stop()
  }
})

suite('what a first start leaves', () => {
  let app: TestApp
  before(async () => {
    app = await startTestApp({ dataDir: folder })
  })
  after(() => app.stop())

  test('Joana has a reference face, Maria has none, and both are bronze', async () => {
    const { accounts, images, faces, assurance } = app.rooms
    const found = await Promise.all(
      (await app.foundation.db.query<{ id: string }>('SELECT id FROM account ORDER BY created_at')).map(async ({ id }) => {
        const { personId, citizen } = await accounts.get(id)
        const hasFace = (await images.findReference(personId, faces.rule.modelId)) !== undefined
        return [citizen.reveal().name, hasFace, await assurance.levelOf(id)]
      }),
    )
    assert.deepEqual(found.slice(0, 2), [
      ['Maria Aparecida da Silva', false, 'bronze'],
      ['Joana Batista Pereira', true, 'bronze'],
    ])
  })

  test('the counter has a unit with an attendant, a supervisor at ouro and a manager', async () => {
    const { staff } = app.rooms
    const [unit] = await staff.listUnits()
    assert.equal(unit?.name, 'Balcão de demonstração')
    const roles = (await staff.listIn(unit?.id ?? '')).map(({ role, state }) => `${role} ${state}`).sort()
    assert.deepEqual(roles, ['attendant live', 'supervisor live', 'unit-manager live'])
  })
})

test('the demonstration runs on this machine only, unless an operator insists', () => {
  const demo = { DEMO: 'true', DATA_DIR: folder }
  assert.throws(() => loadConfig({ ...demo, PUBLIC_URL: 'https://login.mt.gov.br' }), /DEMO/)
  assert.throws(() => loadConfig({ ...demo, HOST: '0.0.0.0', PUBLIC_URL: 'https://10.0.0.5' }), /DEMO/)
  assert.equal(loadConfig({ ...demo, PUBLIC_URL: 'http://localhost:3000' }).demo.enabled, true)
  assert.equal(loadConfig({ ...demo, DEMO: 'force', PUBLIC_URL: 'https://homologa.example.org' }).demo.enabled, true)
})
