/** Pages as pictures: right, whole, and whatever a stranger's file does, it does it to one thread that is replaced. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { isProblem } from '../../src/platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { createPageViews, type PageViews } from '../../src/signatures/pages/page-views.ts'
import { pdf } from '../portal/support/signing.ts'

let views: PageViews
let good: Buffer
before(async () => {
  views = createPageViews()
  good = await pdf('Declaração', { pages: 3 })
})
after(() => views.close())

const of = (bytes: Buffer) => async () => bytes
const isRefused = (error: unknown) => isProblem(error, SIGNATURE_PROBLEMS.notSignable)

/** A PDF of one page whose parts the test writes itself. */
function written(page: string, content: Buffer | string = '', extra = ''): Buffer {
  const stream = Buffer.isBuffer(content) ? content : Buffer.from(content)
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R] /Count 1 >>', `<< /Type /Page /Parent 2 0 R /Contents 4 0 R ${page} >>`]
  const head = Buffer.from(`%PDF-1.7\n${objects.map((text, index) => `${index + 1} 0 obj\n${text}\nendobj\n`).join('')}4 0 obj\n<< /Length ${stream.length} ${extra} >>\nstream\n`, 'latin1')
  return Buffer.concat([head, stream, Buffer.from('\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 5 >>\nstartxref\n0\n%%EOF\n')])
}

test('a page is shown at the width that was asked, with its text, and the next one needs no file again', async () => {
  let reads = 0
  const read = async () => {
    reads += 1
    return good
  }
  const first = await views.show('good', read, 1, 800)
  const { width, format } = await sharp(first.image).metadata()
  assert.deepEqual([width, format, first.pages], [800, 'webp', 3])
  assert.match(first.text, /Declaração 1/)
  const second = await views.show('good', read, 2, 1600)
  assert.equal((await sharp(second.image).metadata()).width, 1600)
  assert.equal(reads, 1)
  const { channels } = await sharp(first.image).stats()
  assert.ok((channels[0]?.min ?? 255) < 60 && (channels[0]?.max ?? 0) > 240, 'dark letters on white paper')
})

test('what is no PDF, has no such page, or a password, is refused in words', async () => {
  await assert.rejects(views.count(Buffer.from('%PDF-1.7 e mais nada')), isRefused)
  await assert.rejects(views.show('good', of(good), 4, 800), isRefused)
  await assert.rejects(views.show('good', of(good), 0, 800), isRefused)
})

test('hostile files cost one thread at most, and the next person sees their page', async () => {
  const bomb = deflateSync(Buffer.alloc(300 * 1024 * 1024, 'q '), { level: 9 })
  const hostile: [string, Buffer][] = [
    ['a page as tall as a house', written('/MediaBox [0 0 10 14400]')],
    ['a page without an area', written('/MediaBox [0 0 0 0]')],
    ['a zip bomb as content', written('/MediaBox [0 0 612 792]', bomb, '/Filter /FlateDecode')],
    ['a picture that says it is enormous', written('/MediaBox [0 0 612 792] /Resources << /XObject << /I << /Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8 >> >> >>', '/I Do')],
    ['a form that draws itself', written('/MediaBox [0 0 612 792] /Resources << /XObject << /F 4 0 R >> >>', '/F Do', '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 4 0 R >> >>')],
    ['states without end', written('/MediaBox [0 0 612 792]', 'q '.repeat(200_000))],
  ]
  for (const [name, bytes] of hostile) {
    // Shown as far as it goes, or refused: never a fault of ours that others feel.
    const outcome = await views.show(name, of(bytes), 1, 800).then(({ image }) => image.length > 0, (error: unknown) => isRefused(error) || (error instanceof Error && error.name === 'Problem'))
    assert.equal(outcome, true, name)
    assert.equal((await views.show(`after ${name}`, of(good), 1, 800)).pages, 3, `after ${name}`)
  }
})

test('nothing of a file runs: a script in it and a link in it are pictures and no more', async () => {
  const trap = written('/MediaBox [0 0 200 100] /AA << /O << /S /JavaScript /JS (app.alert\\(1\\)) >> >> /Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://127.0.0.1:9/) >> >>]')
  assert.ok((await views.show('trap', of(trap), 1, 800)).image.length > 0)
})
