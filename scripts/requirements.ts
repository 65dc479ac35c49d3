/** The programs that the tests drive, where to look for them, and how Debian provides them. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Requirement {
  readonly name: string
  /** What is missing without it, for the message. */
  readonly reason: string
  /** Environment variable that names the program (or its folder) outright. */
  readonly variable?: string
  readonly programs: readonly string[]
  readonly globs: readonly string[]
  /** What must be there beside the program. */
  readonly files?: readonly string[]
  readonly debian: readonly string[]
}

const REQUIREMENTS: readonly Requirement[] = [
  {
    name: 'Chromium',
    reason: 'the browser tests',
    variable: 'CHROMIUM_PATH',
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    globs: ['/opt/google/chrome/chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
    debian: ['chromium', 'fonts-liberation'],
  },
  {
    name: 'PostgreSQL server',
    reason: 'the store tests on a real PostgreSQL',
    programs: ['initdb'],
    globs: ['/usr/lib/postgresql/*/bin/initdb'],
    debian: ['postgresql'],
  },
  { name: 'Redis server', reason: 'the tests with REDIS_URL', programs: ['redis-server', 'valkey-server'], globs: [], debian: ['redis-server'] },
  { name: 'Poppler', reason: 'reading the PDFs that the program makes', programs: ['pdftotext'], globs: [], debian: ['poppler-utils'] },
  { name: 'qpdf', reason: 'the independent check of sealed PDFs', programs: ['qpdf'], globs: [], debian: ['qpdf'] },
  { name: 'SoftHSM', reason: 'keys in a token (PKCS #11)', programs: ['softhsm2-util'], globs: [], debian: ['softhsm2'] },
  {
    name: 'Java with BouncyCastle',
    reason: 'the independent check of signatures',
    programs: ['javac'],
    globs: [],
    files: ['/usr/share/java/bcpkix.jar'],
    debian: ['default-jdk-headless', 'libbcpkix-java'],
  },
  { name: 'OpenSSL', reason: 'the independent check of certificates and signatures', programs: ['openssl'], globs: [], debian: ['openssl'] },
]

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function find(requirement: Requirement): string | undefined {
  const named = requirement.variable ? process.env[requirement.variable] : undefined
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    ...(named ? [named] : []),
    ...requirement.programs.flatMap((program) => folders.map((folder) => join(folder, program))),
    ...requirement.globs.flatMap((pattern) => (pattern.includes('*') ? globSync(pattern) : [pattern])),
  ]
  return (requirement.files ?? []).every((file) => existsSync(file)) ? candidates.find(isProgram) : undefined
}

/** Installs Debian packages without a question; false when this machine or user cannot. */
function installFromDebian(packages: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return false
  process.stdout.write(`Installing ${packages.join(', ')} ...\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = (...words: string[]) => spawnSync('apt-get', words, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  run('update', '-qq')
  return run('install', '-y', '-qq', '--no-install-recommends', ...packages)
}

/**
 * pgvector for the PostgreSQL that is here, where the system has a package of it (Debian from 13 on).
 *
 * It is nothing that the tests need: without it those of the search on PostgreSQL say that they were left out.
 */
function addVectors(): void {
  const versions = globSync('/usr/lib/postgresql/*/bin/initdb').map((program) => Number(program.split('/')[4]))
  const newest = Math.max(...versions)
  if (versions.length === 0 || existsSync(`/usr/share/postgresql/${newest}/extension/vector.control`)) return
  const name = `postgresql-${newest}-pgvector`
  if (spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0) installFromDebian([name])
}

/**
 * Makes sure that every program is there; the list of what is still missing, with how to get it.
 *
 * As root on Debian or Ubuntu it installs what is missing; elsewhere it changes nothing.
 */
export function missingRequirements(): string[] {
  const missing = () => REQUIREMENTS.filter((requirement) => !find(requirement))
  const first = missing()
  if (first.length > 0) installFromDebian(first.flatMap((requirement) => requirement.debian))
  addVectors()
  return missing().map(
    ({ name, reason, variable, debian }) =>
      `${name} (for ${reason}): sudo apt-get install ${debian.join(' ')}${variable ? `, or set ${variable}` : ''}`,
  )
}
