/** Bases going in and out, hostile ones among them. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import sharp from 'sharp'
import { type BaseRecord, parseBirthDate, parseCpf } from '../../src/accounts/index.ts'
import { normalisePhoto } from '../../src/biometrics/image.ts'
import { createIntegrityCheck } from '../../src/biometrics/images/integrity.ts'
import { createSealer, isSealed, type Lock, unseal } from '../../src/biometrics/images/transfer/envelope.ts'
import { exportImages } from '../../src/biometrics/images/transfer/export.ts'
import { importImages, type ImportOptions } from '../../src/biometrics/images/transfer/import.ts'
import { openFolder, openTar } from '../../src/biometrics/images/transfer/import-files.ts'
import { indexTar, safeName } from '../../src/biometrics/images/transfer/tar-reader.ts'
import { TAR_END, tarEntry } from '../../src/biometrics/images/transfer/tar-writer.ts'
import { openPgliteTestDatabase, testDatabases } from '../support/database.ts'
import { type ImageScene, NOW, openImageScene } from '../support/image-scene.ts'

const BY = { kind: 'operator', id: 'op-1' } as const
const folder = () => mkdtempSync(join(tmpdir(), 'mt-login-transfer-'))
const MODEL = 'model-a'

function cpfOf(number: number): string {
  const digit = (digits: string) => {
    const sum = [...digits].reduce((total, value, index) => total + Number(value) * (digits.length + 1 - index), 0)
    return String(((sum * 10) % 11) % 10)
  }
  const base = String(number).padStart(9, '0')
  const first = base + digit(base)
  return first + digit(first)
}

/** Knows CPFs 1 to 99; 50 is dead. */
const register = {
  async find(cpf: string): Promise<BaseRecord | undefined> {
    const [number, birthDate, parsed] = [Number(cpf.slice(0, 9)), parseBirthDate('01/01/1980', NOW), parseCpf(cpf)]
    if (number > 99 || birthDate === undefined || parsed === undefined) return undefined
    return { cpf: parsed, name: 'Fulana de Tal', birthDate, situation: number === 50 ? 'deceased' : 'regular' }
  },
}

const ABSENT = { x: 0, y: 0 }
/** Sees in a picture the faces that its red tells: 1 for most, none at 0, two at 2, a small one at 3. */
const faces = {
  async describe(photo: Uint8Array) {
    const { data, info } = await sharp(photo).raw().toBuffer({ resolveWithObject: true })
    const [red = 0, green = 0] = data
    const face = (width: number) => ({
      box: { ...ABSENT, width, height: width }, score: 1, landmarks: [], pose: { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 },
      skin: { red, green, blue: 0 }, brightness: 1, unevenness: 0, sharpness: 1, descriptor: [green / 255, 0.5, 0.25],
    })
    const found = red < 40 ? [] : red < 90 ? [face(400), face(390)] : red < 140 ? [face(20)] : [face(400)]
    const frame = { modelId: MODEL, width: info.width, height: info.height, background: { red, green, blue: 0 }, perceptualHash: '0', pixelDigest: '0' }
    return { ...frame, faces: found } as never
  },
  normalise: (photo: Uint8Array) => normalisePhoto(photo),
}
const picture = (green: number, red = 220) =>
  sharp({ create: { width: 60, height: 80, channels: 3, background: { r: red, g: green, b: 9 } } })
    .jpeg().withExif({ IFD0: { Copyright: 'secret place' } }).withMetadata({ orientation: 6 }).toBuffer()

interface Line {
  readonly [member: string]: unknown
}
const lineOf = (number: number, more: Line = {}): Line => ({
  cpf: cpfOf(number), kind: 'face', file: `f/${number}.jpg`, captured_at: '2021-05-01T10:00:00-04:00', source_id: `RG-${number}`, ...more,
})

async function base(lines: readonly (Line | string)[], files: Readonly<Record<string, Buffer>>) {
  const root = folder()
  mkdirSync(join(root, 'f'))
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, name), bytes)
  const path = join(root, 'm.ndjson')
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return { root, path }
}

