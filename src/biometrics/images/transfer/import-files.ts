import { constants } from 'node:fs'
import { lstat, open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Problem } from '../../../platform/problem.ts'
import { PHOTO_LIMITS } from '../../image.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import { indexTar, readAt, safeName, type TarEntry } from './tar-reader.ts'

/** Why a file of a manifest cannot be had. */
export type FileRefusal = 'file-name' | 'file-missing' | 'file-not-plain' | 'image-too-large'

/** The files that a manifest names. */
export interface ImportFiles {
  /** Never more than a picture may have, whatever the file claims to be. */
  read(name: string): Promise<Buffer | FileRefusal>
  close(): Promise<void>
}

/** Files under a folder: names stay inside, links are not followed, nothing but plain files is read. */
export async function openFolder(folder: string): Promise<ImportFiles> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new Problem(IMAGE_PROBLEMS.archiveInvalid, { detail: 'the folder of the files cannot be read', cause })
  })
  return { read: (name) => readInside(root, name), close: async () => {} }
}

async function readInside(root: string, raw: string): Promise<Buffer | FileRefusal> {
  const name = safeName(raw)
  if (name === undefined) return 'file-name'
  const path = join(root, name)
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return 'file-missing'
  if (!found.isFile()) return 'file-not-plain'
  // A folder on the way may be a link, and anything may change between the looks: the opened file decides.
  if ((await realpath(path)) !== path || !path.startsWith(root + sep)) return 'file-not-plain'
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return 'file-missing'
  try {
    const stat = await file.stat()
    if (!stat.isFile() || stat.ino !== found.ino || stat.dev !== found.dev) return 'file-not-plain'
    return stat.size > PHOTO_LIMITS.maxBytes ? 'image-too-large' : await readAt(file, 0, stat.size)
  } finally {
    await file.close()
  }
}

/** Files inside a tar archive, read where they lie. @throws {Problem} biometrics/archive-invalid */
export async function openTar(path: string): Promise<ImportFiles & { place(name: string): TarEntry | undefined }> {
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw new Problem(IMAGE_PROBLEMS.archiveInvalid, { detail: 'the tar archive cannot be read', cause })
  })
  try {
    const entries = await indexTar(file)
    return {
      place: (name) => entries.get(name),
      async read(raw) {
        const name = safeName(raw)
        if (name === undefined) return 'file-name'
        const entry = entries.get(name)
        if (entry === undefined) return 'file-missing'
        return entry.size > PHOTO_LIMITS.maxBytes ? 'image-too-large' : readAt(file, entry.offset, entry.size)
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}
