/** No time-stamps to be had, and an operator who has signatures queued: signed at once, stamped as soon as it can be, or given up and told. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { addDays, localDay, momentOf } from '../../src/platform/clock.ts'
import { createCodeRoutes, createVerifierRoutes, type Envelope, type Person } from '../../src/signatures/index.ts'
import { pdf } from '../portal/support/signing.ts'
import { openPostgresTestDatabase } from '../support/database.ts'
import { type DocumentScene, openDocumentScene } from '../support/document-scene.ts'
import { startSite, type TestSite } from '../support/http-app.ts'
import { openssl, pem, run, writeChain } from '../support/signature-scene.ts'

const AHEAD_MS = 30 * 60_000
let scene: DocumentScene
let original: Buffer
/** The public pages over the same records. */
let site: TestSite
/** Between a time-stamp and its place in the database. */
let onStamped: (() => void) | undefined
before(async () => {
  scene = await openDocumentScene({
    open: openPostgresTestDatabase,
    policy: { withoutTime: 'queue' },
    signing: (real) => ({
      ...real,
      async addTime(...asked) {
        const made = await real.addTime(...asked)
        onStamped?.()
        return made
      },
    }),
  })
  original = await pdf('Contrato')
  const { signatures: { verifier }, documents: { records } } = scene
  const claimAddress = () => {}
  site = await startSite(({ views }) => [
    createVerifierRoutes({ views, verifier, findUntimed: records.findUntimed, claimAddress }).routes(),
    createCodeRoutes({ views, records, claimAddress }).routes(),
  ])
})
after(async () => {
  await site.stop()
  await scene.close()
})

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** What the page says of a file that somebody sends. */
async function uploaded(file: Uint8Array): Promise<string> {
  const page = await fetch(`${site.url}/verificar`)
  const [, token = ''] = /name="_csrf" value="([^"]+)"/.exec(await page.text()) ?? []
  const form = new FormData()
  form.set('_csrf', token)
  form.set('arquivo', new Blob([new Uint8Array(file)], { type: 'application/pdf' }), 'documento.pdf')
  const headers = { Accept: 'text/html', Cookie: (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
  return (await fetch(`${site.url}/verificar`, { method: 'POST', body: form, headers })).text()
}

/** The authority for time-stamps has said a time that is still to come: until then it says none. */
async function stopTime(): Promise<() => void> {
  scene.clock.advance(AHEAD_MS)
  await scene.signatures.stamping.stamp(createHash('sha256').digest())
  scene.clock.advance(-AHEAD_MS)
  return () => scene.clock.advance(AHEAD_MS)
}

async function sent(owner: Person, others: readonly Person[] = [], files = [{ name: 'contrato.pdf', bytes: original }]): Promise<string> {
  const { drafts } = scene.documents
  const id = await drafts.create(owner, files)
  for (const other of others) await drafts.addSigner(owner, id, other)
  await drafts.send(owner, id)
  return id
}
const get = (by: Person, id: string) => scene.documents.envelopes.get(by, id)
const fileOf = async (by: Person, { id, documents }: Envelope) => (await scene.documents.envelopes.open(by, id, documents[0]?.id ?? '')).bytes
const timesOf = async (by: Person, id: string) => (await scene.documents.records.ofEnvelope(by, id)).map(({ timeState, level }) => `${timeState} ${level}`)
const verified = async (by: Person, id: string) => scene.signatures.verifier.verify(await fileOf(by, await get(by, id)))

test('signed without a time, said so, and stamped with the evidence once the time is back; nothing before it changes', async () => {
  const person = await scene.person()
  const id = await sent(person)
  const goOn = await stopTime()
  const { attemptId, nonce } = await scene.documents.confirmations.begin(person, id)
  const proof = { idToken: await scene.proof({ accountId: person.accountId, personId: '' }, nonce) }
  assert.deepEqual(await scene.documents.confirmations.finish(person, attemptId, proof), { hasTime: false })
  assert.equal((await get(person, id)).state, 'signed')
  assert.deepEqual(await timesOf(person, id), ['waiting B-B'])
  const before = await fileOf(person, await get(person, id))
  const bare = await scene.signatures.verifier.verify(before)
  assert.deepEqual([bare.verdict, bare.signatures[0]?.form, bare.signatures[0]?.stampedAt], ['valid', 'B-B', undefined])

  assert.deepEqual(await scene.documents.lateTimes.add(), { stamped: 0, givenUp: 0 })
  assert.deepEqual(await timesOf(person, id), ['waiting B-B'])
  goOn()
  assert.deepEqual(await scene.documents.lateTimes.add(), { stamped: 1, givenUp: 0 })
  assert.deepEqual(await timesOf(person, id), ['stamped B-LTA'])
  const after = await fileOf(person, await get(person, id))
  assert.ok(after.subarray(0, before.length).equals(before))
  const { verdict, signatures } = await scene.signatures.verifier.verify(after)
  assert.deepEqual([verdict, signatures.length, signatures[0]?.form], ['valid', 1, 'B-LTA'])
  assert.ok(signatures[0]?.stampedAt)
  // Whoever holds the new file finds it by its code.
  const [record] = await scene.documents.records.ofEnvelope(person, id)
  assert.equal((await scene.documents.records.byCode(record?.code ?? '')).newestSha256, createHash('sha256').update(after).digest('hex'))
  assert.equal(record?.sha256, createHash('sha256').update(after).digest('hex'))
  assert.deepEqual((await scene.events('signatures/time-added')).map(({ data }) => data['envelopeId']), [id])
  assert.deepEqual(await scene.documents.lateTimes.add(), { stamped: 0, givenUp: 0 })
})

test('two signers in the same hour without a time: the second signs over the first, one time-stamp vouches for both', async () => {
  const [owner, other] = [await scene.person(), await scene.person()]
  const id = await sent(owner, [other])
  const goOn = await stopTime()
  await scene.sign(owner, id)
  await scene.sign(other, id)
  assert.deepEqual(await timesOf(owner, id), ['waiting B-B', 'waiting B-B'])
  goOn()
  assert.equal((await scene.documents.lateTimes.add()).stamped, 2)
  const { verdict, signatures } = await verified(owner, id)
  assert.deepEqual([verdict, signatures.map(({ stampedAt }) => stampedAt !== undefined)], ['valid', [true, true]])
})

test('while somebody confirms, the file that they have seen stays; the time comes after their signature', async () => {
  const [owner, other] = [await scene.person(), await scene.person()]
  const id = await sent(owner, [other])
  const goOn = await stopTime()
  await scene.sign(owner, id)
  goOn()
  const { attemptId, nonce } = await scene.documents.confirmations.begin(other, id)
  assert.equal((await scene.documents.lateTimes.add()).stamped, 0)
  await scene.documents.confirmations.finish(other, attemptId, { idToken: await scene.proof({ accountId: other.accountId, personId: '' }, nonce) })
  assert.equal((await scene.documents.lateTimes.add()).stamped, 1)
  const { verdict, signatures } = await verified(owner, id)
  assert.deepEqual([verdict, signatures.map(({ stampedAt }) => stampedAt !== undefined)], ['valid', [true, true]])
})

test('whoever revokes a certificate meanwhile takes the time from nobody else', async () => {
  const [owner, other] = [await scene.person(), await scene.person()]
  const id = await sent(owner, [other])
  const goOn = await stopTime()
  await scene.sign(owner, id)
  await scene.sign(other, id)
  const serial = (await scene.documents.records.ofEnvelope(owner, id)).find(({ signerName }) => signerName === owner.name)?.serial ?? ''
  await scene.signatures.authority.revoke({ serial, reason: 'keyCompromise', actor: { kind: 'operator', id: 'teste' } })
  goOn()
  assert.equal((await scene.documents.lateTimes.add()).stamped, 2)
  const { signatures } = await verified(owner, id)
  assert.deepEqual(signatures.map(({ revocation, stampedAt }) => [revocation === 'good', stampedAt !== undefined]), [[false, true], [true, true]])
  // Records, receipt and code say what a verifier finds in the file, each signature's own.
  assert.deepEqual(signatures.map(({ form }) => form), ['B-T', 'B-LTA'])
  assert.deepEqual(await timesOf(owner, id), ['stamped B-T', 'stamped B-LTA'])
  const file = scene.write('recibo.pdf', await scene.documents.records.receipt(owner, id))
  const { text } = await run('pdftotext', ['-layout', file, '-'])
  assert.deepEqual(text.match(/PAdES B-\w+/g), ['PAdES B-T', 'PAdES B-LTA'])
  const codes = (await scene.documents.records.ofEnvelope(owner, id)).map(({ code }) => code)
  assert.match(await (await fetch(`${site.url}/verificar/${codes[0]}`)).text(), /PAdES B-T\b/)
})

test('whoever kept the file from before its time-stamp finds it by hash, by code and at the verifier, and reads what it is', async () => {
  const person = await scene.person()
  const note = Buffer.from('uma nota\n')
  const id = await sent(person, [], [{ name: 'antes.pdf', bytes: original }, { name: 'nota.txt', bytes: note }])
  const { documents: { envelopes, records } } = scene
  const goOn = await stopTime()
  await scene.sign(person, id)
  const [first, second] = await records.ofEnvelope(person, id)
  const [inPdf, beside] = first?.document.form === 'pdf' ? [first, second] : [second, first]
  const kept = (await envelopes.open(person, id, inPdf?.document.id ?? '')).bytes
  const keptBeside = (await records.detached(person, id, beside?.id ?? '')).bytes
  const untimed = sha256Of(kept)
  // Until the time-stamp comes there is no other file.
  assert.equal(await records.findUntimed(untimed), undefined)
  goOn()
  assert.equal((await scene.documents.lateTimes.add()).stamped, 2)
  const newest = sha256Of((await envelopes.open(person, id, inPdf?.document.id ?? '')).bytes)

  assert.deepEqual(await records.findUntimed(untimed), { newestSha256: newest })
  assert.deepEqual(await records.findUntimed(sha256Of(keptBeside)), { newestSha256: undefined })
  assert.equal(await records.findUntimed(newest), undefined)
  assert.deepEqual((await envelopes.search(person, untimed)).map((found) => found.id), [id])

  const shown = await (await fetch(`${site.url}/verificar/${inPdf?.code}`)).text()
  for (const part of [untimed, newest, 'Antes do carimbo do tempo']) assert.ok(shown.includes(part), part)
  const asked = (path: string, type: string, body: Uint8Array | string) => fetch(`${site.url}/api/verificar/v1${path}`, { method: 'POST', headers: { Accept: 'application/json', 'Content-Type': type }, body: typeof body === 'string' ? body : new Uint8Array(body) })
  const told = async (response: Response) => ((await response.json()) as { before_time_stamp: unknown }).before_time_stamp
  assert.deepEqual(await told(await asked('', 'application/pdf', kept)), { newest_sha256: newest })
  const signature = { signature: keptBeside.toString('base64'), digests: { sha256: sha256Of(note) } }
  assert.deepEqual(await told(await asked('/assinatura', 'application/json', JSON.stringify(signature))), { newest_sha256: null })
  const now = (await envelopes.open(person, id, inPdf?.document.id ?? '')).bytes
  assert.equal(await told(await asked('', 'application/pdf', now)), null)
  assert.match(await uploaded(kept), new RegExp(`Este é o arquivo de antes do carimbo do tempo[\\s\\S]*${newest}`))
  assert.doesNotMatch(await uploaded(now), /antes do carimbo do tempo/)
})

test('a signature beside a file gets its time inside; OpenSSL reads both', async () => {
  const person = await scene.person()
  const text = Buffer.from('qualquer arquivo\n')
  const id = await sent(person, [], [{ name: 'nota.txt', bytes: text }])
  const goOn = await stopTime()
  await scene.sign(person, id)
  const beside = async () => {
    const [record] = await scene.documents.records.ofEnvelope(person, id)
    return (await scene.documents.records.detached(person, id, record?.id ?? '')).bytes
  }
  const before = await beside()
  goOn()
  assert.equal((await scene.documents.lateTimes.add()).stamped, 1)
  assert.deepEqual(await timesOf(person, id), ['stamped B-T'])
  const after = await beside()
  const files = await writeChain(scene, await scene.signatures.authority.active())
  const content = scene.write('nota.txt', text)
  const at = Math.floor(scene.clock.now().getTime() / 1000)
  for (const [name, cms] of [['before', before], ['after', after]] as const) {
    const file = scene.write(`${name}.p7s`, pem('CMS', cms))
    const { ok, text: said } = await openssl('cms', '-verify', '-cades', '-binary', '-inform', 'PEM', '-in', file, '-content', content, '-CAfile', files.root, '-certfile', files.issuing, '-purpose', 'any', '-attime', String(at), '-out', '/dev/null')
    assert.ok(ok, said)
  }
  const { verdict, signatures } = await scene.signatures.verifier.verifyFile(after, text)
  assert.deepEqual([verdict, signatures[0]?.form], ['valid', 'B-T'])
})

test('a time that comes after the certificate’s end proves nothing: given up once, and both people are told', async () => {
  const [owner, other] = [await scene.person(), await scene.person()]
  const id = await sent(owner, [other])
  await stopTime()
  await scene.sign(owner, id)
  await scene.sign(other, id)
  scene.told.length = 0
  scene.clock.advance(90 * 60_000)
  const again = await Promise.all([scene.documents.lateTimes.add(), scene.documents.lateTimes.add()])
  assert.ok(again.every(({ stamped }) => stamped === 0))
  assert.deepEqual(await timesOf(owner, id), ['missing B-B', 'missing B-B'])
  const told = scene.told.filter(({ notice }) => notice === 'time-missing').map(({ accountId }) => accountId)
  assert.deepEqual(new Set(told), new Set([owner.accountId, other.accountId]))
  const given = (await scene.events('signatures/time-given-up')).filter(({ data }) => data['envelopeId'] === id)
  assert.deepEqual(given.map(({ data }) => data['why']), ['certificate-over', 'certificate-over'])
  const receipt = await scene.documents.records.receipt(owner, id)
  assert.equal(receipt.subarray(0, 5).toString(), '%PDF-')
})

test('several signers without a time in one envelope: whoever asked is told once a day, each signer once', async () => {
  const [owner, second, third] = [await scene.person(), await scene.person(), await scene.person()]
  const id = await sent(owner, [second, third])
  scene.clock.advance(momentOf(addDays(localDay(scene.clock.now()), 1), 9 * 60).getTime() - scene.clock.now().getTime())
  scene.told.length = 0
  const told = () => scene.told.filter(({ notice }) => notice === 'time-missing').map(({ accountId }) => [owner, second, third].findIndex((one) => one.accountId === accountId) + 1)
  // Half an hour between them: the first one's certificate ends first.
  for (const signer of [owner, second]) {
    await stopTime()
    await scene.sign(signer, id)
    scene.clock.advance(30 * 60_000)
  }
  scene.clock.advance(15 * 60_000)
  await stopTime()
  assert.equal((await scene.documents.lateTimes.add()).givenUp, 1)
  assert.deepEqual(told(), [1])
  scene.clock.advance(30 * 60_000)
  assert.equal((await scene.documents.lateTimes.add()).givenUp, 1)
  assert.deepEqual(told(), [1, 2])
  // Another day is another notice.
  scene.clock.advance(86_400_000)
  await stopTime()
  await scene.sign(third, id)
  scene.clock.advance(2 * 3_600_000)
  assert.equal((await scene.documents.lateTimes.add()).givenUp, 1)
  assert.deepEqual(told().toSorted(), [1, 1, 2, 3])
})

test('many processes at once stamp each file once, and one that dies on the way leaves it as it was', async () => {
  const person = await scene.person()
  const id = await sent(person, [], [1, 2, 3].map((number) => ({ name: `${number}.pdf`, bytes: original })))
  const goOn = await stopTime()
  await scene.sign(person, id)
  goOn()
  const version = async () => (await get(person, id)).documents.map((document) => document.version)
  // Dies between the time-stamp and the commit: no time is left half-way, and the turn is free again.
  onStamped = () => {
    onStamped = undefined
    throw new Error('killed')
  }
  await assert.rejects(scene.documents.lateTimes.add(), /killed/)
  assert.deepEqual((await version()).toSorted(), [1, 2, 2])
  assert.deepEqual((await timesOf(person, id)).toSorted(), ['stamped B-LTA', 'stamped B-LTA', 'waiting B-B'])
  scene.clock.advance(60_000)
  const rounds = await Promise.all([1, 2, 3].map(() => scene.documents.lateTimes.add()))
  const more = await scene.documents.lateTimes.add()
  assert.equal([...rounds, more].reduce((sum, { stamped }) => sum + stamped, 0), 1)
  assert.deepEqual(await version(), [2, 2, 2])
  assert.equal((await verified(person, id)).verdict, 'valid')
  assert.equal((await scene.events('signatures/time-added')).filter(({ data }) => data['envelopeId'] === id).length, 3)
})
