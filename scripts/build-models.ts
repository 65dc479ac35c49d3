/** Builds the ONNX nets from the installed npm package: `build-models.ts [DIRECTORY]`; `--sums` prints their checksums instead. */
import { buildNet, checksum, openAllModelFiles, readModelManifest } from '../src/biometrics/onnx/model-files.ts'

const HELP = `Usage: node scripts/build-models.ts [DIRECTORY] [--sums]
  DIRECTORY  where the ONNX files go (default .data/models)
  --sums     write nothing; print what the installed weights build, for models/manifest.json
`

const words = process.argv.slice(2)
const unknown = words.find((word) => word.startsWith('-') && word !== '--sums')
if (unknown || words.includes('--help') || words.includes('-h')) {
  process.stdout.write(HELP)
  process.exitCode = unknown && !/^(-h|--help)$/.test(unknown) ? 2 : 0
} else if (words.includes('--sums')) {
  for (const { name, file, sha256 } of (await readModelManifest()).nets) {
    const built = checksum(await buildNet(name))
    process.stdout.write(`${built}  ${file}${built === sha256 ? '' : `  (the manifest says ${sha256})`}\n`)
  }
} else {
  const started = performance.now()
  for (const { path, bytes, state, found, sha256 } of await openAllModelFiles(words[0] ?? '.data/models')) {
    const was = found ? `, replaced one with sha256 ${found}` : ''
    process.stdout.write(`${state} ${path} (${(bytes.length / 1e6).toFixed(1)} MB, sha256 ${sha256}${was})\n`)
  }
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(2)} s\n`)
}
