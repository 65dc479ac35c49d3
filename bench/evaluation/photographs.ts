/** The photographs that an evaluation reads: `NAME-pairs.tsv` (columns a, b, same) beside the pictures in `NAME/`, named `Person_0001.jpg`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface Pair {
  readonly left: string
  readonly right: string
  readonly same: boolean
}

export interface Photographs {
  /** What the set is called in the report. */
  readonly name: string
  readonly folder: string
  /** Every picture of the folder, in the order of their names. */
  readonly files: readonly string[]
  /** In the order of the list: the folds of the protocol follow it. */
  readonly pairs: readonly Pair[]
}

const LIST = '-pairs.tsv'

/** Reads the list and the folder's names; undefined when DIR has no such list. @throws {Error} When the list names a picture that is not there. */
export function readPhotographs(data: string): Photographs | undefined {
  const list = readdirSync(data).find((name) => name.endsWith(LIST))
  if (!list) return undefined
  const name = list.slice(0, -LIST.length)
  const folder = path.join(data, name)
  const [, ...lines] = readFileSync(path.join(data, list), 'utf8').trim().split('\n')
  const pairs = lines.map((line): Pair => {
    const [left = '', right = '', same] = line.split('\t')
    return { left, right, same: same?.trim() === '1' }
  })
  const missing = pairs.flatMap(({ left, right }) => [left, right]).find((file) => !existsSync(path.join(folder, file)))
  if (missing !== undefined) throw new Error(`${list} names ${missing}, which is not in ${name}/`)
  return {
    name,
    folder,
    files: readdirSync(folder)
      .filter((file) => /\.(jpe?g|png)$/i.test(file))
      .sort(),
    pairs,
  }
}

/** The person that a picture is of, by its name. */
export function identityOf(file: string): string {
  return file.replace(/_\d+\.\w+$/, '')
}
