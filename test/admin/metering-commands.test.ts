/** `medicao …`, and `auditoria verificar`, which looks at the metering too. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createAuditCommands, createMeteringCommands, faultsOutcome, runCommandLine } from '../../src/admin/index.ts'
import { statementCsv } from '../../src/admin/points/statement-rows.ts'
import { createMetering, type Metering } from '../../src/biometrics/index.ts'
import { type CaptureScene, openCaptureScene, OPERATOR } from '../support/capture-scene.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-metering-'))
const PLAN = { kind: 'per-process', processCents: 1_275, hours: { weekdays: [1], opens: '08:00', closes: '17:00' } }

let scene: CaptureScene
let metering: Metering
before(async () => {
  scene = await openCaptureScene()
  metering = createMetering(scene)
  await scene.point('p1')
  await scene.capture(scene.client('coletora'), [{ tipo: 'assinatura', bytes: await scene.picture(300, 100) }])
  await scene.audit.seal()
})
after(() => scene.close())

async function run(...words: string[]) {
  const [outs, errors]: [string[], string[]] = [[], []]
  const commands = [
    ...createMeteringCommands({ metering: async () => metering, actor: OPERATOR }),
    ...createAuditCommands(async () => scene.audit, [async () => faultsOutcome(await metering.verify())]),
  ]
  const code = await runCommandLine(commands, words, { out: (text) => void outs.push(text), error: (text) => void errors.push(text) })
  return { code, out: outs.join(''), error: errors.join('') }
}

test('plan, statement with its table, and closing', async () => {
  const file = path.join(folder, 'plan.json')
  writeFileSync(file, JSON.stringify(PLAN))
  assert.equal((await run('medicao', 'extrato', 'contrato-1', '2026-11')).code, 1)
  assert.equal((await run('medicao', 'plano', 'contrato-1', '2026-11', file)).code, 0)
  const csv = path.join(folder, 'extrato.csv')
  const shown = await run('medicao', 'extrato', 'contrato-1', '2026-11', '--csv', csv)
  assert.match(shown.out, /p1 +1 +0 +0 +0 +0 +1 +R\$\s12,75[\s\S]*total: R\$\s12,75[\s\S]*aberto/)
  assert.match(readFileSync(csv, 'utf8'), /\r\np1,cba-centro,Balcão do Centro,1,0,0,0,0,0,0,1,1275,\d+,0\r\n/)
  assert.equal((await run('medicao', 'fechar', 'contrato-1', '2026-11')).code, 1)
  scene.clock.set(new Date('2026-12-02T12:00:00Z'))
  assert.match((await run('medicao', 'fechar', 'contrato-1', '2026-11')).out, /fechado em 2026-12-02/)
  assert.equal((await run('medicao', 'extrato', 'contrato-1', '2026-99')).code, 2)
  writeFileSync(file, '{}')
  assert.equal((await run('medicao', 'plano', 'contrato-1', '2027-01', file)).code, 1)
})

test('the audit check finds a statement that was edited in the database', async () => {
  await scene.audit.seal()
  const sound = await run('auditoria', 'verificar')
  assert.equal(sound.code, 0, sound.out)
  assert.match(sound.out, /Íntegro: \d+ linhas[\s\S]*Medição íntegra/)
  await scene.db.execute('ALTER TABLE metering_statement DISABLE TRIGGER USER')
  await scene.db.execute(`UPDATE metering_statement SET body = replace(body, '"totalCents":1275', '"totalCents":275')`)
  for (const words of [['auditoria', 'verificar'], ['medicao', 'verificar']]) {
    const found = await run(...words)
    assert.equal(found.code, 1)
    assert.match(found.out, /MEDIÇÃO ADULTERADA:\n {2}extrato fechado diferente do registrado: contrato-1 2026-11\n {2}extrato fechado que não soma/)
  }
  assert.equal(JSON.parse((await run('auditoria', 'verificar', '--json')).out).further[0].ok, false)
})

test('a title that a spreadsheet would run is text, and commas stay in their cell', async () => {
  await scene.points.change('p1', { title: '=SOMA(A1), "x"' }, OPERATOR)
  scene.clock.set(new Date('2026-12-03T12:00:00Z'))
  const csv = statementCsv((await metering.statement('contrato-1', '2026-12')).statement)
  assert.match(csv, /p1,cba-centro,"'=SOMA\(A1\), ""x""",0/)
})
