import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

/** Words that would name personal data or a secret; an event carries ids in their place. */
const PERSONAL =
  /^(cpf|cnpj|name|socialname|birth.*|e?mail|phone|address|ip|useragent|value|password|code|token|secret|otp|image|photo|template|descriptor|text)$/i

const found: [string, z.ZodObject][] = []
for (const file of globSync('src/*/events.ts')) {
  const module: Record<string, unknown> = await import(pathToFileURL(path.resolve(file)).href)
  for (const catalog of Object.values(module)) {
    if (typeof catalog !== 'object' || catalog === null) continue
    for (const [type, schema] of Object.entries(catalog)) if (schema instanceof z.ZodObject) found.push([`${file} ${type}`, schema])
  }
}

test('the rooms have catalogs', () => assert.ok(found.length > 20, `${found.length} events`))

for (const [place, schema] of found) {
  const [file = '', type = ''] = place.split(' ')
  test(`${type} is named after its room and carries no personal data`, () => {
    assert.match(type, /^[a-z]+\/[a-z]+(-[a-z]+)*$/)
    assert.equal(type.split('/')[0], file.split(path.sep)[1])
    for (const member of Object.keys(schema.shape)) assert.doesNotMatch(member, PERSONAL)
  })
  test(`${type} refuses unknown members`, () => {
    const issues = schema.safeParse({ surprise: 1 }).error?.issues ?? []
    assert.ok(issues.some((issue) => issue.code === 'unrecognized_keys'))
  })
}

test('a type is defined once', () => {
  const types = found.map(([place]) => place.split(' ')[1])
  assert.equal(new Set(types).size, types.length)
})
