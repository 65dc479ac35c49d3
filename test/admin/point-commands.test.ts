/** `ponto …`: the register of capture points from a terminal. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createPointCommands, runCommandLine } from '../../src/admin/index.ts'
import { type CaptureScene, openCaptureScene, pointKey } from '../support/capture-scene.ts'

let scene: CaptureScene
before(async () => {
  scene = await openCaptureScene()
})
after(() => scene.close())

async function run(...words: string[]) {
  const [outs, errors]: [string[], string[]] = [[], []]
  const commands = createPointCommands({ points: async () => scene.points, actor: { kind: 'operator', id: 'cli:ana' } })
  const code = await runCommandLine(commands, words, { out: (text) => void outs.push(text), error: (text) => void errors.push(text) })
  return { code, out: outs.join(''), error: errors.join('') }
}

const NEW = ['--unidade', 'cba-centro', '--nome', 'Balcão do Centro', '--aparelho', 'Câmera X', '--mantenedora', 'Mantenedora', '--cliente', 'coletora', '--contrato', 'c1']

test('a point is registered, changed, stopped, taken up again and closed; each step says what is', async () => {
  assert.match((await run('ponto', 'listar')).out, /Nenhum ponto registrado/)
  const added = await run('ponto', 'criar', 'cba-01', ...NEW)
  assert.equal(added.code, 0, added.error)
  assert.match(added.out, /situação: ativo[\s\S]*rostos viram referência: não[\s\S]*chave: nenhuma/)
  assert.match((await run('ponto', 'alterar', 'cba-01', '--vale', 'sim', '--mantenedora', 'Outra')).out, /mantenedora: Outra[\s\S]*referência: sim/)
  assert.match((await run('ponto', 'suspender', 'cba-01')).out, /suspenso/)
  assert.match((await run('ponto', 'reativar', 'cba-01')).out, /ativo/)
  assert.match((await run('ponto', 'listar')).out, /cba-01 +cba-centro +Balcão do Centro +c1 +ativo +não +sim/)
  const closed = JSON.parse((await run('ponto', 'encerrar', 'cba-01', '--json')).out)
  assert.equal(closed.state, 'retired')
  const again = await run('ponto', 'reativar', 'cba-01')
  assert.deepEqual([again.code, /state-forbids|situação|state/.test(again.error)], [1, true])
})

test('the public key comes from a file, and a private one is refused', async () => {
  await run('ponto', 'criar', 'cba-02', ...NEW)
  const { jwk, thumbprint } = await pointKey()
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'mt-point-')), 'key.json')
  writeFileSync(file, JSON.stringify(jwk))
  assert.match((await run('ponto', 'chave', 'cba-02', file)).out, new RegExp(`chave: ${thumbprint}`))
  writeFileSync(file, JSON.stringify({ ...jwk, d: 'AAAA' }))
  assert.equal((await run('ponto', 'chave', 'cba-02', file)).code, 1)
  assert.equal((await run('ponto', 'chave', 'cba-02', `${file}.nao-ha`)).code, 1)
  assert.match((await run('ponto', 'mostrar', 'cba-02')).out, new RegExp(thumbprint))
})

test('what nobody can mean is said at once', async () => {
  for (const words of [['criar', 'Cuiabá 1', ...NEW], ['criar', 'cba-03', ...NEW.slice(2)], ['alterar', 'cba-02'], ['alterar', 'cba-02', '--vale', 'talvez'], ['criar', 'cba-03', ...NEW, '--nome', ' ']]) {
    assert.equal((await run('ponto', ...words)).code, 2, words.join(' '))
  }
  assert.equal((await run('ponto', 'mostrar', 'nao-ha')).code, 1)
})