function importer(scene: ImageScene) {
  const deps = { images: scene.deps, store: scene.store, faces, register }
  return async ({ root, path }: { root: string; path: string }, more: Partial<ImportOptions> = {}) =>
    importImages(deps, {
      manifest: { path }, files: await openFolder(root), source: 'import:base', trusting: true, parallel: 3, reportPath: `${path}.recusas`, actor: BY, ...more,
    })
}

for (const { label, open: openDatabase } of testDatabases()) {
  test(`import and export on ${label}`, async (t) => {
    const scene = await openImageScene(await openDatabase())
    after(() => scene.close())
    const { db, store } = scene
    const run = importer(scene)
    const personOf = async (number: number) => (await db.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [cpfOf(number)]))[0]?.id ?? ''

    await t.test('each line ends stored, known or refused with a reason, and the report says which', async () => {
      const [one, two] = [await picture(10), await picture(20)]
      const files = {
        'f/1.jpg': one, 'f/2.jpg': two, 'f/none.jpg': await picture(1, 0), 'f/two.jpg': await picture(1, 60), 'f/small.jpg': await picture(1, 110),
        'f/text.jpg': Buffer.from('not a picture'), 'f/cut.jpg': one.subarray(0, one.length - 40),
        'f/huge.jpg': pngHeader(20_000, 10_000),
      }
      const expected: [Line | string, string][] = [
        [lineOf(1, { trusted: true, in_person: true, capture_point: 'IIMT Cuiabá', operator: 'op-9', device: 'Canon' }), 'stored'],
        [lineOf(2), 'stored'],
        [lineOf(1), 'known'],
        [lineOf(1, { source_id: 'other record, same file' }), 'known'],
        [lineOf(2, { kind: 'document-front', source_id: 'RG-2-doc' }), 'stored'],
        ['{"cpf":', 'line-invalid'],
        ['x'.repeat(40_000), 'line-invalid'],
        [lineOf(3, { surprise: true }), 'line-invalid'],
        [lineOf(3, { captured_at: '2190-01-01T00:00:00Z' }), 'line-invalid'],
        [lineOf(3, { cpf: '11111111111' }), 'cpf-invalid'],
        [lineOf(200, { file: 'f/1.jpg' }), 'cpf-unknown'],
        [lineOf(50, { file: 'f/1.jpg' }), 'cpf-not-regular'],
        [lineOf(4, { file: '../m.ndjson' }), 'file-name'],
        [lineOf(4, { file: '/etc/passwd' }), 'file-name'],
        [lineOf(4, { file: 'f/absent.jpg' }), 'file-missing'],
        [lineOf(4, { file: 'f/link.jpg' }), 'file-not-plain'],
        [lineOf(4, { file: 'g/1.jpg' }), 'file-not-plain'],
        [lineOf(4, { file: 'f' }), 'file-not-plain'],
        [lineOf(4, { file: 'f/1.jpg', sha256: '0'.repeat(64) }), 'file-changed'],
        [lineOf(4, { file: 'f/text.jpg' }), 'image-not-an-image'],
        [lineOf(4, { file: 'f/cut.jpg' }), 'image-truncated'],
        [lineOf(4, { file: 'f/huge.jpg' }), 'image-too-many-pixels'],
        [lineOf(4, { file: 'f/none.jpg' }), 'face/none'],
        [lineOf(4, { file: 'f/two.jpg' }), 'face/two-faces'],
        [lineOf(4, { file: 'f/small.jpg' }), 'face/too-far'],
        [lineOf(5, { file: 'f/1.jpg' }), 'image-of-another'],
      ]
      const made = await base(expected.map(([line]) => line), files)
      symlinkSync(join(made.root, 'f/1.jpg'), join(made.root, 'f/link.jpg'))
      symlinkSync(join(made.root, 'f'), join(made.root, 'g'))
      const result = await run(made, { parallel: 1 })
      const rows = await db.query<{ line: number; outcome: string; reason: string | null }>(
        'SELECT line, outcome, reason FROM image_import_line WHERE import_id = $1 ORDER BY line', [result.importId],
      )
      assert.deepEqual(rows.map(({ outcome, reason }) => reason ?? outcome), expected.map(([, outcome]) => outcome))
      assert.deepEqual(result.counts, { stored: 3, known: 2, refused: 21 })
      const report = readFileSync(`${made.path}.recusas`, 'utf8').trim().split('\n').map((text): unknown => JSON.parse(text))
      assert.deepEqual(report[0], { line: 6, reason: 'line-invalid' })
      assert.equal(statSync(`${made.path}.recusas`).mode & 0o077, 0)

      const person = await personOf(1)
      const reference = await store.findReference(person, MODEL)
      assert.equal(reference?.inPerson, true)
      const opened = await store.open(reference?.imageId ?? '')
      const facts = await sharp(opened.bytes).metadata()
      assert.deepEqual([facts.width, facts.height, facts.exif], [80, 60, undefined], 'upright, nothing but the picture')
      assert.deepEqual((await store.openOriginal(reference?.imageId ?? '')).bytes, one)
      const [image] = await store.list(person)
      assert.deepEqual([image?.capturePoint, image?.operatorId, image?.device, image?.source, image?.sourceId], ['IIMT Cuiabá', 'op-9', 'Canon', 'import:base', 'RG-1'])
      assert.equal(await store.findReference(await personOf(2), MODEL), undefined, 'the line did not say that the state vouches for it')
    })

    await t.test('without the operator’s word no line makes a trusted image', async () => {
      const made = await base([lineOf(6, { trusted: true }), lineOf(7, { in_person: true }), lineOf(8)], { 'f/8.jpg': await picture(80) })
      const { counts, reasons } = await run(made, { trusting: false })
      assert.deepEqual([counts, reasons], [{ stored: 1, known: 0, refused: 2 }, { 'trust-not-granted': 2 }])
      writeFileSync(join(made.root, 'f/6.jpg'), await picture(60))
      writeFileSync(join(made.root, 'f/7.jpg'), await picture(70))
      assert.equal((await run(made)).looked, 0, 'refused lines are not looked at again')
      assert.deepEqual((await run(made, { retryRefused: true })).counts, { stored: 3, known: 0, refused: 0 })
    })

    await t.test('a run that breaks off anywhere goes on where it was, and nothing comes twice', async () => {
      const numbers = [11, 12, 13, 14, 15, 16, 17, 18]
      const files = Object.fromEntries(await Promise.all(numbers.map(async (n) => [`f/${n}.jpg`, await picture(n * 10)] as const)))
      const made = await base(numbers.map((n) => lineOf(n, { trusted: true })), files)
      for (const stopAt of [1, 2, 1]) {
        let seen = 0
        const onProgress = () => {
          if (++seen === stopAt) throw new Error('killed')
        }
        await assert.rejects(run(made, { onProgress, parallel: 2 }), /killed/)
      }
      const result = await run(made)
      assert.deepEqual(result.counts, { stored: 8, known: 0, refused: 0 })
      assert.ok(result.looked >= 1 && result.looked <= 4, `${result.looked}`)
      for (const n of numbers) assert.equal((await store.list(await personOf(n))).length, 1)
      assert.equal((await run(made)).looked, 0)
      const events = await scene.events('biometrics/image-stored')
      assert.equal(new Set(events.map(({ data }) => data['imageId'])).size, events.length)
    })

    await t.test('lines of one person are taken in order, whatever works beside them', async () => {
      const files = Object.fromEntries(await Promise.all([1, 2, 3, 4, 5].map(async (n) => [`f/${n}.jpg`, await picture(90 + n * 15, 180)] as const)))
      const lines = [1, 2, 3, 4, 5].map((n) => lineOf(21, { file: `f/${n}.jpg`, source_id: `s${n}`, captured_at: `202${n}-01-01T00:00:00Z` }))
      await run(await base(lines, files), { parallel: 5 })
      const listed = await store.list(await personOf(21))
      assert.deepEqual(listed.sort((a, b) => a.version - b.version).map(({ sourceId }) => sourceId), ['s1', 's2', 's3', 's4', 's5'])
      assert.deepEqual(listed.filter(({ superseded }) => !superseded).map(({ sourceId }) => sourceId), ['s5'])
    })

    await t.test('who was erased on request does not come back by an import', async () => {
      const personId = await personOf(8)
      await scene.custody.erase(personId, BY)
      const { reasons } = await run(await base([lineOf(8, { source_id: 'again' })], { 'f/8.jpg': await picture(81) }))
      assert.deepEqual(reasons, { 'person-erased': 1 })
    })

    await t.test('an import from a tar that carries its manifest', async () => {
      const bytes = await picture(91)
      const file = join(folder(), 'base.tar')
      writeFileSync(file, Buffer.concat([
        tarEntry('f/31.jpg', bytes, NOW), tarEntry('manifest.ndjson', Buffer.from(`${JSON.stringify(lineOf(31))}\n`), NOW), TAR_END,
      ]))
      const files = await openTar(file)
      const result = await run({ root: folder(), path: file }, { files, manifest: { path: file, ...files.place('manifest.ndjson') } })
      await files.close()
      assert.deepEqual(result.counts, { stored: 1, known: 0, refused: 0 })
    })

    await t.test('an export comes back whole in another database, sealed or not, and is told in each ledger', async () => {
      const target = join(folder(), 'saida.tar')
      const keys = generateKeyPairSync('x25519')
      const done = await exportImages(scopeOf(scene), { target, isArchive: true, lock: { publicKey: keys.publicKey }, actor: BY })
      assert.equal(statSync(target).mode & 0o077, 0)
      assert.ok(!readFileSync(target).includes('manifest.ndjson'))
      const plain = join(folder(), 'aberto.tar')
      await unsealTo(target, plain, keys.privateKey)
      const copy = await openImageScene(await openDatabase())
      try {
        const files = await openTar(plain)
        const result = await importer(copy)({ root: folder(), path: plain }, { files, manifest: { path: plain, ...files.place('manifest.ndjson') } })
        assert.deepEqual([result.counts.stored, result.counts.refused], [done.images, 0], JSON.stringify(result.reasons))
        for (const number of [1, 2, 21]) {
          const there = await copy.db.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [cpfOf(number)])
          const [ours, theirs] = [await scene.store.list(await personOf(number)), await copy.store.list(there[0]?.id ?? '')]
          const facts = (list: typeof ours) => list
            .map(({ kind, slot, version, source, sourceId, capturePoint, operatorId, device, method, trusted, inPerson, capturedAt, original, superseded }) =>
              JSON.stringify([kind, slot, version, source, sourceId, capturePoint, operatorId, device, method, trusted, inPerson, capturedAt, original?.sha256.toString('hex'), superseded]))
            .sort()
          assert.deepEqual(facts(theirs), facts(ours))
        }
        assert.deepEqual((await createIntegrityCheck(copy.deps).all({ deep: true })).unsound, [])
        await files.close()
      } finally {
        await copy.close()
      }
      assert.equal((await scene.events('biometrics/images-exported')).length, done.people)
      const open = join(folder(), 'pasta')
      await exportImages(scopeOf(scene), { target: open, isArchive: false, actor: BY })
      assert.equal(readdirSync(join(open, 'images')).length, done.images)
      for (const place of [open, join(open, 'images'), join(open, 'manifest.ndjson')]) assert.equal(statSync(place).mode & 0o077, 0, place)
    })

    await t.test('nothing is exported to where others could read or write it', async () => {
      const refused = (target: string, isArchive: boolean) => assert.rejects(exportImages(scopeOf(scene), { target, isArchive, actor: BY }), { code: 'biometrics/place-unsafe' })
      const root = folder()
      mkdirSync(join(root, 'open'))
      chmodSync(join(root, 'open'), 0o755)
      await refused(join(root, 'open'), false)
      mkdirSync(join(root, 'used'), { mode: 0o700 })
      writeFileSync(join(root, 'used/x'), '')
      await refused(join(root, 'used'), false)
      writeFileSync(join(root, 'there.tar'), '')
      await refused(join(root, 'there.tar'), true)
      mkdirSync(join(root, 'shared'))
      chmodSync(join(root, 'shared'), 0o777)
      await refused(join(root, 'shared/x.tar'), true)
      assert.ok(!existsSync(join(root, 'shared/x.tar.parcial')))
    })
  })
}

