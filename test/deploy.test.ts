import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { describeConfig, loadConfig } from '../src/platform/config.ts'
import { branch, readComposeFile } from './support/compose-file.ts'

const dockerfile = readFileSync('Dockerfile', 'utf8')
const compose = readComposeFile(readFileSync('docker-compose.yml', 'utf8'))
const services = branch(compose, 'services')
const known = new Set(describeConfig().map(({ env }) => env))
const instructions = dockerfile.replaceAll(/\\\n/g, '').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const valuesOf = (name: string) => instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))

/** A tag with at least two numbers or a digest: what runs tomorrow is what was tried today. */
function assertPinned(image: string) {
  assert.match(image, /:v?\d+\.\d+[\w.-]*$|@sha256:[0-9a-f]{64}$/, `${image} is not pinned to a version`)
}

test('the reader of the compose file refuses what docker would refuse', () => {
  assert.deepEqual(readComposeFile('a:\n  b: ["x", "y"]\n  c:\n    - 1\nd:\n'), { a: { b: ['x', 'y'], c: ['1'] }, d: null })
  for (const bad of ['a:\n\tb: 1', 'a: 1\na: 2', 'a:\n   b: 1', 'a: 1\n  b: 2', 'a: [x]', 'a: b: c', '- a\nb: 1', 'a: {b: 1}']) {
    assert.throws(() => readComposeFile(bad), /line \d/, bad)
  }
})

test('the compose file brings the server, PostgreSQL with pgvector, Redis and a mail catcher', () => {
  assert.deepEqual(Object.keys(compose), ['services', 'volumes'])
  assert.deepEqual(Object.keys(services), ['server', 'database', 'redis', 'mail'])
  assert.match(String(branch(services, 'database')['image']), /pgvector/)
})

test('every image is pinned to a version', () => {
  const images = Object.values(services).map((service) => branch(service)['image'] ?? null)
  for (const image of images) if (typeof image === 'string') assertPinned(image)
  assert.equal(images.filter((image) => image === null).length, 1, 'only the server is built here')
  for (const from of valuesOf('FROM')) assertPinned(from.split(' ')[0] ?? '')
})

test('every volume that a service mounts is declared, and every port is published on this machine only', () => {
  const volumes = Object.keys(branch(compose, 'volumes'))
  for (const service of Object.values(services)) {
    const { volumes: mounts, ports } = branch(service)
    for (const mount of Array.isArray(mounts) ? mounts : []) assert.ok(volumes.includes(String(mount).split(':')[0] ?? ''), String(mount))
    for (const port of Array.isArray(ports) ? ports : []) assert.match(String(port), /^127\.0\.0\.1:/)
  }
})

test('a service waits only for services that exist, and for health only where health is checked', () => {
  for (const [name, { condition }] of Object.entries(branch(services, 'server', 'depends_on')).map(([name, value]) => [name, branch(value)] as const)) {
    assert.ok(name in services, name)
    if (condition === 'service_healthy') assert.ok('healthcheck' in branch(services, name), `${name} has no health check`)
  }
})

test('every variable of the server exists in the config schema, and together they make a valid configuration', () => {
  const environment = branch(services, 'server', 'environment')
  for (const name of Object.keys(environment)) assert.ok(known.has(name), `${name} is no option of the server`)
  const given: Record<string, string> = { POSTGRES_PASSWORD: 'x', MASTER_KEY: Buffer.alloc(32, 7).toString('base64url') }
  const filled = Object.entries(environment).map(([name, value]) => {
    return [name, String(value).replaceAll(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_, variable: string, fallback = '') => given[variable] ?? fallback)]
  })
  const config = loadConfig(Object.fromEntries(filled))
  assert.equal(config.platform.publicUrl, 'http://127.0.0.1:3000')
  assert.equal(config.demo.enabled, false)
})

test('no secret is written into the compose file or the image', () => {
  for (const service of Object.values(services)) {
    for (const [name, value] of Object.entries(branch(service)['environment'] ? branch(service, 'environment') : {})) {
      if (/PASSWORD|KEY|SECRET/.test(name)) assert.match(String(value), /^\$\{\w+:\?/, `${name} must come from outside`)
    }
  }
  for (const variables of valuesOf('ENV')) assert.doesNotMatch(variables, /PASSWORD|KEY|SECRET|_URL/)
  assert.deepEqual(valuesOf('ARG'), [])
})

test('the image copies only what exists, and the ignore list lets all of that in', () => {
  const ignore = readFileSync('.dockerignore', 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(ignore[0], '*')
  const allowed = ignore.slice(1).map((line) => line.replace(/^!/, ''))
  const copied = valuesOf('COPY').filter((words) => !words.startsWith('--from=')).flatMap((words) => words.split(' ').slice(0, -1))
  for (const source of copied) assert.ok(existsSync(source), `${source} is copied and does not exist`)
  assert.deepEqual([...new Set(copied)].sort(), allowed.sort())
})

test('the image sets only known variables, runs the real entry as an unprivileged user and checks readiness', () => {
  const names = valuesOf('ENV').flatMap((words) => [...words.matchAll(/([A-Z_]+)=/g)].map(([, name = '']) => name))
  for (const name of names) assert.ok(name === 'NODE_ENV' || name === 'ORT_DISABLE_TELEMETRY' || name.startsWith('MALLOC_') || known.has(name), `${name} is no option of the server`)
  assert.equal(valuesOf('USER').at(-1), 'node')
  const [, entry = ''] = JSON.parse(valuesOf('CMD').at(-1) ?? '[]') as string[]
  assert.ok(statSync(entry).isFile())
  assert.match(valuesOf('HEALTHCHECK').join(), /\/pronto/)
})

test('a token can be used in the image: its package is built where the compiler is, by a release that the slim image shares', () => {
  const [built, runs] = valuesOf('FROM').map((from) => from.split(' ')[0] ?? '')
  assert.equal(runs, `${built}-slim`)
  assert.match(valuesOf('RUN').join('\n'), /npm ci --omit=dev --ignore-scripts && .*npm rebuild pkcs11js/)
})

test('the guide names every variable that the compose file cannot do without', () => {
  const guide = readFileSync('docs/operating.md', 'utf8')
  const [, commands = ''] = /With containers.+?```sh\n(.+?)```/s.exec(guide) ?? []
  for (const [, name = ''] of readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{(\w+):\?/g)) assert.ok(commands.includes(`${name}=`), name)
})

test('the image runs the major version of Node that the scripts run on', () => {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string> }
  const major = /\d+/.exec(devDependencies['node'] ?? '')?.[0]
  for (const from of valuesOf('FROM')) assert.match(from, new RegExp(`^node:${major}\\.`))
})
