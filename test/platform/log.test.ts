import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqlError } from '../../src/platform/db.ts'
import type { LogFields } from '../../src/platform/log.ts'
import { createLog, silentLog } from '../../src/platform/log.ts'
import { Problem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'

function written(fields: LogFields | object, level: 'info' | 'warn' = 'info'): Record<string, unknown> {
  const lines: string[] = []
  createLog({ level, destination: { write: (line) => void lines.push(line) } }).warn('happened', fields)
  assert.equal(lines.length, 1)
  return JSON.parse(lines[0] ?? '')
}

test('a line is JSON with level, time, message and the listed fields', () => {
  const { time, ...line } = written({ requestId: 'r1', route: '/conta', status: 200, ms: 3 })
  assert.deepEqual(line, { level: 'warn', msg: 'happened', requestId: 'r1', route: '/conta', status: 200, ms: 3 })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/)
})

test('a field that is not listed, an object and a sensitive value are left out', () => {
  const line = JSON.stringify(written({ cpf: '52998224725', name: { first: 'Maria' }, code: new Sensitive('secret') }))
  assert.doesNotMatch(line, /52998224725|Maria|"secret"/)
})

test('an unknown error shows its name, code and frames, never its message', () => {
  const error = Object.assign(new Error('550 <maria@example.org> unknown'), { code: 'EENVELOPE', response: 'maria' })
  const line = JSON.stringify(written({ error: new Problem(PLATFORM_PROBLEMS.unexpected, { cause: error }) }))
  assert.match(line, /EENVELOPE/)
  assert.match(line, /log\.test\.ts/)
  assert.doesNotMatch(line, /maria/)
  assert.doesNotMatch(JSON.stringify(written({ error: 'maria' })), /maria/)
})

test('a message over several lines does not pass for frames', () => {
  const line = JSON.stringify(written({ error: new Error('first\nmaria@example.org\nat least') }))
  assert.doesNotMatch(line, /maria|at least/)
})

test('our own errors and the language’s show their message', () => {
  assert.match(JSON.stringify(written({ error: new TypeError('x is not a function') })), /x is not a function/)
  assert.match(
    JSON.stringify(written({ error: new SqlError('23505', 'duplicate key', { constraint: 'person_cpf_key' }) })),
    /duplicate key/,
  )
  assert.match(JSON.stringify(written({ error: new Problem(PLATFORM_PROBLEMS.busy) })), /platform\/busy/)
})

test('line breaks cannot forge a line', () => {
  const line = written({ route: '/x\n{"level":"info","msg":"forged"}' })
  assert.equal(line['route'], '/x\n{"level":"info","msg":"forged"}')
})

test('levels below the threshold are not written', () => {
  const lines: string[] = []
  const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } })
  log.debug('d')
  log.info('i')
  log.error('e')
  assert.equal(lines.length, 1)
  silentLog.error('nothing')
})
