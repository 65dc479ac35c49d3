import { fdatasyncSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { PGlite, postgresMod } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/**
 * PGlite's file system on disk with a working fsync.
 *
 * Emscripten's one has no fsync operation, so PostgreSQL's calls did nothing and a power cut could lose acknowledged commits.
 */
class SyncedNodeFs extends NodeFS {
  override async init(pg: PGlite, options: Partial<postgresMod.PostgresMod>) {
    const ready = await super.init(pg, options)
    ready.emscriptenOpts.preRun = [
      ...(ready.emscriptenOpts.preRun ?? []),
      (module) => {
        const operations: object = Reflect.get(Reflect.get(module.FS.filesystems, 'NODEFS'), 'stream_ops')
        Reflect.set(operations, 'fsync', (stream: { nfd?: number }) => {
          if (stream.nfd !== undefined) fdatasyncSync(stream.nfd)
          return 0
        })
      },
    ]
    return ready
  }
}

export function createSyncedFs(folder: string): NodeFS {
  return new SyncedNodeFs(folder)
}

const PARALLEL_SYNCS = 8

/** Brings every file and folder under `folder` to the disk; once, after the first start, whose set-up tool does not sync. */
export async function syncTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const targets = [
    folder,
    ...entries.filter((entry) => entry.isFile() || entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name)),
  ]
  const next = async (): Promise<void> => {
    for (let target = targets.pop(); target !== undefined; target = targets.pop()) await synced(target)
  }
  await Promise.all(Array.from({ length: PARALLEL_SYNCS }, next))
}

async function synced(target: string): Promise<void> {
  const handle = await open(target, 'r')
  await handle.sync().finally(() => handle.close())
}
