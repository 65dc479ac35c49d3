import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { HttpContext } from '../../../platform/http/request-facts.ts'

/** A multiple of three: the base64 of the pieces is that of the whole. Some tenths of a millisecond each. */
const PIECE_BYTES = 3 * 64 * 1024

export interface SignDocAnswer {
  readonly DocumentWithSignature: readonly Buffer[]
  readonly SignatureObject: readonly Buffer[]
  readonly validationInfo: object | undefined
}

/** JSON text, or a file that stands in it as base64. */
type Part = string | Buffer

/** Answers with whole files in JSON, written as they are sent: in one piece they would hold everybody else up. */
export function answerWithFiles(ctx: HttpContext, { DocumentWithSignature, SignatureObject, validationInfo }: SignDocAnswer): void {
  const members = [
    ...(DocumentWithSignature.length > 0 ? [listOf('DocumentWithSignature', DocumentWithSignature)] : []),
    ...(SignatureObject.length > 0 ? [listOf('SignatureObject', SignatureObject)] : []),
    ...(validationInfo ? [[`"validationInfo":${JSON.stringify(validationInfo)}`]] : []),
  ]
  const parts: Part[] = ['{', ...members.flatMap((member, index) => (index === 0 ? member : [',', ...member])), '}']
  ctx.type = 'json'
  ctx.body = Readable.from(piecesOf(parts), { objectMode: false })
  ctx.length = parts.reduce((sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : 4 * Math.ceil(part.length / 3)), 0)
}

function listOf(name: keyof SignDocAnswer, files: readonly Buffer[]): Part[] {
  return [`"${name}":[`, ...files.flatMap((file, index) => [index === 0 ? '"' : ',"', file, '"']), ']']
}

async function* piecesOf(parts: readonly Part[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (typeof part === 'string') {
      yield Buffer.from(part)
      continue
    }
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      yield Buffer.from(part.toString('base64', at, Math.min(at + PIECE_BYTES, part.length)), 'latin1')
      // A quick reader takes piece after piece: others have their turn in between.
      await turn()
    }
  }
}
