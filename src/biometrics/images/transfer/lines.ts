import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Problem } from '../../../platform/problem.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import { LONGEST_LINE } from './manifest.ts'

/** Where a manifest lies: a file, or a stretch of an archive. */
export interface ManifestPlace {
  readonly path: string
  readonly offset?: number | undefined
  readonly size?: number | undefined
}

/** Lines with their numbers from 1, empty ones left out; a line that is far too long comes as an empty text, never whole into memory. */
export async function* readLines({ path, offset = 0, size }: ManifestPlace, onBytes: (bytes: Buffer) => void = () => {}): AsyncGenerator<{ line: number; text: string }> {
  if (size === 0) return
  const stream = createReadStream(path, { start: offset, ...(size !== undefined && { end: offset + size - 1 }) })
  let rest = Buffer.alloc(0)
  let isOverlong = false
  let line = 0
  const finish = (bytes: Buffer) => {
    line++
    const text = isOverlong || bytes.length > LONGEST_LINE ? '' : bytes.toString('utf8').replace(/^\uFEFF/, '').trim()
    const found = { line, text, isBlank: text === '' && !isOverlong && bytes.length <= LONGEST_LINE }
    isOverlong = false
    return found
  }
  try {
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) continue
      onBytes(chunk)
      let from = 0
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
        const found = finish(Buffer.concat([rest, chunk.subarray(from, end)]))
        rest = Buffer.alloc(0)
        from = end + 1
        if (!found.isBlank) yield found
      }
      rest = Buffer.concat([rest, chunk.subarray(from)])
      if (rest.length > LONGEST_LINE) {
        isOverlong = true
        rest = Buffer.alloc(0)
      }
    }
  } catch (cause) {
    throw new Problem(IMAGE_PROBLEMS.archiveInvalid, { detail: 'the manifest cannot be read', cause })
  }
  const last = finish(rest)
  if (!last.isBlank) yield last
}

/** Sum and number of lines: the manifest's identity, so that a second run knows the first. */
export async function fingerprint(place: ManifestPlace): Promise<{ sha256: Buffer; lines: number }> {
  const hash = createHash('sha256')
  let lines = 0
  for await (const _ of readLines(place, (bytes) => hash.update(bytes))) lines++
  return { sha256: hash.digest(), lines }
}
