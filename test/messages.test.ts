import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFormats, LOCALES, matchLocale } from '../src/platform/http/locale.ts'
import { loadMessages } from '../src/platform/http/messages.ts'

const ROOT = new URL('..', import.meta.url).pathname
const folder = join(ROOT, 'views/messages')
const messages = loadMessages({ folder, strict: true })

function sources(): string {
  const files = ['src', 'views'].flatMap((place) =>
    readdirSync(join(ROOT, place), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|eta|js)$/.test(name))
      .map((name) => readFileSync(join(ROOT, place, name), 'utf8')),
  )
  return files.join('\n')
}

test('the three languages have the same keys with the same parameters', () => {
  assert.deepEqual(messages.faults, [])
})

test('every key that a template or route names exists', () => {
  const named = [...sources().matchAll(/\bth?\(\s*'([a-z][\w./-]*)'/g)].map(([, key = '']) => key)
  assert.ok(named.length > 50)
  assert.deepEqual([...new Set(named.filter((key) => !messages.has(key) && !messages.has(`${key}.other`)))], [])
})

test('every key is used: by name, by a template literal that it fits, or as the text of a problem', () => {
  const text = sources()
  const patterns = [...text.matchAll(/`([a-z]+[./][^`\n]*\$\{[^`\n]*)`/g)].map(([, key = '']) => {
    const literal = key.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${literal.join('[^/]+')}$`)
  })
  const unused = [...messages.keys].filter((key) => {
    const names = [key, key.replace(/\.(one|other)$/, '')]
    const isProblem = /^[a-z]+\/[a-z0-9-]+\.(title|text)$/.test(key) && text.includes(`'${key.replace(/\.(title|text)$/, '')}'`)
    return !isProblem && !names.some((name) => text.includes(`'${name}'`) || patterns.some((pattern) => pattern.test(name)))
  })
  assert.deepEqual(unused, [])
})

test('a text speaks of "senha", "código" and the like with their accents', () => {
  for (const key of messages.keys) {
    const text = key.includes('.other') ? '' : messages.text('pt-BR', key, new Proxy({}, { get: () => 'x' }))
    assert.doesNotMatch(
      text,
      /\b(voce|nao|codigo|usuario|numero|sera|ja|ate|tambem|endereco|servico|possivel|informacao|seguranca)\b/i,
      key,
    )
  }
})

test('a missing text throws in tests and shows the key in production; a missing parameter likewise', () => {
  assert.throws(() => messages.text('en', 'platform.no-such'), /no message platform\.no-such/)
  assert.throws(() => messages.text('en', 'platform.progress.step', { at: 1 }), /needs of/)
  const calm = loadMessages({ folder, strict: false })
  assert.equal(calm.text('en', 'platform.no-such'), 'platform.no-such')
  assert.equal(calm.text('en', 'platform.progress.step', { at: 1 }), 'Step 1 of {of}')
})

test('plurals follow the language', () => {
  assert.equal(messages.text('pt-BR', 'platform.problem.wait', { count: 1 }), 'Espere um minuto e tente de novo.')
  assert.equal(messages.text('pt-BR', 'platform.problem.wait', { count: 3 }), 'Espere 3 minutos e tente de novo.')
  assert.equal(messages.text('en', 'platform.problem.wait', { count: 0 }), 'Wait 0 minutes and try again.')
})

test('a key missing in one language, another parameter, an empty text and a foreign prefix are faults; Portuguese stands in', () => {
  const place = mkdtempSync(join(tmpdir(), 'mt-messages-'))
  const write = (locale: string, content: object) => {
    mkdirSync(join(place, locale))
    writeFileSync(join(place, locale, 'room.json'), JSON.stringify(content))
  }
  write('pt-BR', { 'room.a': 'Oi {name}', 'room.b': 'Dois' })
  write('en', { 'room.a': 'Hi {nome}', 'room.b': ' ' })
  write('es', { 'room.a': 'Hola {name}', 'room.b': 'Dos', 'room.c': 'Tres', 'other.d': 'x' })
  const loaded = loadMessages({ folder: place, strict: true })
  assert.equal(loaded.faults.length, 5)
  for (const part of [
    'en lacks room.b',
    'es alone has room.c',
    'en uses other parameters in room.a',
    'other.d does not start with room',
    'room.b is not a text',
  ]) {
    assert.ok(
      loaded.faults.some((fault) => fault.includes(part)),
      part,
    )
  }
  assert.equal(loaded.text('en', 'room.b'), 'Dois')
  rmSync(place, { recursive: true })
})

test('language tags lead to the language that we have', () => {
  assert.deepEqual(['pt-PT', 'pt', 'EN-us', 'es-419', 'fr', '', undefined].map(matchLocale), [
    'pt-BR',
    'pt-BR',
    'en',
    'es',
    undefined,
    undefined,
    undefined,
  ])
})

test("dates are written at Mato Grosso's time, birth dates do not move", () => {
  const moment = new Date('2026-03-01T02:30:00Z')
  assert.equal(createFormats('pt-BR').dateTime(moment), '28/02/2026 22:30')
  assert.equal(createFormats('pt-BR').longDate(moment), '28 de fevereiro de 2026')
  for (const locale of LOCALES) assert.equal(createFormats(locale).date('1985-03-12'), '12/03/1985')
  assert.equal(createFormats('pt-BR').number(1234.5), '1.234,5')
})
