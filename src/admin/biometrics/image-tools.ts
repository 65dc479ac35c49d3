import { constants } from 'node:fs'
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Cpf, parseCpf } from '../../accounts/index.ts'
import type { AuditActor } from '../../audit/index.ts'
import type { Custody, FaceJobs, ImageTransfer, ImportFiles, IntegrityCheck, Lock, ManifestPlace, Unlock } from '../../biometrics/index.ts'
import { isSealed, MANIFEST_NAME, openFolder, openTar, readSealKey, unseal } from '../../biometrics/index.ts'
import { lastMomentOf } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { UsageError, type Typed } from '../command.ts'
import { ADMIN_PROBLEMS } from '../problems.ts'

/** What the image commands work on; each part is opened when first asked for. */
export interface ImageTools {
  readonly custody: () => Promise<Custody>
  readonly integrity: () => Promise<IntegrityCheck>
  readonly jobs: () => Promise<FaceJobs>
  readonly transfer: () => Promise<ImageTransfer>
  readonly setting: ImageSetting
}

export interface ImageSetting {
  /** Who is at the keyboard. */
  readonly actor: AuditActor
  /** Where progress is shown: not part of the answer. */
  readonly progress: (text: string) => void
  readonly parallel: number
}

export function cpfFrom(text = ''): Cpf {
  const cpf = parseCpf(text)
  if (!cpf) throw new UsageError('Esse CPF não existe: confira os números.')
  return cpf
}

export function dateFrom(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const end = lastMomentOf(text)
  if (!end) throw new UsageError('A data se escreve AAAA-MM-DD.')
  return end
}

/** A passphrase or key never stands on the command line. */
async function secretFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: path })
  if ((found.mode & 0o077) !== 0) throw new UsageError('Só você pode ler o arquivo da senha ou da chave privada: use chmod 600.')
  return readFile(path, 'utf8')
}

async function passphraseFrom(path: string): Promise<string> {
  const passphrase = (await secretFile(path)).replace(/\r?\n$/, '')
  if (passphrase.length < 16) throw new UsageError('A senha do arquivo precisa de 16 caracteres ou mais.')
  return passphrase
}

export async function lockFrom({ text }: Typed): Promise<Lock | undefined> {
  const [passphrase, key] = [text('senha-arquivo'), text('chave-publica')]
  if (passphrase !== undefined) return { passphrase: await passphraseFrom(passphrase) }
  if (key === undefined) return undefined
  const pem = await readFile(key, 'utf8').catch((cause: unknown) => {
    throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: key, cause })
  })
  return { publicKey: readSealKey(pem, 'public') }
}

async function unlockFrom({ text }: Typed): Promise<Unlock> {
  const [passphrase, key] = [text('senha-arquivo'), text('chave-privada')]
  if (passphrase !== undefined) return { passphrase: await passphraseFrom(passphrase) }
  if (key !== undefined) return { privateKey: readSealKey(await secretFile(key), 'private') }
  throw new UsageError('O arquivo está cifrado: diga --senha-arquivo ou --chave-privada.')
}

/** The manifest and files that an import was told of; `close` removes what was opened in between. */
export async function sourcesFrom(typed: Typed, say: (text: string) => void): Promise<{ manifest: ManifestPlace; files: ImportFiles; close: () => Promise<void> }> {
  const [manifest, folder, tar] = [typed.text('manifesto'), typed.text('pasta'), typed.text('tar')]
  if ((folder === undefined) === (tar === undefined)) throw new UsageError('Diga --pasta ou --tar, um dos dois.')
  if (folder !== undefined) {
    if (manifest === undefined) throw new UsageError('Falta a opção --manifesto.')
    return { manifest: { path: manifest }, files: await openFolder(folder), close: async () => {} }
  }
  const { path, remove } = await openedArchive(tar ?? '', typed, say)
  try {
    const files = await openTar(path)
    const inside = files.place(MANIFEST_NAME)
    if (manifest === undefined && inside === undefined) throw new UsageError(`Falta --manifesto, e o arquivo não traz ${MANIFEST_NAME}.`)
    const place = manifest === undefined ? { path, ...inside } : { path: manifest }
    return { manifest: place, files, close: async () => void (await Promise.all([files.close(), remove()])) }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Name of what a sealed archive is opened into: beside it, with the process whose it is. */
const OPENED = /\.(\d+)\.aberto$/

/** A sealed archive is opened into a file of ours beside it, which goes when the command ends. */
async function openedArchive(path: string, typed: Typed, say: (text: string) => void): Promise<{ path: string; remove: () => Promise<void> }> {
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: path, cause })
  })
  const plainPath = `${path}.${process.pid}.aberto`
  const remove = () => rm(plainPath, { force: true })
  try {
    await removeLeftovers(dirname(path), say)
    if (!(await isSealed(file))) return { path, remove: async () => {} }
    const by = await unlockFrom(typed)
    await remove()
    const plain = await open(plainPath, 'wx', 0o600)
    try {
      await unseal(file, by, (bytes) => plain.writeFile(bytes))
    } catch (error) {
      await remove()
      throw error
    } finally {
      await plain.close()
    }
    return { path: plainPath, remove }
  } finally {
    await file.close()
  }
}

/** What imports that were killed left open in this folder: pictures of people that anybody with the disk could see. */
async function removeLeftovers(folder: string, say: (text: string) => void): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, owner] = OPENED.exec(name) ?? []
    if (owner === undefined || isRunning(Number(owner))) continue
    await rm(join(folder, name), { force: true })
    say(`Uma importação interrompida deixou um arquivo aberto, sem cifra, que foi apagado: ${join(folder, name)}\n`)
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process lives, and may not be asked.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
