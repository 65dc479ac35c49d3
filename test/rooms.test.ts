/** Rooms import downwards only, through the front door. The order below is the architecture. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

const ROOMS = [
  'platform',
  'audit',
  'accounts',
  'biometrics',
  'assurance',
  'proxies',
  'signatures',
  'oidc',
  'portal',
  'helpdesk',
  'xvia',
  'admin',
]
/** Not rooms: they wire, start or demonstrate the rooms and may know all of them. */
const WIRING = new Set(['app.ts', 'main.ts', 'mt.ts'])
const BESIDE = new Set(['app', 'demo'])

/** Who alone may import a package; the pattern is matched against the path under `src/`. */
const OWNERS: readonly (readonly [target: RegExp, owner: RegExp])[] = [
  [/^pg$/, /^platform\/db\.ts$|^platform\/database\//],
  [/^@electric-sql\//, /^platform\/db\.ts$|^platform\/database\//],
  [/^pg-boss$/, /^platform\/jobs\.ts$/],
  [/^nodemailer$/, /^platform\/messages\//],
  [/^(koa|@koa\/router)$/, /\.routes\.ts$|^platform\/http\//],
  [/^onnxruntime-node$/, /^biometrics\/.*\.worker\.ts$/],
  [/^oidc-provider\/lib\//, /^oidc\/provider-internals\.ts$/],
  [/^argon2$/, /^accounts\/.*\.worker\.ts$/],
  [/^pdfkit$/, /^platform\/documents\//],
  [/^@cantoo\/pdf-lib$/, /^signatures\/pdf\//],
  [/^pino$/, /^platform\/log\.ts$/],
  [/^prom-client$/, /^platform\/metrics\.ts$/],
]
/** `base` only as the thing itself: the base register is a word of the law. */
const FORBIDDEN_NAMES = /(^|[-.])(utils?|helpers?|common|manager|service|impl|types|misc)([-.]|$)|(^|-)base$/
const MOST_FILES = 15
const MOST_LINES = 400
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g
const IMPORT_TYPE_LINE = /^import type /

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()

interface Import {
  readonly target: string
  readonly isType: boolean
}

function importsOf(text: string): Import[] {
  return text
    .split('\n')
    .flatMap((line) => [...line.matchAll(IMPORT)].map(([, target = '']) => ({ target, isType: IMPORT_TYPE_LINE.test(line) })))
}

function checkOwner(file: string, { target, isType }: Import): void {
  // A type costs nothing at run time; what counts is who holds the thing.
  if (isType) return
  for (const [pattern, owner] of OWNERS) if (pattern.test(target)) assert.match(file, owner, `${target} is not this file's business`)
}

function checkDirection(file: string, room: string, target: string): void {
  const [to = '', ...door] = path.posix.join(path.posix.dirname(file), target).split('/')
  if (to === room) return
  if (BESIDE.has(room)) return
  assert.ok(ROOMS.includes(to), `${room} may not import ${to}`)
  assert.ok(ROOMS.indexOf(to) < ROOMS.indexOf(room), `${room} may not import ${to}`)
  if (to !== 'platform') assert.deepEqual(door, ['index.ts'], `enter ${to} by its index.ts`)
}

for (const file of files) {
  const text = readFileSync(path.join('src', file), 'utf8')
  const [room = ''] = file.split('/')
  test(`${file} keeps to its room`, () => {
    if (!file.includes('/')) assert.ok(WIRING.has(file), 'only wiring stands beside the rooms')
    else assert.ok(ROOMS.includes(room) || BESIDE.has(room), `${room} is not a room`)
    for (const found of importsOf(text)) {
      checkOwner(file, found)
      if (found.target.startsWith('.') && !WIRING.has(file)) checkDirection(file, room, found.target)
    }
  })
  test(`${file} is named and sized as agreed`, () => {
    assert.doesNotMatch(path.basename(file, '.ts'), FORBIDDEN_NAMES)
    assert.match(path.basename(file), /^[a-z0-9]+(-[a-z0-9]+)*(\.(store|routes|worker|d))?\.ts$/)
    assert.ok(text.split('\n').length <= MOST_LINES + 1, `${text.split('\n').length} lines`)
    assert.doesNotMatch(text, /^export default /m)
  })
  test(`${file} reads no environment and leaves no loose end`, () => {
    if (file !== 'platform/config.ts') assert.doesNotMatch(text, /\bprocess\.env\b/)
    for (const [todo] of text.matchAll(/(\/\/|\*).*\b(TODO|FIXME|XXX)\b.{0,8}/g)) assert.match(todo, /TODO\((#\d+|v\d)\)/)
    assert.doesNotMatch(text, /:\s*any\b|\bas any\b|<any>/)
  })
}

describe('SQL', () => {
  const STATEMENT = /['"`]\s*(SELECT\s.+\sFROM|INSERT INTO|UPDATE\s+\w+\s+SET|DELETE FROM|WITH\s+\w+\s+AS\s*\()/
  for (const file of files.filter((name) => !name.startsWith('platform/') && !name.endsWith('.store.ts'))) {
    test(`${file} leaves SQL to the stores`, () => assert.doesNotMatch(readFileSync(path.join('src', file), 'utf8'), STATEMENT))
  }
})

describe('folders', () => {
  const folders = Map.groupBy(files, (file) => path.posix.dirname(file))
  for (const [folder, inside] of folders) {
    test(`${folder} has at most ${MOST_FILES} files`, () => {
      assert.ok(inside.length <= MOST_FILES, `${inside.length} files`)
      for (const part of folder.split('/')) if (part !== '.') assert.doesNotMatch(part, FORBIDDEN_NAMES)
    })
  }
  for (const room of ROOMS.filter((name) => name !== 'platform' && name !== 'admin' && folders.has(name))) {
    test(`${room} has a door`, () => assert.ok(files.includes(`${room}/index.ts`)))
  }
})

describe('every export of a door', () => {
  for (const file of files.filter((name) => name.endsWith('/index.ts'))) {
    test(`${file} has default-free, named exports with no star`, () => {
      assert.doesNotMatch(readFileSync(path.join('src', file), 'utf8'), /^export \*/m)
    })
  }
})
