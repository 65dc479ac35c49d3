import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  formatCnpj, formatCpf, formatMobilePhone, isNumericCnpj, isSameName, maskCpf, maskEmailAddress, maskMobilePhone, parseBirthDate, parseCnpj, parseCpf,
  parseEmailAddress, parseMobilePhone, parsePersonName,
} from '../../src/accounts/index.ts'
import { cpfNumber } from './support/room.ts'

const NOW = new Date('2026-11-22T12:00:00Z')

describe('CPF', () => {
  for (const text of ['529.982.247-25', '52998224725', ' 529 982 247 25 ', '111.444.777-35', '16899535009', '12345678909']) {
    test(`${text} is one`, () => assert.match(parseCpf(text) ?? '', /^\d{11}$/))
  }
  for (const text of ['', '529.982.247-24', '529.982.247-15', '5299822472', '529982247255', '111.111.111-11', '00000000000', '5299822472X', '529_982_247_25', '٥٢٩٩٨٢٢٤٧٢٥']) {
    test(`"${text}" is none`, () => assert.equal(parseCpf(text), undefined))
  }
  test('changing any one digit is noticed', () => {
    for (let index = 0; index < 200; index += 1) {
      const cpf = cpfNumber(index)
      assert.ok(parseCpf(cpf), cpf)
      const place = index % 11
      const other = cpf.slice(0, place) + ((Number(cpf[place]) + 1) % 10) + cpf.slice(place + 1)
      assert.equal(parseCpf(other), undefined, other)
    }
  })
  test('is shown whole or with its ends hidden', () => {
    const cpf = parseCpf('52998224725')
    assert.ok(cpf)
    assert.equal(formatCpf(cpf), '529.982.247-25')
    assert.equal(maskCpf(cpf), '***.982.247-**')
  })
})

describe('CNPJ', () => {
  for (const text of ['12.ABC.345/01DE-35', '12abc34501de35', '11.222.333/0001-81', '00.000.000/0001-91']) {
    test(`${text} is one`, () => assert.match(parseCnpj(text) ?? '', /^[A-Z0-9]{12}\d{2}$/))
  }
  for (const text of ['12.ABC.345/01DE-36', '12.ABC.345/01DE-53', '11.222.333/0001-82', '11111111111111', '12ABC34501DEAB', '12ÁBC34501DE35', '']) {
    test(`"${text}" is none`, () => assert.equal(parseCnpj(text), undefined))
  }
  test('says whether old systems can take it', () => {
    const [old, young] = [parseCnpj('11222333000181'), parseCnpj('12ABC34501DE35')]
    assert.ok(old && young)
    assert.deepEqual([isNumericCnpj(old), isNumericCnpj(young)], [true, false])
    assert.equal(formatCnpj(young), '12.ABC.345/01DE-35')
  })
})

describe('names', () => {
  const same = [
    ['Maria Aparecida da Silva', 'MARIA APARECIDA DA SILVA'], ['João Batista Pereira', 'joao  batista   pereira'],
    ["Joana D'Arc dos Santos", 'Joana DArc Santos'], ['Ana-Clara Souza', 'Ana Clara Souza'], ['José Antônio', 'Jose\u0301 Anto\u0302nio'],
  ] as const
  for (const [one, other] of same) test(`"${one}" and "${other}" are the same`, () => assert.ok(isSameName(one, other)))
  const different = [['Maria Silva', 'Maria Souza'], ['Maria Aparecida da Silva', 'Maria Silva'], ['', ''], ['da de', 'do dos'], ['M. Silva', 'Maria Silva']] as const
  for (const [one, other] of different) test(`"${one}" and "${other}" are not`, () => assert.equal(isSameName(one, other), false))
  test('a full name has two words and letters', () => {
    assert.equal(parsePersonName('  Ana   Souza '), 'Ana Souza')
    for (const text of ['Ana', '', 'Ana 123', '<b>Ana</b> Souza', 'A\u0000 B', 'x'.repeat(201)]) assert.equal(parsePersonName(text), undefined, text)
  })
})

test('birth dates are days that exist, however they are typed', () => {
  for (const text of ['12/03/1985', '12031985', '1985-03-12', '12.3.1985', ' 12-03-1985 ']) assert.equal(parseBirthDate(text, NOW), '1985-03-12', text)
  for (const text of ['31/02/2000', '29/02/2001', '00/01/2000', '13/13/2000', '1899-12-31', '2026-11-23', '', 'ontem', '12/03/85']) {
    assert.equal(parseBirthDate(text, NOW), undefined, text)
  }
  assert.equal(parseBirthDate('29/02/2000', NOW), '2000-02-29')
})

test('mobile numbers have an area code and nine digits', () => {
  for (const text of ['(65) 99123-4567', '65991234567', '+55 65 99123-4567', '065 99123 4567', '5565991234567']) {
    assert.equal(parseMobilePhone(text), '+5565991234567', text)
  }
  for (const text of ['6533123456', '(65) 3312-3456', '6591234567', '20991234567', '99123-4567', '', '+1 202 555 0123', '65 9912x-4567']) {
    assert.equal(parseMobilePhone(text), undefined, text)
  }
  const phone = parseMobilePhone('65991234567')
  assert.ok(phone)
  assert.equal(formatMobilePhone(phone), '(65) 99123-4567')
  assert.equal(maskMobilePhone(phone), '(65) *****-4567')
})

test('mail addresses have one spelling', () => {
  const cases = { ' Maria.Silva@Example.ORG ': 'maria.silva@example.org', 'a+b@sub.example.com': 'a+b@sub.example.com', 'ana@açaí.com.br': 'ana@xn--aa-yia4e.com.br' }
  for (const [text, address] of Object.entries(cases)) assert.equal(parseEmailAddress(text)?.split('@')[0], address.split('@')[0])
  const bad = ['a', 'a@b', '@example.org', 'a@@example.org', 'a b@example.org', 'a@example.org\nBcc: x@example.org', '"a"@example.org', 'a@[127.0.0.1]', 'a..b@example.org', 'a@-x.org', `${'a'.repeat(65)}@example.org`, 'á@example.org', 'a@1.2.3.4']
  for (const text of bad) assert.equal(parseEmailAddress(text), undefined, text)
  const address = parseEmailAddress('maria@example.org')
  assert.ok(address)
  assert.equal(maskEmailAddress(address), 'ma***@example.org')
})
