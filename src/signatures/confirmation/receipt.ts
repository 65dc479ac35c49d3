import { type Cpf, maskCpf } from '../../accounts/index.ts'
import { CIVIL_ZONE } from '../../platform/clock.ts'
import type { ReadableDocument } from '../../platform/documents/documents.ts'
import type { Envelope } from '../envelope/envelope.ts'
import type { SignatureRecord } from './records.ts'
import type { PaperTexts } from './stamp.ts'

export interface ReceiptLine extends SignatureRecord {
  readonly cpf: Cpf | undefined
}

export interface ReceiptOf {
  readonly envelope: Envelope
  readonly lines: readonly ReceiptLine[]
  readonly at: Date
  readonly url: string
  readonly code: string
}

const shownTime = new Intl.DateTimeFormat('pt-BR', { timeZone: CIVIL_ZONE, dateStyle: 'short', timeStyle: 'medium' })

/** What a receipt says: who signed what and when, by hash, so that it proves something without the documents. */
export function receiptOf(texts: PaperTexts, { envelope, lines, at, url, code }: ReceiptOf): ReadableDocument {
  const said = (key: string, params?: Readonly<Record<string, string>>) => texts.text('pt-BR', `assinaturas.receipt.${key}`, params)
  const blocks = lines.flatMap((line): ReadableDocument['blocks'] => [
    { kind: 'heading', text: line.document.name },
    {
      kind: 'facts',
      facts: [
        { name: said('signer'), value: line.cpf ? `${line.signerName} – ${maskCpf(line.cpf)}` : line.signerName },
        ...(line.represented ? [{ name: said('for'), value: `${line.represented.name} – ${line.represented.identifier}` }] : []),
        { name: said('at'), value: shownTime.format(line.signedAt) },
        { name: said('level'), value: `${line.document.form === 'file' ? 'CAdES' : 'PAdES'} ${line.level}` },
        ...(line.timeState === 'stamped' ? [] : [{ name: said('time'), value: said(`time.${line.timeState}`) }]),
        { name: said('serial'), value: line.serial },
        { name: said('original'), value: line.document.sha256 },
        ...(line.document.form === 'pdf' ? [{ name: said('signed'), value: line.sha256 }] : []),
        ...(line.untimedSha256 ? [{ name: said('untimed'), value: line.untimedSha256 }] : []),
        { name: said('code'), value: line.code },
      ],
    },
  ])
  return {
    title: said('title'), language: 'pt-BR', issuer: said('issuer'), foot: said('foot'), at,
    blocks: [
      { kind: 'text', text: said('intro') },
      { kind: 'facts', facts: [{ name: said('envelope'), value: envelope.id }] },
      ...blocks,
      { kind: 'text', text: said('law') },
      { kind: 'verification', label: said('verify'), code, url: `${url}/${code}` },
    ],
  }
}
