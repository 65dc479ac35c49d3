/** `/verificar` as a browser without a script uses it, and the same for programs. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { foreignPdf, LATER_CHANGES } from '../support/forged-pdfs.ts'
import { openSignatureScene, type SignatureScene } from '../support/signature-scene.ts'

let scene: SignatureScene
let sealed: Buffer
before(async () => {
  scene = await openSignatureScene()
  sealed = await scene.signatures.seals.seal(await foreignPdf(), { reason: 'Comprovante <b>de</b> teste', at: new Date('2026-11-28T12:00:00Z') })
})
after(() => scene.close())

const at = (path: string) => new URL(path, scene.site.url)

async function upload(pdf: Uint8Array | undefined): Promise<{ status: number; html: string }> {
  const page = await fetch(at('/verificar'))
  const [, token = ''] = /name="_csrf" value="([^"]+)"/.exec(await page.text()) ?? []
  const form = new FormData()
  form.set('_csrf', token)
  if (pdf) form.set('arquivo', new Blob([new Uint8Array(pdf)], { type: 'application/pdf' }), 'documento.pdf')
  const response = await fetch(at('/verificar'), { method: 'POST', body: form, headers: { Accept: 'text/html', Cookie: (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '' } })
  return { status: response.status, html: await response.text() }
}

const call = (pdf: Uint8Array, type = 'application/pdf') => fetch(at('/api/verificar/v1'), { method: 'POST', headers: { Accept: 'application/json', 'Content-Type': type }, body: new Uint8Array(pdf) })

test('the verdict stands first, in plain words; details behind it; nothing of the file becomes markup', async () => {
  const { status, html } = await upload(sealed)
  assert.equal(status, 200)
  assert.match(html, /Assinatura válida[\s\S]*<details/)
  for (const part of ['Demonstracao MT Login', 'Demonstração: não vale nada', 'Cobre o arquivo até o fim', 'valia, e vale']) assert.ok(html.includes(part), part)
  assert.ok(!html.includes('<b>de</b>'))
  const changed = await (LATER_CHANGES[0] ?? assert.fail()).make(sealed)
  assert.match((await upload(changed)).html, /O documento mudou depois da assinatura/)
  assert.match((await upload(await foreignPdf())).html, /não tem assinatura/)
})

test('what is no PDF, or nothing at all, is said beside the field', async () => {
  for (const [pdf, text] of [[Buffer.from('uma carta'), /Este arquivo não é um PDF/], [undefined, /field-error|error/], [Buffer.from('%PDF-1.7 e nada mais'), /está com defeito/]] as const) {
    const { status, html } = await upload(pdf)
    assert.equal(status, 422)
    assert.match(html, text)
  }
})

test('the API says the same to programs, and refuses what is too large or something else', async () => {
  const answer = await call(sealed)
  assert.equal(answer.status, 200)
  const body = (await answer.json()) as { verdict: string; signatures: { level: string; covers_all: boolean; stamped_at: string }[] }
  assert.equal(body.verdict, 'valid')
  assert.equal(body.signatures[0]?.covers_all, true)
  assert.match(body.signatures[0]?.stamped_at ?? '', /^20\d\d-/)
  assert.equal((await call(Buffer.from('%PDF-1.7 e nada mais'))).status, 422)
  assert.equal((await call(Buffer.alloc(20 * 1024 * 1024 + 1))).status, 413)
  assert.equal((await call(sealed, 'text/plain')).status, 415)
})

test('an address that asks too often is told when to come back, before anything is read', async () => {
  scene.allow(0)
  const refused = await call(sealed)
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('Retry-After'), '1')
  scene.allow(1000)
  assert.ok(!scene.site.lines.some(({ route }) => route.includes('documento')))
})
