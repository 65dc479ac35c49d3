import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { envExample, readmeTable } from '../../scripts/config-docs.ts'
import { ConfigError, describeConfig, isLoopback, loadConfig } from '../../src/platform/config.ts'

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.faults
  }
  return []
}

test('an empty environment is a whole configuration for this machine', () => {
  const config = loadConfig({})
  assert.equal(config.platform.publicUrl, 'http://127.0.0.1:3000')
  assert.equal(config.platform.secure, false)
  assert.equal(config.demo.enabled, false)
  assert.equal(config.accounts.argon2MemoryKib, 19_456)
})

test('the address follows the port unless it is given', () => {
  assert.equal(loadConfig({ PORT: '8080' }).platform.publicUrl, 'http://127.0.0.1:8080')
  assert.equal(loadConfig({ PORT: '8080', PUBLIC_URL: 'http://localhost:9000/' }).platform.publicUrl, 'http://localhost:9000')
})

test('all faults come at once', () => {
  const faults = faultsOf({
    PORT: 'x',
    DATABASE_POOL: '1',
    LOG_LEVEL: 'loud',
    ARGON2_MEMORY_KIB: '1024',
    PUBLIC_URL: 'https://a.example/path',
  })
  assert.deepEqual(
    faults.map((fault) => fault.split(':')[0]),
    ['PUBLIC_URL', 'PORT', 'DATABASE_POOL', 'LOG_LEVEL', 'ARGON2_MEMORY_KIB'],
  )
})

test('a secret is in no fault and prints as redacted', () => {
  const faults = faultsOf({ DATABASE_URL: 'mysql://user:hunter2@db', MASTER_KEY: 'hunter2hunter2', SMTP_URL: 'hunter2' })
  assert.equal(faults.length, 3)
  assert.doesNotMatch(faults.join(), /hunter2/)
  const config = loadConfig({ DATABASE_URL: 'postgresql://user:hunter2@db/x', SMTP_URL: 'smtp://u:hunter2@mail' })
  assert.doesNotMatch(JSON.stringify(config) + inspect(config, { depth: 9 }), /hunter2/)
  assert.equal(config.platform.databaseUrl?.reveal(), 'postgresql://user:hunter2@db/x')
})

test('a master key is 32 bytes', () => {
  assert.equal(loadConfig({ MASTER_KEY: Buffer.alloc(32, 7).toString('base64url') }).platform.masterKey?.reveal().length, 32)
  assert.equal(faultsOf({ MASTER_KEY: Buffer.alloc(31).toString('base64url') }).length, 1)
})

test('http is for this machine only', () => {
  for (const url of ['http://127.0.0.1:3000', 'http://localhost', 'http://[::1]:3000', 'http://mt.localhost'])
    assert.deepEqual(faultsOf({ PUBLIC_URL: url }), [])
  assert.match(faultsOf({ PUBLIC_URL: 'http://login.example', SMTP_URL: 'smtp://mail' }).join(), /https is required/)
  assert.deepEqual(faultsOf({ PUBLIC_URL: 'https://login.example', SMTP_URL: 'smtp://mail' }), [])
})

test('the demo runs on this machine only, unless forced', () => {
  assert.equal(loadConfig({ DEMO: 'true' }).demo.enabled, true)
  assert.match(faultsOf({ DEMO: 'true', PUBLIC_URL: 'https://login.example' }).join(), /DEMO/)
  assert.equal(loadConfig({ DEMO: 'force', PUBLIC_URL: 'https://login.example' }).demo.enabled, true)
})

test('a host that asks for certificates is another host, over https, with files of its own', () => {
  const local = { PUBLIC_URL: 'http://localhost:3000' }
  const whole = { ...local, CERTIFICATE_URL: 'https://certificado.localhost:3443', CERTIFICATE_TLS_CERTIFICATE: 'site.pem', CERTIFICATE_TLS_KEY: 'site.key' }
  const others = (change: Record<string, string>) => faultsOf({ ...whole, ...change })
  assert.deepEqual(others({}), [])
  assert.deepEqual(others({ CERTIFICATE_URL: 'http://certificado.localhost' }), ['CERTIFICATE_URL: https is required'])
  assert.match(others({ CERTIFICATE_URL: 'https://localhost:3443' }).join(), /another host name than PUBLIC_URL/)
  for (const missing of ['CERTIFICATE_TLS_CERTIFICATE', 'CERTIFICATE_TLS_KEY']) assert.match(others({ [missing]: '' }).join(), /required with CERTIFICATE_URL/)
  assert.equal(others({ CERTIFICATE_URL: 'https://certificado.localhost/pagina' }).length, 1, 'an address without a path')
  assert.equal(others({ CERTIFICATE_PORT: '70000' }).length, 1)
  assert.deepEqual(faultsOf({ ...local, CERTIFICATE_TLS_KEY: 'site.key' }), [], 'off without its address')
})

test('a public server without a mail server is refused', () => {
  assert.match(faultsOf({ PUBLIC_URL: 'https://login.example' }).join(), /SMTP_URL/)
})

test('blank variables count as absent', () => {
  assert.equal(loadConfig({ DATABASE_URL: ' ', PORT: '' }).platform.databaseUrl, undefined)
})

test('trusted proxies are a list', () => {
  assert.deepEqual(loadConfig({ TRUSTED_PROXIES: '10.0.0.0/8, 192.168.0.1' }).platform.trustedProxies, ['10.0.0.0/8', '192.168.0.1'])
  assert.deepEqual(loadConfig({}).platform.trustedProxies, [])
})

test('the configuration cannot be changed', () => {
  const config = loadConfig({})
  assert.throws(() => Object.assign(config.platform, { port: 1 }), TypeError)
  assert.throws(() => Object.assign(config, { platform: {} }), TypeError)
})

test('a host that only looks like this machine is not', () => {
  for (const host of ['127.0.0.1.example', 'localhost.example', '128.0.0.1', '0.0.0.0', '[::]']) assert.equal(isLoopback(host), false, host)
})

test('options are described, unique and valid by default', () => {
  const rows = describeConfig()
  assert.equal(new Set(rows.map(({ env }) => env)).size, rows.length)
  assert.ok(rows.every(({ description }) => description.length > 10))
  const defaults = Object.fromEntries(rows.flatMap(({ env, fallback }) => (fallback ? [[env, fallback]] : [])))
  assert.deepEqual(faultsOf(defaults), [])
})

test('the documents are what the schema says', () => {
  assert.equal(readFileSync('.env.example', 'utf8'), envExample(), 'run node scripts/config-docs.ts')
  assert.ok(readFileSync('README.md', 'utf8').includes(readmeTable()), 'run node scripts/config-docs.ts')
})
