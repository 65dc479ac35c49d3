import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { findFetchedNet, installModels, ModelInstallError } from '../../src/biometrics/nets/installation.ts'
import type { Original } from '../../src/biometrics/nets/manifest.ts'
import { readFetchedNets } from '../../src/biometrics/nets/manifest.ts'
import { FetchError, fetchOriginal } from '../../src/biometrics/nets/originals.ts'
import { ModelChecksumError } from '../../src/biometrics/onnx/model-files.ts'
import { originalModelsDir, withoutStandardModels } from '../support/face-models.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-nets-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = withoutStandardModels()
const originals = originalModelsDir() ?? ''
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A publisher on this machine: the manifest's https addresses lead to it. */
async function publisher(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close().closeAllConnections())
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const openAddress = (url: string, signal: AbortSignal) => fetch(`http://127.0.0.1:${address.port}${new URL(url).pathname}`, { signal })
  return { openAddress, firstPauseMs: 1 }
}

/** A folder of its own with every original side by side. */
async function flatCopy(name: string): Promise<string> {
  const directory = path.join(folder, name)
  mkdirSync(directory)
  for (const { folder: sub, file } of (await readFetchedNets()).flatMap((net) => net.originals)) {
    writeFileSync(path.join(directory, file), readFileSync(path.join(originals, sub, file)))
  }
  return directory
}

const CONTENT = Buffer.alloc(300_000, 'weights ')
const original: Original = {
  folder: 'x',
  file: 'x.bin',
  url: 'https://publisher.example/x.bin',
  bytes: CONTENT.length,
  sha256: sha256(CONTENT),
}

test('a transfer that breaks and a publisher that is busy are asked again until the file is whole', async () => {
  let asked = 0
  const seen: [number, number][] = []
  const { openAddress } = await publisher((_, response) => {
    asked++
    if (asked === 1) return void response.writeHead(503).end()
    response.writeHead(200, { 'content-length': CONTENT.length })
    if (asked > 2) return void response.end(CONTENT)
    response.write(CONTENT.subarray(0, 100_000), () => response.destroy())
  })
  const bytes = await fetchOriginal(original, {
    openAddress,
    firstPauseMs: 1,
    onBytes: (received, attempt) => seen.push([received, attempt]),
  })
  assert.equal(sha256(bytes), original.sha256)
  assert.equal(asked, 3)
  assert.deepEqual(seen.at(-1), [CONTENT.length, 3])
})

test('a publisher that never gives the file is given up after four attempts, and says so', async () => {
  let asked = 0
  const { openAddress } = await publisher((_, response) => {
    asked++
    response.writeHead(502).end()
  })
  await assert.rejects(fetchOriginal(original, { openAddress, firstPauseMs: 1 }), (error) => {
    return error instanceof FetchError && error.message === 'x.bin from publisher.example: the publisher answers 502'
  })
  assert.equal(asked, 4)
})

test('another attempt is not made where it could not help: wrong bytes, too many bytes, no such file', async () => {
  const wrong = Buffer.from(CONTENT).fill('!', 1000, 1001)
  const answers: [Buffer | number, (error: unknown) => boolean][] = [
    [
      wrong,
      (error) => error instanceof ModelChecksumError && error.message.includes(original.sha256) && error.message.includes(sha256(wrong)),
    ],
    [Buffer.concat([CONTENT, CONTENT]), (error) => error instanceof FetchError && /more than the 300000 bytes/.test(error.message)],
    [404, (error) => error instanceof FetchError && /answers 404/.test(error.message)],
  ]
  for (const [answer, matches] of answers) {
    let asked = 0
    const { openAddress } = await publisher((_, response) => {
      asked++
      if (typeof answer === 'number') response.writeHead(answer).end()
      else response.end(answer)
    })
    await assert.rejects(fetchOriginal(original, { openAddress, firstPauseMs: 1 }), matches)
    assert.equal(asked, 1)
  }
})

test('a publisher’s own checksum is checked too', async () => {
  const { openAddress } = await publisher((_, response) => response.end(CONTENT))
  const sha384 = 'b'.repeat(96)
  await assert.rejects(fetchOriginal({ ...original, sha384 }, { openAddress }), (error) => {
    return error instanceof ModelChecksumError && error.message.includes(`expected sha384 ${sha384}`)
  })
})

test('without an address of the test’s own, plain http is not accepted', async () => {
  const server = createServer((_, response) => response.end(CONTENT))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close().closeAllConnections())
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const url = `http://127.0.0.1:${address.port}/x.bin`
  await assert.rejects(fetchOriginal({ ...original, url }, { firstPauseMs: 1 }), /not https/)
  const text = readFileSync(path.join(ROOT, 'models/manifest.json'), 'utf8').replace('https://raw.', 'http://raw.')
  writeFileSync(path.join(folder, 'manifest.json'), text)
  await assert.rejects(readFetchedNets(path.join(folder, 'manifest.json')), /Invalid URL/)
})

