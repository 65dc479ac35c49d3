import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createDocuments, type Documents, type ReadableDocument } from '../../src/platform/documents/documents.ts'

let documents: Documents
let folder: string
before(() => {
  documents = createDocuments()
  folder = mkdtempSync(path.join(tmpdir(), 'mt-documents-'))
})
after(async () => {
  await documents.close()
  rmSync(folder, { recursive: true })
})

const receipt: ReadableDocument = {
  title: 'Comprovante de atendimento',
  language: 'pt-BR',
  issuer: 'MT Login',
  foot: 'Emitido em 28/11/2026',
  at: new Date('2026-11-28T12:00:00Z'),
  blocks: [
    { kind: 'text', text: 'O que foi colhido de você, por quem e para quê.' },
    { kind: 'heading', text: 'O atendimento' },
    { kind: 'facts', facts: [{ name: 'Protocolo', value: '2026-000123-4' }, { name: 'Nome', value: 'José Ğüş da Conceição “Zé”' }] },
    { kind: 'list', items: ['uma foto do rosto', 'dez digitais'] },
    { kind: 'table', columns: ['Ponto', 'Processos'], numbers: [1], rows: Array.from({ length: 90 }, (_, i) => [`Ponto ${i}`, `${i * 7}`]) },
    { kind: 'codes', codes: ['ABCD-EFGH', 'IJKL-MNOP', 'QRST-UVWX'] },
    { kind: 'verification', label: 'Confira este documento em:', code: '7F3K-9QWM', url: 'https://login.example/comprovante/7F3K-9QWM' },
    { kind: 'signature-lines', captions: ['Assinatura da pessoa atendida'] },
  ],
}

/** What Poppler reads of a file, its complaints included. */
async function read(document: ReadableDocument, program: 'pdftotext' | 'pdfinfo', ...options: string[]): Promise<{ text: string; complaints: string }> {
  const file = path.join(folder, 'document.pdf')
  writeFileSync(file, await documents.render(document))
  const { stdout, stderr } = spawnSync(program, [...options, file, ...(program === 'pdftotext' ? ['-'] : [])], { encoding: 'utf8' })
  return { text: stdout, complaints: stderr }
}

test('another reader finds every part, on numbered pages, and has nothing to complain of', async () => {
  const { text, complaints } = await read(receipt, 'pdftotext', '-layout')
  assert.equal(complaints, '')
  for (const part of ['Comprovante de atendimento', 'O atendimento', '2026-000123-4', 'dez digitais', 'Ponto 89', 'QRST-UVWX', '7F3K-9QWM']) {
    assert.match(text, new RegExp(part))
  }
  assert.match(text, /Página 1 de 4[\s\S]*Página 4 de 4/)
  assert.match(text, /José Güs da Conceição “Zé”/, 'a letter that the font lacks stands without its mark')
})

test('the file is tagged, says its language and title, and is read in order', async () => {
  const { text } = await read(receipt, 'pdfinfo')
  assert.match(text, /Title: +Comprovante de atendimento/)
  assert.match(text, /Tagged: +yes/)
  const { text: structure } = await read(receipt, 'pdfinfo', '-struct-text')
  const order = ['H1', 'O que foi colhido', 'H2', 'Protocolo', 'dez digitais', 'Ponto 0', 'Ponto 89', 'ABCD-EFGH', 'Confira'].map((part) => structure.indexOf(part))
  assert.deepEqual(order, [...order].sort((a, b) => a - b))
  assert.ok(!order.includes(-1) && !structure.includes('Página 1'), 'the frame of the pages is not read out with the text')
})

test('equal documents are equal files, so that a hash of one stands for it', async () => {
  const [one, again, later] = await Promise.all([
    documents.render(receipt), documents.render(receipt), documents.render({ ...receipt, at: new Date('2026-11-28T12:00:01Z') }),
  ])
  assert.ok(one.equals(again))
  assert.ok(!one.equals(later))
})