const scopeOf = ({ deps, store }: ImageScene) => ({ images: deps, store })

async function unsealTo(from: string, to: string, privateKey: ReturnType<typeof generateKeyPairSync>['privateKey'] | never): Promise<void> {
  const [source, target] = [await open(from), await open(to, 'w', 0o600)]
  assert.equal(await isSealed(source), true)
  await unseal(source, { privateKey }, (bytes) => target.writeFile(bytes))
  await Promise.all([source.close(), target.close()])
}

/** A PNG that claims this size and has no pixels. */
function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(45)
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(header)
  header.writeUInt32BE(width, 16)
  header.writeUInt32BE(height, 20)
  header.set([8, 6, 0, 0, 0], 24)
  header.write('IEND', 37, 'latin1')
  return header
}

function raw(name: string, type: string, body = Buffer.alloc(0), change: (header: Buffer) => void = () => {}): Buffer {
  const entry = tarEntry('x', body, NOW)
  const header = entry.subarray(0, 512)
  header.fill(0, 0, 100)
  header.write(name, 0, 'utf8')
  header.write(type, 156, 'latin1')
  change(header)
  header.write('        ', 148, 'latin1')
  header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return entry
}
const pax = (text: string) => {
  const record = (length: number): string => (Buffer.byteLength(`${length} ${text}\n`) === length ? `${length} ${text}\n` : record(length + 1))
  return raw('pax', 'x', Buffer.from(record(Buffer.byteLength(text) + 3)))
}