test('a deadline ends a publisher that is silent, and nothing is left behind', async () => {
  const modelsDir = path.join(folder, 'silent')
  const silent = await publisher(() => undefined)
  const started = performance.now()
  await assert.rejects(installModels({ modelsDir, deadlineMs: 100, publisher: silent }), (error) => {
    return error instanceof ModelInstallError && error.failures.length === 4 && error.installed.length === 0
  })
  assert.ok(performance.now() - started < 3000)
  assert.throws(() => readdirSync(modelsDir), { code: 'ENOENT' })
})

test('the nets come from their publishers, whole and with the pinned sums; the second time nobody is asked', { skip }, async () => {
  const modelsDir = path.join(folder, 'fetched')
  const nets = await readFetchedNets()
  const files = new Map(
    nets.flatMap((net) => net.originals.map(({ url, folder: sub, file }) => [new URL(url).pathname, path.join(originals, sub, file)])),
  )
  let asked = 0
  const server = await publisher((request, response) => {
    asked++
    response.end(readFileSync(files.get(request.url ?? '') ?? ''))
  })
  const steps = new Set<string>()
  const installed = await installModels({ modelsDir, publisher: server, onProgress: ({ name, step }) => steps.add(`${name} ${step}`) })
  assert.deepEqual(
    installed.map(({ name, state, sha256: sum }) => [name, state, sum]),
    nets.map(({ name, sha256: sum }) => [name, 'installed', sum]),
  )
  assert.equal(steps.size, 3 * nets.length)
  assert.equal(asked, 5)
  const again = await installModels({ modelsDir, publisher: server })
  assert.deepEqual(
    again.map(({ state }) => state),
    ['present', 'present', 'present', 'present'],
  )
  assert.equal(asked, 5)
  assert.deepEqual(readdirSync(modelsDir).sort(), nets.map(({ file }) => file).sort())
})

test('a folder of originals may be flat or in sub-folders; a damaged result is replaced and never used', { skip }, async () => {
  const flat = await flatCopy('flat')
  const modelsDir = path.join(folder, 'from')
  assert.equal(await findFetchedNet('yunet', modelsDir), undefined)
  await installModels({ modelsDir, from: flat })
  const [net] = await readFetchedNets()
  assert.equal(sha256((await findFetchedNet('yunet', modelsDir)) ?? Buffer.of()), net?.sha256)
  writeFileSync(path.join(modelsDir, 'yunet.onnx'), 'changed')
  await assert.rejects(findFetchedNet('yunet', modelsDir), (error) => {
    return (
      error instanceof ModelChecksumError &&
      error.message.includes(net?.sha256 ?? '?') &&
      error.message.includes(sha256(Buffer.from('changed')))
    )
  })
  assert.deepEqual(
    (await installModels({ modelsDir, from: originals, names: ['yunet'] })).map(({ state }) => state),
    ['replaced'],
  )
})

test('one wrong byte in an original is refused with both sums; the other nets are installed', { skip }, async () => {
  const from = await flatCopy('wrong')
  const file = path.join(from, 'yunet_n_320_320.onnx')
  const bytes = readFileSync(file)
  const changed = Buffer.from(bytes).fill((bytes[5000] ?? 0) ^ 1, 5000, 5001)
  writeFileSync(file, changed)
  const modelsDir = path.join(folder, 'refused')
  await assert.rejects(installModels({ modelsDir, from }), (error) => {
    assert.ok(error instanceof ModelInstallError)
    assert.ok(error.message.includes(sha256(bytes)) && error.message.includes(sha256(changed)))
    return error.installed.length === 3 && error.failures.length === 1
  })
  assert.equal(await findFetchedNet('yunet', modelsDir), undefined)
})

test('the command installs from a folder, prints the sums that are pinned, and explains itself', { skip }, async () => {
  const run = (...words: string[]) => promisify(execFile)(process.execPath, ['scripts/build-models.ts', ...words], { cwd: ROOT })
  const { stdout } = await run('--sums', '--from', originals)
  assert.equal(stdout.trim().split('\n').length, 8)
  assert.doesNotMatch(stdout, /the manifest says/)
  assert.match((await run('--help')).stdout, /--from FOLDER/)
  await assert.rejects(run('--form', 'x'), { code: 2 })
  const missing = await run(path.join(folder, 'command'), '--from', path.join(folder, 'nowhere')).catch(
    (error: { code: number; stderr: string }) => error,
  )
  assert.match(missing.stderr, /missing yunet: yunet_n_320_320.onnx is neither in/)
  assert.ok('code' in missing && missing.code === 1)
})
