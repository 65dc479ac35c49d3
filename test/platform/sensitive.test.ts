import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { isProblem, Problem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'

const ways: [string, (value: Sensitive<string>) => string][] = [
  ['a template', (value) => `${value}`],
  ['a sum', (value) => `${'cpf: '}${String(value)}`],
  ['JSON', (value) => JSON.stringify({ value })],
  ['inspect', (value) => inspect({ value }, { depth: 9, showHidden: true, showProxy: true })],
  ['its members', (value) => JSON.stringify([Object.entries(value), Reflect.ownKeys(value).map(String)])],
  ['a spread', (value) => inspect({ ...value })],
  ['an error', (value) => inspect(new Error(`no ${value}`))],
]

for (const [name, print] of ways) {
  test(`a sensitive value does not show in ${name}`, () => {
    assert.doesNotMatch(print(new Sensitive('52998224725')), /52998224725/)
  })
}

test('a sensitive value is there for who asks', () => assert.equal(new Sensitive('x').reveal(), 'x'))

test('a sensitive value cannot be cloned to another thread by mistake', () => {
  assert.doesNotMatch(inspect(structuredClone(new Sensitive('52998224725'))), /52998224725/)
})

test('a problem has its kind’s code and status, and keeps the cause for the log', () => {
  const cause = new Error('inside')
  const problem = new Problem(PLATFORM_PROBLEMS.busy, { detail: 'queue full', retryAfterSeconds: 3, cause })
  assert.deepEqual(
    [problem.code, problem.status, problem.detail, problem.retryAfterSeconds, problem.cause],
    ['platform/busy', 503, 'queue full', 3, cause],
  )
  assert.ok(isProblem(problem, PLATFORM_PROBLEMS.busy))
  assert.ok(!isProblem(problem, PLATFORM_PROBLEMS.deadline))
  assert.ok(!isProblem(cause, PLATFORM_PROBLEMS.busy))
})