async function indexed(bytes: Buffer): Promise<string[]> {
  const path = join(folder(), 'x.tar')
  writeFileSync(path, bytes)
  const file = await open(path)
  try {
    return [...(await indexTar(file)).keys()]
  } finally {
    await file.close()
  }
}

test('a tar of files and folders with long names is read; names lead nowhere else', async () => {
  const long = `${'a'.repeat(120)}/ç.jpg`
  assert.deepEqual(await indexed(Buffer.concat([raw('./d/', '5'), raw('./d/a.jpg', '0', Buffer.from('x')), pax(`path=${long}`), raw('short', '0'), TAR_END])), ['d/a.jpg', long])
})

test('a tar with anything else in it is refused whole', async () => {
  const hostile: Readonly<Record<string, Buffer>> = {
    'leaves its folder': raw('../x', '0'), 'leaves it halfway': raw('a/../../x', '0'), 'is absolute': raw('/etc/x', '0'), 'is of Windows': raw('C:\\x', '0'),
    'has a line break': raw('a\nb', '0'), 'leaves it by pax': Buffer.concat([pax('path=../../x'), raw('x', '0')]), 'is a symbolic link': raw('x', '2'),
    'is a hard link': raw('x', '1'), 'is a device': raw('x', '3'), 'is a pipe': raw('x', '6'), 'is sparse': raw('x', 'S'), 'is a GNU long name': raw('x', 'L'),
    'comes twice': Buffer.concat([raw('x', '0'), raw('./x', '0')]), 'is longer than the archive': raw('x', '0', Buffer.alloc(0), (header) => header.write('77777777777', 124, 'latin1')),
    'has a size that is no number': raw('x', '0', Buffer.alloc(0), (header) => header.write('0x11', 124, 'latin1')),
    'has a binary size': raw('x', '0', Buffer.alloc(0), (header) => header.writeUInt8(0x80, 124)), 'names all by a global header': raw('x', 'g', Buffer.from('10 path=x\n')),
  }
  for (const [what, bytes] of Object.entries(hostile)) {
    await assert.rejects(indexed(Buffer.concat([bytes, TAR_END])), { code: 'biometrics/archive-invalid' }, what)
  }
  await assert.rejects(indexed(raw('x', '0')), { code: 'biometrics/archive-invalid' }, 'an end that is missing')
  const changed = raw('x', '0')
  changed[0] = 0x79
  await assert.rejects(indexed(Buffer.concat([changed, TAR_END])), { code: 'biometrics/archive-invalid' }, 'a wrong checksum')
  for (const name of ['', '.', 'a//b', 'a/./b', '\0', 'x\u007f', 'a'.repeat(1025)]) assert.equal(safeName(name), undefined)
})

