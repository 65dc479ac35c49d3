/** A base of images to import: real faces of the samples in the npm package, as many as wanted, with lines that must be refused in between. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { cpfOfNobody } from './citizen-journey.ts'
import { frameOf, HEADS } from './face-samples.ts'

export interface ImportBase {
  readonly manifest: string
  readonly folder: string
  /** The base register that knows the people of the lines. */
  readonly register: string
  readonly expected: { readonly stored: number; readonly refused: number }
}

/** Of so many lines one is refused, each time for another reason. */
const REFUSED_EVERY = 8
const FILES_A_FOLDER = 1000
const LOOKS = [{}, { brightness: 0.9 }, { brightness: 1.1 }, { mirrored: true }, { quality: 80 }, { mirrored: true, brightness: 0.95 }] as const

/** What a line is refused for, by what is wrong with it. */
const FAULTS = ['line-invalid', 'cpf-unknown', 'file-missing', 'image-not-an-image', 'image-truncated', 'face/none'] as const

/** Writes `count` lines with their files below `root`. */
export async function writeImportBase(root: string, count: number): Promise<ImportBase> {
  const faces = await Promise.all(LOOKS.flatMap((look) => [HEADS.first, HEADS.other, HEADS.third].map((head) => frameOf(head, { zoom: 0.7, ...look }))))
  const wall = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#8aa07c' } }).jpeg().toBuffer()
  const people: string[] = []
  const lines: string[] = []
  const expected = { stored: 0, refused: 0 }
  for (let index = 0; index < count; index += 1) {
    const fault = index % REFUSED_EVERY === REFUSED_EVERY - 1 ? FAULTS[Math.floor(index / REFUSED_EVERY) % FAULTS.length] : undefined
    const [cpf, file] = [cpfOfNobody(index), `${Math.floor(index / FILES_A_FOLDER)}/${index}.jpg`]
    if (fault !== 'cpf-unknown') people.push(`${cpf},Pessoa Inventada Arruda,,1970-01-01,regular`)
    const face = faces[index % faces.length] ?? wall
    const bytes = withComment(fault === 'face/none' ? wall : face, `picture ${index}`)
    if (index % FILES_A_FOLDER === 0) mkdirSync(path.join(root, String(index / FILES_A_FOLDER)), { recursive: true })
    if (fault === 'image-not-an-image') writeFileSync(path.join(root, file), 'not a picture')
    else if (fault !== 'file-missing') writeFileSync(path.join(root, file), fault === 'image-truncated' ? bytes.subarray(0, bytes.length - 200) : bytes)
    const line = { cpf, kind: 'face', file, captured_at: '2021-05-01T10:00:00-04:00', source_id: `RG-${index}`, trusted: true }
    lines.push(fault === 'line-invalid' ? '{"cpf":' : JSON.stringify(line))
    expected[fault === undefined ? 'stored' : 'refused'] += 1
  }
  const [manifest, register] = [path.join(root, 'manifest.ndjson'), path.join(root, 'register.csv')]
  writeFileSync(manifest, `${lines.join('\n')}\n`)
  writeFileSync(register, ['cpf,name,social_name,birth_date,situation', ...people, ''].join('\n'))
  return { manifest, folder: root, register, expected }
}

/** The same picture as another file: no two people may have one and the same. */
function withComment(jpeg: Buffer, text: string): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2])
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from(text, 'latin1'), jpeg.subarray(2)])
}
