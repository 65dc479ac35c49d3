/** A corpus of signed files, each attack in five and each form in three: our verifier and four judges that we did not write, and where they differ. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Corpus, type CorpusFile, makeCorpus } from '../support/corpus.ts'
import { bouncyCastle, type JudgeFiles, opensslWord, poppler, qpdf, type Word, type Words } from '../support/judges.ts'
import { openSignatureScene, pem, type SignatureScene } from '../support/signature-scene.ts'

let scene: SignatureScene
let corpus: Corpus
let judges: JudgeFiles
before(async () => {
  // Some judges refuse to think of a time that has not come.
  scene = await openSignatureScene({ earlierMs: 4 * 3_600_000 })
  corpus = await makeCorpus(scene)
  const { id, root, certificate, rootCrl } = await scene.signatures.authority.active()
  const list = await scene.get(`/ac/${id}/lcr/0.crl`)
  judges = {
    root: scene.write('root.pem', pem('CERTIFICATE', root)), issuing: scene.write('issuing.pem', pem('CERTIFICATE', certificate)),
    trusted: scene.write('trusted.pem', pem('CERTIFICATE', root) + pem('X509 CRL', rootCrl) + pem('X509 CRL', list)),
    lists: [scene.write('root.crl', rootCrl), scene.write('issuing.crl', list)],
  }
})
after(() => scene.close())

const ours = ({ bytes, signature }: CorpusFile): Promise<string> =>
  (signature ? scene.signatures.verifier.verifyFile(signature, bytes) : scene.signatures.verifier.verify(bytes)).then(({ verdict }) => verdict, (error: { code?: string }) => String(error.code))

/** Files that a judge says something else of than it should, with the reason where one is given. */
async function surprises(asked: keyof Words, say: (file: CorpusFile) => Promise<Word> | { word: Word; reason: string }): Promise<string[]> {
  const found: string[] = []
  for (const file of corpus.files) {
    const expected = file.words[asked]
    if (expected === undefined) continue
    const said = await say(file)
    const { word, reason } = typeof said === 'string' ? { word: said, reason: '' } : said
    if (word !== expected) found.push(`${file.group}: ${file.name}: ${word}, not ${expected} ${reason}`)
  }
  return found
}

test('the corpus is large: each attack in five, each form in three', () => {
  const count = (group: string) => corpus.files.filter((file) => file.group === group).length
  for (const group of new Set(corpus.files.map((file) => file.group))) {
    if (group.startsWith('attack')) assert.ok(count(group) >= 5, `${group}: ${count(group)}`)
    if (group.startsWith('PAdES')) assert.equal(count(group), 3, group)
  }
  assert.ok(corpus.files.length >= 60, `${corpus.files.length}`)
  assert.equal(new Set(corpus.files.map(({ name }) => name)).size, corpus.files.length)
})

test('our verifier', async () => {
  const found: string[] = []
  for (const file of corpus.files) {
    const verdict = await ours(file)
    if (!file.ours.some((each) => each === verdict)) found.push(`${file.group}: ${file.name}: ${verdict}, not ${file.ours.join(' or ')}`)
  }
  assert.deepEqual(found, [])
})

test('Poppler', async () => assert.deepEqual(await surprises('poppler', (file) => poppler(scene, file)), []))
test('qpdf', async () => assert.deepEqual(await surprises('qpdf', (file) => qpdf(scene, file)), []))
test('OpenSSL', async () => assert.deepEqual(await surprises('openssl', (file) => opensslWord(scene, file, judges)), []))
test('BouncyCastle', async () => {
  const words = bouncyCastle(scene, corpus.files, judges)
  assert.deepEqual(await surprises('bouncyCastle', ({ name }) => words.get(name) ?? { word: 'bad', reason: 'nothing said' }), [])
})