test('the report goes through no link and into no file of another kind, and that shows before anything is imported', async () => {
  const scene = await openImageScene(await openPgliteTestDatabase())
  after(() => scene.close())
  const run = importer(scene)
  const made = await base([lineOf(1)], { 'f/1.jpg': await picture(10) })
  const precious = join(made.root, 'precious')
  writeFileSync(precious, 'of somebody')
  const [link, hard, dangling] = [join(made.root, 'link'), join(made.root, 'hard'), join(made.root, 'dangling')]
  symlinkSync(precious, link)
  linkSync(precious, hard)
  symlinkSync(join(made.root, 'not-there'), dangling)
  for (const reportPath of [link, hard, dangling, made.root]) await assert.rejects(run(made, { reportPath }), { code: 'biometrics/place-unsafe' }, reportPath)
  assert.equal(readFileSync(precious, 'utf8'), 'of somebody')
  assert.equal(existsSync(join(made.root, 'not-there')), false)
  assert.deepEqual(await scene.db.query('SELECT 1 FROM image_import'), [])
  writeFileSync(join(made.root, 'old'), 'a report of before, longer than the new one', { mode: 0o644 })
  assert.equal((await run(made, { reportPath: join(made.root, 'old') })).counts.stored, 1)
  assert.deepEqual([readFileSync(join(made.root, 'old'), 'utf8'), statSync(join(made.root, 'old')).mode & 0o777], ['', 0o600])
})

