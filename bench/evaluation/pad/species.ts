import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { Manner } from './presentation.ts'

/** Presentation attack instrument species (ISO/IEC 30107-3), by the folder that its pictures are in. */
export interface Species {
  readonly name: string
  readonly files: readonly string[]
  readonly kind: 'bona fide' | 'presentation' | 'injection'
  readonly simulated: boolean
  readonly manners: readonly Manner[]
}

const BONA_FIDE = 'bonafide'
/** Pictures that reach the server without any camera: no presentation in the sense of ISO/IEC 30107, but what a web camera is open to. */
const INJECTIONS = ['inject_same', 'inject_warp', 'blur_rejpeg']
/** Three real pictures of the Silent-Face project, by name: T = live, F1 = print, F2 = screen. */
const REAL = 'silent-face'

/** What DIR/pad-dev (or any DIR/pad-…) holds; empty when there is none. */
export function readSpecies(data: string): { folder: string; species: readonly Species[] } | undefined {
  const name = readdirSync(data).find((each) => each.startsWith('pad') && existsSync(path.join(data, each, BONA_FIDE)))
  if (name === undefined) return undefined
  const folder = path.join(data, name)
  const kinds = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  return { folder, species: kinds.flatMap((kind) => (kind === REAL ? realOnes(folder) : [simulated(folder, kind)])) }
}

function simulated(folder: string, name: string): Species {
  const files = picturesIn(folder, name)
  if (name === BONA_FIDE) return { name, files, kind: 'bona fide', simulated: false, manners: ['reacting'] }
  const kind = INJECTIONS.includes(name) ? 'injection' : 'presentation'
  return { name, files, kind, simulated: true, manners: ['rigid', 'reacting'] }
}

function realOnes(folder: string): Species[] {
  const files = picturesIn(folder, REAL)
  const of = (letter: string) => files.filter((file) => path.basename(file).startsWith(`image_${letter}`))
  const attack = (name: string, own: readonly string[]): Species => ({
    name,
    files: own,
    kind: 'presentation',
    simulated: false,
    manners: ['rigid', 'reacting'],
  })
  return [
    { name: 'real person (Silent-Face T)', files: of('T'), kind: 'bona fide' as const, simulated: false, manners: ['reacting' as const] },
    attack('real print (Silent-Face F1)', of('F1')),
    attack('real screen (Silent-Face F2)', of('F2')),
  ].filter(({ files: own }) => own.length > 0)
}

function picturesIn(folder: string, name: string): string[] {
  return readdirSync(path.join(folder, name))
    .filter((file) => /\.(jpe?g|png)$/i.test(file))
    .sort()
    .map((file) => path.join(name, file))
}
