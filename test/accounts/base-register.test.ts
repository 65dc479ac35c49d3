import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { ACCOUNTS_PROBLEMS, type BaseRegister, isConsistent, openBaseRegisterFile, parseBirthDate, parseCpf, withDeadline } from '../../src/accounts/index.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { cpfNumber } from './support/room.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-base-register-'))
after(() => rmSync(folder, { recursive: true }))

const CSV = [
  'cpf,name,social_name,birth_date,situation',
  '86288366757,Lucas Gabriel de Oliveira,Luana de Oliveira,2001-09-15,regular',
  '529.982.247-25,"Maria ""Cida"", da Silva",,12/03/1985,regular',
  '98765432100,Benedito Nunes de Arruda,,1931-02-14,falecido',
  '',
].join('\r\n')
const JSON_TEXT = JSON.stringify([
  { cpf: '86288366757', name: 'Lucas Gabriel de Oliveira', social_name: 'Luana de Oliveira', birth_date: '2001-09-15', situation: 'regular' },
  { cpf: '52998224725', name: 'Maria "Cida", da Silva', birth_date: '1985-03-12', situation: 'regular' },
  { cpf: '98765432100', name: 'Benedito Nunes de Arruda', birth_date: '1931-02-14', situation: 'falecido' },
])

function write(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

function cpf(text: string) {
  const parsed = parseCpf(text)
  assert.ok(parsed, text)
  return parsed
}

/** What every base register must do with the three people above in it. */
function baseRegisterContract(label: string, open: () => Promise<BaseRegister & { close?: () => Promise<void> }>): void {
  test(`${label}: finds a person by CPF, with their situation and social name`, async (t) => {
    const register = await open()
    t.after(() => register.close?.())
    assert.deepEqual(await register.find(cpf('52998224725')), { cpf: '52998224725', name: 'Maria "Cida", da Silva', birthDate: '1985-03-12', situation: 'regular' })
    assert.equal((await register.find(cpf('86288366757')))?.socialName, 'Luana de Oliveira')
    assert.equal((await register.find(cpf('98765432100')))?.situation, 'deceased')
  })
  test(`${label}: does not know others`, async (t) => {
    const register = await open()
    t.after(() => register.close?.())
    assert.equal(await register.find(cpf('11144477735')), undefined)
  })
}

baseRegisterContract('CSV file', () => openBaseRegisterFile(write('people.csv', CSV)))
baseRegisterContract('JSON file', () => openBaseRegisterFile(write('people.json', JSON_TEXT)))
baseRegisterContract('with a deadline', async () => withDeadline(await openBaseRegisterFile(write('deadline.json', JSON_TEXT)), 1000))

test('a file with a byte order mark and columns in another order is read', async (t) => {
  const register = await openBaseRegisterFile(write('order.csv', '\uFEFFname,situation,cpf,birth_date,social_name\nAna Souza,regular,16899535009,1999-07-23,\n'))
  t.after(() => register.close())
  assert.equal((await register.find(cpf('16899535009')))?.name, 'Ana Souza')
})

test('a faulty line is named by its number, not by its content', async () => {
  const faulty = write('faulty.csv', `${CSV}\n11144477736,João Batista,,1978-11-02,regular\n`)
  await assert.rejects(openBaseRegisterFile(faulty), (error: Error) => /faulty line 6/.test(error.message) && !error.message.includes('João'))
  await assert.rejects(openBaseRegisterFile(write('columns.csv', 'cpf,nome\n')), /lacks the columns/)
})

test('fifty thousand people in any order are found, with little memory', async (t) => {
  const count = 50_000
  const lines = Array.from({ length: count }, (_, index) => `${cpfNumber((index * 7) % count)},Pessoa Número ${'abcdefghij'[index % 10]},,1980-01-01,regular`)
  const started = performance.now()
  const register = await openBaseRegisterFile(write('large.csv', `cpf,name,social_name,birth_date,situation\n${lines.join('\n')}\n`))
  t.after(() => register.close())
  t.diagnostic(`${count} lines in ${Math.round(performance.now() - started)} ms`)
  assert.equal(register.size, count)
  for (const index of [0, 1, 777, count - 1]) assert.equal((await register.find(cpf(cpfNumber(index))))?.cpf, cpfNumber(index))
})

test('a register that is late or broken refuses, it does not wave through', async () => {
  const late: BaseRegister = { find: () => new Promise((resolve) => setTimeout(resolve, 200, undefined)) }
  const broken: BaseRegister = { find: () => Promise.reject(new Error('down')) }
  for (const register of [late, broken]) {
    await assert.rejects(withDeadline(register, 20).find(cpf('52998224725')), (error) => isProblem(error, ACCOUNTS_PROBLEMS.registerUnavailable))
  }
})

test('name and birth date must both be that person’s; the social name counts', () => {
  const birthDate = parseBirthDate('2001-09-15', new Date())
  const other = parseBirthDate('2001-09-16', new Date())
  assert.ok(birthDate && other)
  const record = { cpf: cpf('86288366757'), name: 'Lucas Gabriel de Oliveira', socialName: 'Luana de Oliveira', birthDate, situation: 'regular' } as const
  assert.ok(isConsistent(record, { name: 'LUCAS GABRIEL OLIVEIRA', birthDate }))
  assert.ok(isConsistent(record, { name: 'luana de oliveira', birthDate }))
  assert.equal(isConsistent(record, { name: 'Lucas Gabriel de Oliveira', birthDate: other }), false)
  assert.equal(isConsistent(record, { name: 'Lucas de Oliveira', birthDate }), false)
})
