import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { checksum, ModelChecksumError, writeWhole } from '../onnx/model-files.ts'
import type { FetchedNet, FetchedNetName } from './manifest.ts'
import { readNetsOf } from './manifest.ts'
import type { OpenAddress } from './originals.ts'
import { fetchOriginal, readOriginal } from './originals.ts'
import { convertMinifasnet } from './minifasnet.ts'
import { convertReidentification } from './reidentification.ts'
import { convertYunet } from './yunet.ts'

export interface InstalledNet {
  readonly name: FetchedNetName
  readonly set: FetchedNet['set']
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** `replaced`: a file was there with another checksum. */
  readonly state: 'present' | 'installed' | 'replaced'
}

/** How far one net is; `received` falls back to the net's start when a transfer is tried again. */
export interface InstallProgress {
  readonly name: FetchedNetName
  readonly step: 'fetching' | 'converting' | 'done'
  readonly received: number
  readonly total: number
}

export interface InstallOptions {
  readonly modelsDir: string
  /** A folder of originals to read instead of asking the publishers. */
  readonly from?: string | undefined
  readonly onProgress?: ((progress: InstallProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Everything that is not there by then is given up. */
  readonly deadlineMs?: number | undefined
  /** Only these nets (default: all). */
  readonly names?: readonly FetchedNetName[] | undefined
  /** For tests. */
  readonly publisher?:
    | { readonly openAddress: OpenAddress; readonly firstPauseMs: number; readonly nets?: readonly FetchedNet[] }
    | undefined
}

/** Some nets are not there; `installed` tells which are all the same, `failures` why the others are not. */
export class ModelInstallError extends Error {
  readonly installed: readonly InstalledNet[]
  readonly failures: readonly { readonly name: FetchedNetName; readonly reason: Error }[]
  constructor(installed: readonly InstalledNet[], failures: readonly { readonly name: FetchedNetName; readonly reason: Error }[]) {
    super(failures.map(({ name, reason }) => `${name}: ${reason.message}`).join('; '))
    this.name = 'ModelInstallError'
    this.installed = installed
    this.failures = failures
  }
}

/** From the publisher's files, in the manifest's order, to what the runtime reads. */
const CONVERTERS: ReadonlyMap<FetchedNetName, (originals: readonly Uint8Array[]) => Uint8Array> = new Map([
  ['yunet', ([published]) => convertYunet(given(published))],
  ['reidentification-0095', ([description, weights]) => convertReidentification(given(description), given(weights))],
  ['minifasnet-v2', ([checkpoint]) => convertMinifasnet(given(checkpoint), { title: 'minifasnet-v2', squeeze: false })],
  ['minifasnet-v1se', ([checkpoint]) => convertMinifasnet(given(checkpoint), { title: 'minifasnet-v1se', squeeze: true })],
])

/** A net without a converter of its own is taken as its publisher gives it, which only ONNX allows. */
function converted({ name, form }: FetchedNet, originals: readonly Uint8Array[]): Uint8Array {
  const convert = CONVERTERS.get(name)
  if (!convert && form !== 'onnx') throw new Error(`${name}: there is no converter from ${form} for it; give it as ONNX`)
  return convert ? convert(originals) : given(originals[0])
}

/**
 * Every fetched net of the manifest in `modelsDir`: what is there with the right checksum stays, the rest is fetched and converted.
 *
 * Originals and results are both pinned; a file appears whole or not at all, so several processes may install at once.
 * @throws {ModelInstallError} When at least one net is missing at the end; the others are installed all the same.
 */
export async function installModels(options: InstallOptions): Promise<InstalledNet[]> {
  const deadline = options.deadlineMs === undefined ? [] : [AbortSignal.timeout(options.deadlineMs)]
  const signal = AbortSignal.any([...(options.signal ? [options.signal] : []), ...deadline])
  const nets = (options.publisher?.nets ?? (await readNetsOf(options.modelsDir))).filter(
    ({ name }) => options.names?.includes(name) ?? true,
  )
  const results = await Promise.allSettled(nets.map((net) => install(net, { ...options, signal })))
  const installed = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failures = results.flatMap((result, index) => {
    const name = nets[index]?.name
    return result.status === 'rejected' && name ? [{ name, reason: asError(result.reason) }] : []
  })
  if (failures.length > 0) throw new ModelInstallError(installed, failures)
  return installed
}

/**
 * The installed net's bytes; undefined when it is not installed.
 *
 * @throws {ModelChecksumError} When a file is there and is not the one that the manifest pins: nothing may run on it.
 */
export async function findFetchedNet(name: FetchedNetName, modelsDir: string): Promise<Uint8Array | undefined> {
  const net = (await readNetsOf(modelsDir)).find((entry) => entry.name === name)
  const bytes = net && (await readInstalled(net, modelsDir))
  if (!net || !bytes) return undefined
  const found = checksum(bytes)
  if (found !== net.sha256) throw new ModelChecksumError(path.join(modelsDir, net.file), net.sha256, found)
  return bytes
}

/** What the given originals become today, whatever the manifest says; for checking and for pinning new sums. */
export async function buildFetchedNet(net: FetchedNet, from: string): Promise<Uint8Array> {
  return converted(net, await Promise.all(net.originals.map((original) => fromFolder(original, from))))
}

async function install(net: FetchedNet, options: InstallOptions): Promise<InstalledNet> {
  const file = path.join(options.modelsDir, net.file)
  const total = net.originals.reduce((sum, { bytes }) => sum + bytes, 0)
  const tell = (step: InstallProgress['step'], received: number) => options.onProgress?.({ name: net.name, step, received, total })
  const described = { name: net.name, set: net.set, path: file, sha256: net.sha256 }
  const present = await readInstalled(net, options.modelsDir)
  if (present && checksum(present) === net.sha256) {
    tell('done', total)
    return { ...described, bytes: present.length, state: 'present' }
  }
  if (net.originals.length === 0) throw new Error(`nobody publishes it: put the file with sha256 ${net.sha256} at ${file}`)
  const originals = await originalsOf(net, options, (received) => tell('fetching', received))
  tell('converting', total)
  const bytes = converted(net, originals)
  const found = checksum(bytes)
  if (found !== net.sha256) throw new ModelChecksumError(net.file, net.sha256, found)
  await writeWhole(file, bytes)
  tell('done', total)
  return { ...described, bytes: bytes.length, state: present ? 'replaced' : 'installed' }
}

async function originalsOf(net: FetchedNet, options: InstallOptions, onBytes: (received: number) => void): Promise<Uint8Array[]> {
  const { from, signal, publisher } = options
  const found: Uint8Array[] = []
  for (const original of net.originals) {
    const before = found.reduce((sum, { length }) => sum + length, 0)
    const tell = (received: number) => onBytes(before + received)
    const bytes =
      from === undefined ? await fetchOriginal(original, { ...publisher, signal, onBytes: tell }) : await fromFolder(original, from)
    tell(bytes.length)
    found.push(bytes)
  }
  return found
}

async function fromFolder(original: FetchedNet['originals'][number], from: string): Promise<Uint8Array> {
  const bytes = await readOriginal(original, from)
  if (!bytes) throw new Error(`${original.file} is neither in ${from} nor in ${path.join(from, original.folder)}`)
  return bytes
}

async function readInstalled({ file }: FetchedNet, modelsDir: string): Promise<Uint8Array | undefined> {
  return readFile(path.join(modelsDir, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
}

function given(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new Error('the manifest names too few originals')
  return bytes
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
