import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAgencyCommands, runCommandLine } from '../../src/admin/index.ts'
import { createQuotas } from '../../src/biometrics/index.ts'
import { createOidc } from '../../src/oidc/index.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { movableClock } from '../support/clock.ts'
import { openPgliteTestDatabase } from '../support/database.ts'

const GRANT = ['--escopo', 'biometria.validar', '--finalidade', 'habilitacao|lgpd-11-ii-g|Renovação da carteira', '--retorno', 'https://detran.example/volta']

test('an operator grants, sees the use, and takes away; each change is audited', async (t) => {
  const clock = movableClock()
  const db = await openPgliteTestDatabase()
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(Buffer.alloc(32, 5)), dataDir: 'memory' })
  const events: string[] = []
  const record = async (_: unknown, { type, data }: { type: string; data: object }) => void events.push(`${type} ${JSON.stringify(data)}`)
  const oidc = await createOidc({
    settings: { issuer: 'http://127.0.0.1:9', keyRotationDays: 90, trustedProxies: [], accessTokenSeconds: 300, idTokenSeconds: 300, refreshTokenSeconds: 600, sessionIdleSeconds: 600, sessionAbsoluteSeconds: 600 },
    platform: { db, clock, keyring, log: { error: () => {} } },
    audit: { record } as never,
    ports: {} as never,
    html: () => '',
  })
  t.after(async () => {
    await oidc.close()
    await keyring.close()
    await db.close()
  })
  const actor = { kind: 'operator', id: 'cli:test' } as const
  await oidc.clients.create({ id: 'detran', metadata: { client_name: 'DETRAN', grant_types: ['client_credentials'], response_types: [] }, actor })
  const quotas = createQuotas({ db, clock })
  const commands = createAgencyCommands({ oidc: async () => oidc, quotas: async () => quotas, actor })
  const type = async (...words: string[]) => {
    const [out, error]: [string[], string[]] = [[], []]
    const code = await runCommandLine(commands, words, { out: (text) => void out.push(text), error: (text) => void error.push(text) })
    return { code, out: out.join(''), error: error.join('') }
  }

  assert.match((await type('biometria', 'uso')).out, /Nenhum cliente usa a API/)
  const granted = await type('biometria', 'conceder', 'detran', ...GRANT, '--por-mes', '100', '--json')
  assert.equal(granted.code, 0, granted.error)
  assert.deepEqual(JSON.parse(granted.out).agency, {
    scopes: ['biometria.validar'], purposes: [{ code: 'habilitacao', name: 'Renovação da carteira', legalBasis: 'lgpd-11-ii-g' }],
    scores: false, perMinute: 60, perMonth: 100, returnUris: ['https://detran.example/volta'],
  })
  assert.ok(events.some((event) => event.startsWith('oidc/client-changed') && event.includes('agency')))
  assert.match((await type('biometria', 'clientes', 'detran')).out, /biometria\.validar/)

  const ctx = { append: () => {} } as never
  const client = { id: 'detran', name: 'DETRAN', isBound: false, policy: JSON.parse(granted.out).agency }
  for (let calls = 0; calls < 3; calls += 1) await quotas.claimWork(ctx, client, 'validacoes')
  const use = await type('biometria', 'uso')
  assert.match(use.out, /detran +DETRAN +3 +100 +validacoes 3/)
  assert.match((await type('biometria', 'uso', '--mes', '2020-01')).out, /detran +DETRAN +0 +100/)

  assert.equal((await type('biometria', 'retirar', 'detran')).code, 0)
  assert.equal((await oidc.clients.find('detran'))?.policy.agency, undefined)
  assert.match((await type('biometria', 'uso')).out, /3 +retirada/)
  for (const wrong of [['biometria', 'conceder', 'detran', '--escopo', 'tudo', '--finalidade', 'x|lgpd-11-i|Uma coisa'], ['biometria', 'conceder', 'detran', '--escopo', 'biometria.validar', '--finalidade', 'x|y|Uma coisa'], ['biometria', 'conceder', 'ninguem', ...GRANT]]) {
    assert.equal((await type(...wrong)).code, 1, wrong.join(' '))
  }
  assert.equal((await type('biometria', 'conceder', 'detran', '--escopo', 'biometria.validar', '--finalidade', 'so-codigo')).code, 2)
  assert.equal((await type('biometria', 'uso', '--mes', 'novembro')).code, 2)
})