test('a hard link in the folder of an import is a file like others', async () => {
  const root = folder()
  writeFileSync(join(root, 'a.jpg'), 'x')
  linkSync(join(root, 'a.jpg'), join(root, 'b.jpg'))
  assert.deepEqual(await (await openFolder(root)).read('b.jpg'), Buffer.from('x'))
})

async function sealed(lock: Lock, bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = []
  const sealer = await createSealer(lock, async (part) => void parts.push(part))
  for (let at = 0; at < bytes.length; at += 50_000) await sealer.write(bytes.subarray(at, at + 50_000))
  await sealer.end()
  return Buffer.concat(parts)
}

async function opened(bytes: Buffer, passphrase: string): Promise<Buffer> {
  const path = join(folder(), 'x.sealed')
  writeFileSync(path, bytes)
  const [file, parts] = [await open(path), [] as Buffer[]]
  await unseal(file, { passphrase }, async (part) => void parts.push(part)).finally(() => file.close())
  return Buffer.concat(parts)
}

test('a sealed archive opens with its passphrase only, and not when a piece was changed, swapped, left out or cut', async () => {
  const passphrase = 'cerrado pantanal amazônia'
  for (const size of [0, 1, 65_536, 200_000]) {
    const plain = createHash('shake256', { outputLength: Math.max(1, size) }).update('x').digest().subarray(0, size)
    const bytes = await sealed({ passphrase }, plain)
    assert.deepEqual(await opened(bytes, passphrase), plain)
    if (size !== 200_000) continue
    const refused = (changed: Buffer, word = passphrase) => assert.rejects(opened(changed, word), { code: 'biometrics/archive-sealed' })
    await refused(bytes, 'outra senha qualquer')
    const start = bytes.indexOf('\n', 10) + 1
    const piece = (n: number) => bytes.subarray(start + n * 65_552, start + (n + 1) * 65_552)
    const swapped = Buffer.concat([bytes.subarray(0, start), piece(1), piece(0), bytes.subarray(start + 2 * 65_552)])
    await refused(swapped)
    await refused(Buffer.concat([bytes.subarray(0, start), piece(0), bytes.subarray(start + 2 * 65_552)]))
    await refused(bytes.subarray(0, start + 2 * 65_552))
    const flipped = Buffer.from(bytes)
    flipped[start + 100] = (flipped[start + 100] ?? 0) ^ 1
    await refused(flipped)
    await refused(bytes.subarray(0, 20))
  }
})
