import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommandLine } from '../../src/admin/cli.ts'
import { type Command, UsageError } from '../../src/admin/command.ts'
import { Problem } from '../../src/platform/problem.ts'

const REFUSED = { code: 'admin/account-unknown', status: 404, title: 'Não há conta' } as const

const COMMANDS: readonly Command[] = [
  {
    words: 'barco criar',
    summary: 'Cria um barco',
    notes: 'Uma nota longa.',
    positionals: ['NOME'],
    flags: { cor: { type: 'string', about: 'cor do casco', required: true }, motor: { type: 'boolean', about: 'com motor' }, porto: { type: 'string', about: 'porto', multiple: true } },
    run: async ({ text, texts, is, positionals }) => {
      const json = { name: positionals[0], colour: text('cor'), ports: texts('porto'), engine: is('motor') }
      return { text: 'criado', json }
    },
  },
  { words: 'barco afundar', summary: 'Afunda', run: async () => ({ text: 'furado', json: { leak: true }, exitCode: 1 }) },
  { words: 'barco perder', summary: 'Perde', run: () => Promise.reject(new Problem(REFUSED, { detail: 'sumiu' })) },
  { words: 'barco errar', summary: 'Erra', run: () => Promise.reject(new UsageError('assim não')) },
  { words: 'barco quebrar', summary: 'Quebra', run: () => Promise.reject(new Error('motor fundido')) },
  { words: 'saude', summary: 'Saúde', run: async () => ({ text: 'ok', json: {} }) },
]

async function type(...words: string[]) {
  let out = ''
  let error = ''
  const code = await runCommandLine(COMMANDS, words, { out: (text) => (out += text), error: (text) => (error += text) })
  return { code, out, error }
}

test('a command gets its positionals, texts, repeated texts and switches', async () => {
  const { code, out } = await type('barco', 'criar', 'Tuiuiú', '--cor', 'azul', '--porto', 'a', '--porto', 'b', '--motor', '--json')
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(out), { name: 'Tuiuiú', colour: 'azul', ports: ['a', 'b'], engine: true })
})

test('without --json the answer is for people, one line end at its end', async () => {
  assert.deepEqual(await type('barco', 'criar', 'x', '--cor=azul'), { code: 0, out: 'criado\n', error: '' })
})

test('what was found wrong exits with 1 and is printed all the same', async () => {
  assert.deepEqual(await type('barco', 'afundar', '--json'), { code: 1, out: '{"leak":true}\n', error: '' })
})

test('nothing, ajuda and --help explain all commands', async () => {
  for (const words of [[], ['ajuda'], ['--help'], ['-h']]) {
    const { code, out } = await type(...words)
    assert.equal(code, 0)
    for (const command of COMMANDS) assert.ok(out.includes(command.words), command.words)
  }
})

test('an unknown command exits with 2 and shows the commands of its group', async () => {
  const { code, out, error } = await type('barco', 'voar')
  assert.deepEqual({ code, out }, { code: 2, out: '' })
  assert.match(error, /Comando desconhecido: barco voar/)
  assert.match(error, /barco criar/)
  assert.doesNotMatch(error, /saude/)
  assert.match((await type('avião')).error, /saude/)
})

test('--help of a command shows usage, notes and every flag, and runs nothing', async () => {
  const { code, out } = await type('barco', 'perder', '--help')
  assert.equal(code, 0)
  assert.match(out, /--json/)
  const { out: create } = await type('barco', 'criar', '-h')
  for (const expected of [/barco criar NOME/, /Uma nota longa/, /--cor TEXTO.*obrigatória/, /--porto.*pode repetir/]) assert.match(create, expected)
})

test('what was typed wrong exits with 2, says what, and shows how it goes', async () => {
  const cases = [
    [['barco', 'criar', 'x'], /Falta a opção --cor/],
    [['barco', 'criar', '--cor', 'azul'], /Falta NOME/],
    [['barco', 'criar', 'x', 'y', '--cor', 'azul'], /Sobrou: y/],
    [['barco', 'criar', 'x', '--vela'], /--vela/],
    [['barco', 'errar'], /assim não/],
  ] as const
  for (const [words, expected] of cases) {
    const { code, out, error } = await type(...words)
    assert.deepEqual({ code, out }, { code: 2, out: '' }, words.join(' '))
    assert.match(error, expected)
    assert.match(error, /Uso:/)
  }
})

test('a refusal exits with 1 and tells its code, for programs too', async () => {
  const { code, out, error } = await type('barco', 'perder', '--json')
  assert.equal(code, 1)
  assert.equal(error, 'Não há conta: sumiu [admin/account-unknown]\n')
  assert.deepEqual(JSON.parse(out), { error: 'admin/account-unknown', title: 'Não há conta', detail: 'sumiu' })
})

test('a defect exits with 1 without a stack', async () => {
  const { code, error } = await type('barco', 'quebrar')
  assert.equal(code, 1)
  assert.equal(error, 'motor fundido [admin/unexpected]\n')
})
