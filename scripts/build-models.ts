/** `npm run models`: puts every net that the program runs into one folder, built from the npm package or fetched from its publisher. */
import { parseArgs } from 'node:util'
import { forgetFailure } from '../src/biometrics/nets/first-download.ts'
import type { InstalledNet, InstallProgress } from '../src/biometrics/nets/installation.ts'
import { buildFetchedNet, installModels, ModelInstallError } from '../src/biometrics/nets/installation.ts'
import { readFetchedNets } from '../src/biometrics/nets/manifest.ts'
import { buildNet, checksum, openAllModelFiles, readModelManifest } from '../src/biometrics/onnx/model-files.ts'

const HELP = `Usage: npm run models [-- [DIRECTORY] [--from FOLDER] [--builtin-only] [--sums]]
  DIRECTORY       where the ONNX files go (default .data/models)
  --from FOLDER   take the publishers' files from a folder (flat, or one sub-folder a publisher) instead of the network
  --builtin-only  only what the installed npm package builds; nothing is fetched
  --sums          write nothing; print what the weights build today, for models/manifest.json (fetched nets: with --from)
Fetched nets come from their publishers over https; models/manifest.json pins addresses, versions and checksums of both the
publishers' files and of what is installed. What is there already stays.
`

const write = (text: string) => process.stdout.write(text)

/** One line that is drawn again: all nets together, in a terminal only. */
function createProgressBar(): { readonly onProgress: (progress: InstallProgress) => void; readonly clear: () => void } {
  const nets = new Map<string, InstallProgress>()
  const draw = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`)
  return {
    onProgress(progress) {
      nets.set(progress.name, progress)
      const all = [...nets.values()]
      const total = all.reduce((sum, net) => sum + net.total, 0)
      const received = all.reduce((sum, net) => sum + net.received, 0)
      const cells = Math.round((received / total) * 30)
      draw(
        `[${'#'.repeat(cells)}${'.'.repeat(30 - cells)}] ${(received / 1e6).toFixed(1)}/${(total / 1e6).toFixed(1)} MB  ${progress.name}: ${progress.step}`,
      )
    },
    clear: () => draw(''),
  }
}

function tellFetched({ state, path, bytes, sha256 }: InstalledNet): void {
  write(`${state} ${path} (${(bytes / 1e6).toFixed(1)} MB, sha256 ${sha256})\n`)
}

async function printSums(from: string | undefined): Promise<void> {
  const line = (built: string, file: string, pinned: string) =>
    write(`${built}  ${file}${built === pinned ? '' : `  (the manifest says ${pinned})`}\n`)
  for (const { name, file, sha256 } of (await readModelManifest()).nets) line(checksum(await buildNet(name)), file, sha256)
  if (from === undefined) return
  for (const net of await readFetchedNets()) line(checksum(await buildFetchedNet(net, from)), net.file, net.sha256)
}

async function installFetched(modelsDir: string, from: string | undefined): Promise<void> {
  const bar = createProgressBar()
  await forgetFailure(modelsDir)
  try {
    const installed = await installModels({ modelsDir, from, onProgress: bar.onProgress })
    bar.clear()
    installed.forEach(tellFetched)
  } catch (error) {
    bar.clear()
    if (!(error instanceof ModelInstallError)) throw error
    error.installed.forEach(tellFetched)
    for (const { name, reason } of error.failures) process.stderr.write(`missing ${name}: ${reason.message}\n`)
    process.stderr.write('Without them the program runs on the built-in nets. Try again, or give their files with --from FOLDER.\n')
    process.exitCode = 1
  }
}

async function run({ values, positionals }: ReturnType<typeof readWords>): Promise<void> {
  if (values.help) return void write(HELP)
  if (values.sums) return printSums(values.from)
  const started = performance.now()
  const directory = positionals[0] ?? '.data/models'
  for (const { path, bytes, state, found, sha256 } of await openAllModelFiles(directory)) {
    const was = found ? `, replaced one with sha256 ${found}` : ''
    write(`${state} ${path} (${(bytes.length / 1e6).toFixed(1)} MB, sha256 ${sha256}${was})\n`)
  }
  if (!values['builtin-only']) await installFetched(directory, values.from)
  write(`${((performance.now() - started) / 1000).toFixed(2)} s\n`)
}

function readWords() {
  return parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      sums: { type: 'boolean' },
      'builtin-only': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

let words: ReturnType<typeof readWords> | undefined
try {
  words = readWords()
  if (words.positionals.length > 1) throw new Error('more than one directory')
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'unknown words'}\n${HELP}`)
  process.exitCode = 2
}
if (words && process.exitCode === undefined) await run(words)
