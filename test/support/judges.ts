/** Programs that we did not write, asked whether a signature is good. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import type { CorpusFile } from './corpus.ts'
import { partsOfPdf } from './pdf-parts.ts'
import { openssl, run, type SignatureScene } from './signature-scene.ts'

/** `partial`: good for what it covers, and something stands behind it. */
export type Word = 'good' | 'partial' | 'bad'
export interface Words {
  readonly poppler?: Word
  readonly qpdf?: Word
  readonly openssl?: Word
  readonly bouncyCastle?: Word
}

export interface JudgeFiles {
  readonly root: string
  readonly issuing: string
  /** The root and both authorities' lists, in PEM, as OpenSSL wants them. */
  readonly trusted: string
  /** The lists alone, one in each file, DER. */
  readonly lists: readonly string[]
}

const JARS = ['bcprov.jar', 'bcutil.jar', 'bcpkix.jar'].map((jar) => `/usr/share/java/${jar}`).join(path.delimiter)

export async function poppler(scene: SignatureScene, { bytes }: CorpusFile): Promise<Word> {
  const { text } = await run('pdfsig', ['-no-ocsp', scene.write('judged.pdf', bytes)])
  const verdicts = [...text.matchAll(/Signature Validation: (.*)/g)].map(([, word = '']) => word.trim())
  // It knows no document time-stamps (ETSI.RFC3161).
  const stamps = partsOfPdf(bytes).filter(({ isTimeStamp }) => isTimeStamp).length
  const good = verdicts.filter((word) => word === 'Signature is Valid.').length
  if (good === 0 || good < verdicts.length - stamps) return 'bad'
  const [covers] = [...text.matchAll(/- (Total|Not total) document signed/g)].at(-1)?.slice(1) ?? []
  return covers === 'Total' && stamps === 0 ? 'good' : 'partial'
}

export async function qpdf(scene: SignatureScene, { bytes }: CorpusFile): Promise<Word> {
  const { text } = await run('qpdf', ['--check', scene.write('judged.pdf', bytes)])
  return /No syntax or stream encoding errors found/.test(text) ? 'good' : 'bad'
}

/** What each signature of a file is given: itself, and what it says that it signs. */
function partsOf(file: CorpusFile) {
  if (file.signature) return [{ cms: file.signature, signed: file.bytes, isTimeStamp: false }]
  try {
    return partsOfPdf(file.bytes)
  } catch {
    return []
  }
}

export async function opensslWord(scene: SignatureScene, file: CorpusFile, { root, issuing, trusted }: JudgeFiles): Promise<Word> {
  const parts = partsOf(file)
  if (parts.length === 0) return 'bad'
  for (const { cms, signed, isTimeStamp } of parts) {
    const [signature, content] = [scene.write('signature.der', cms), scene.write('signed.bin', signed)]
    const at = String(Math.floor((file.at ?? scene.clock.now()).getTime() / 1000))
    const checked = isTimeStamp
      ? await openssl('ts', '-verify', '-attime', at, '-token_in', '-in', signature, '-data', content, '-CAfile', root, '-untrusted', issuing)
      : await openssl('cms', '-verify', ...(file.plain ? [] : ['-cades']), '-binary', '-inform', 'DER', '-in', signature, '-content', content, '-CAfile', trusted, '-purpose', 'any', '-attime', at, '-crl_check_all', '-extended_crl', '-out', '/dev/null')
    if (!/Verification: OK|Verification successful/i.test(checked.text)) return 'bad'
  }
  return 'good'
}

/** All at once: its start takes longer than its work. */
export function bouncyCastle(scene: SignatureScene, files: readonly CorpusFile[], { root, lists }: JudgeFiles): Map<string, { readonly word: Word; readonly reason: string }> {
  const lines = files.flatMap((file, i) => partsOf(file).filter(({ isTimeStamp }) => !isTimeStamp).map(({ cms, signed }, j) =>
    [file.name, scene.write(`cms-${i}-${j}`, cms), scene.write(`content-${i}-${j}`, signed), (file.at ?? scene.clock.now()).getTime()].join('\t')))
  const program = path.join(import.meta.dirname, 'Judge.java')
  const said = execFileSync('java', ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', JARS, program, scene.write('manifest.txt', lines.join('\n')), root, ...lists], { encoding: 'utf8', timeout: 120_000 })
  const words = new Map<string, { word: Word; reason: string }>(files.map(({ name }) => [name, { word: 'bad', reason: 'no signature' }]))
  const seen = new Set<string>()
  for (const line of said.trim().split('\n')) {
    const [name = '', word, reason = ''] = line.split('\t')
    assert.ok(word === 'good' || word === 'bad', line)
    if (!seen.has(name) || word === 'bad') words.set(name, { word, reason })
    seen.add(name)
  }
  return words
}
