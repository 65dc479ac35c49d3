/**
 * Every option of the server, in one schema; the only reader of the environment.
 *
 * A new option is one line in OPTIONS (and `npm run docs`): its variable, what it does, how its text is parsed, its default as text.
 * `.env.example` and README's table are generated from here. A new switch needs a reason: prefer a good constant.
 */
import { z } from 'zod'
import { Sensitive } from './sensitive.ts'

interface Option<T> {
  readonly env: string
  readonly description: string
  readonly fallback: string | undefined
  readonly secret: boolean
  readonly parse: (text: string | undefined) => { value: T } | { fault: string }
}

function option<T>(env: string, description: string, schema: z.ZodType<T, string>, fallback: string): Option<T> {
  return { env, description, fallback, secret: false, parse: (text) => parsed(schema, text ?? fallback) }
}

function optional<T>(env: string, description: string, schema: z.ZodType<T, string>): Option<T | undefined> {
  return {
    env,
    description,
    fallback: undefined,
    secret: false,
    parse: (text) => (text === undefined ? { value: undefined } : parsed(schema, text)),
  }
}

/** Always optional, wrapped in Sensitive, never quoted in a fault. */
function secret<T>(env: string, description: string, schema: z.ZodType<T, string>): Option<Sensitive<T> | undefined> {
  const hidden = schema.transform((value) => new Sensitive(value))
  return {
    env,
    description,
    fallback: undefined,
    secret: true,
    parse: (text) => (text === undefined ? { value: undefined } : parsed(hidden, text)),
  }
}

function parsed<T>(schema: z.ZodType<T, string>, text: string): { value: T } | { fault: string } {
  const result = schema.safeParse(text.trim())
  return result.success ? { value: result.data } : { fault: result.error.issues.map((issue) => issue.message).join('; ') }
}

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'a whole number is expected')
    .transform(Number)
    .pipe(z.number().min(least, `at least ${least}`).max(most, `at most ${most}`))
const port = whole(0, 65_535)
const text = z.string().min(1, 'must not be empty')
const origin = z
  .string()
  .refine(isOrigin, 'an http(s) address without a path is expected')
  .transform((value) => new URL(value).origin)
const address = (protocols: RegExp, expected: string) =>
  z.string().refine((value) => URL.canParse(value) && protocols.test(value), expected)
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
const levels = list.pipe(z.array(z.enum(['B-T', 'B-LT', 'B-LTA'])).min(1).refine((names) => new Set(names).size === names.length, 'must name each once'))
const key = z
  .string()
  .transform((value) => Buffer.from(value, 'base64url'))
  .refine((bytes) => bytes.length === 32, '32 bytes in base64url are expected')

const terms = z.string().transform((value, ctx) => {
  const days = value.split(',').map((item) => /^([a-z-]+)=(\d{1,5})$/.exec(item.trim()))
  if (days.every((found) => found !== null)) return Object.freeze(Object.fromEntries(days.map(([, name = '', count]) => [name, Number(count)])))
  ctx.addIssue({ code: 'custom', message: 'name=days with commas between is expected' })
  return z.NEVER
})

const DAY = 86_400

const OPTIONS = {
  platform: {
    publicUrl: optional(
      'PUBLIC_URL',
      'Address that browsers and relying parties use; the issuer. https unless it is this machine. Default: `http://127.0.0.1:PORT`',
      origin,
    ),
    host: option('HOST', 'Address to listen on', text, '127.0.0.1'),
    port: option('PORT', 'Port to listen on', port, '3000'),
    metricsHost: option('METRICS_HOST', 'Address of the metrics; keep it inside', text, '127.0.0.1'),
    metricsPort: option('METRICS_PORT', 'Port of the Prometheus metrics', port, '9464'),
    dataDir: option('DATA_DIR', 'Folder of the embedded database, the master key file and the demo’s messages', text, '.data'),
    databaseUrl: secret(
      'DATABASE_URL',
      'PostgreSQL 15 or newer; without it the embedded database is used',
      address(/^postgres(ql)?:\/\//, 'a postgresql:// address is expected'),
    ),
    databasePool: option('DATABASE_POOL', 'Connections to PostgreSQL from one process', whole(2, 200), '10'),
    redisUrl: secret(
      'REDIS_URL',
      'Redis for the short-lived state of the protocol; without it PostgreSQL holds that too',
      address(/^rediss?:\/\//, 'a redis:// address is expected'),
    ),
    masterKey: secret('MASTER_KEY', 'Master key, 32 bytes in base64url; without it `DATA_DIR/master.key`, made on the first start', key),
    trustedProxies: option(
      'TRUSTED_PROXIES',
      'Addresses or networks (CIDR) of the load balancers whose X-Forwarded-* are believed, separated by commas',
      list,
      '',
    ),
    retentionDays: optional(
      'RETENTION_DAYS',
      'Terms of retention shorter than docs/retention.md has them: `name=days`, with commas between; only those that it says may be shortened',
      terms,
    ),
    logLevel: option(
      'LOG_LEVEL',
      'trace, debug, info, warn, error or silent',
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
      'info',
    ),
    smtpUrl: secret(
      'SMTP_URL',
      'Mail server, smtp:// or smtps://; required outside the demo',
      address(/^smtps?:\/\//, 'an smtp:// address is expected'),
    ),
    mailFrom: option('MAIL_FROM', 'Sender of the mails', text, 'MT Login <nao-responda@mt-login.localhost>'),
  },
  accounts: {
    argon2MemoryKib: option('ARGON2_MEMORY_KIB', 'Memory of one password hash', whole(19_456, 1_048_576), '19456'),
    argon2Time: option('ARGON2_TIME', 'Passes of one password hash', whole(2, 20), '2'),
    hashWorkers: option('HASH_WORKERS', 'Threads that hash passwords', whole(1, 64), '1'),
    hashQueue: option('HASH_QUEUE', 'Passwords that may wait for a hash; beyond it the answer is 503', whole(1, 10_000), '64'),
    passwordMinLength: option('PASSWORD_MIN_LENGTH', 'Shortest password', whole(8, 64), '8'),
    sessionIdleSeconds: option('SESSION_IDLE_SECONDS', 'A session without use ends after this time', whole(60, DAY), '3600'),
    sessionAbsoluteSeconds: option('SESSION_ABSOLUTE_SECONDS', 'Longest life of a session', whole(300, 30 * DAY), `${DAY}`),
    baseRegisterFile: optional('BASE_REGISTER_FILE', 'Base register (CSV or JSON); required, and only the demo brings its own', text),
  },
  signatures: {
    citizenKey: option('SIGNATURES_CITIZEN_KEY', 'Keys of citizens who sign: P-256, or RSA where old readers demand it', z.enum(['P-256', 'RSA-2048', 'RSA-3072']), 'P-256'),
    withoutTime: option('SIGNATURES_WITHOUT_TIME', 'While no time-stamp can be had: refuse signatures, or queue them: signed at once, stamped as soon as it can be', z.enum(['refuse', 'queue']), 'refuse'),
    levels: option('SIGNATURES_LEVELS', 'How long signatures under PDFs may be made to last, separated by commas; the first one is chosen unless somebody says otherwise', levels, 'B-LT,B-T,B-LTA'),
    keyPasswordMemoryKib: option('SIGNATURES_KEY_PASSWORD_MEMORY_KIB', 'Memory of one try of a password for signing (argon2id, three passes)', whole(8192, 1_048_576), '65536'),
    certificateUrl: optional('CERTIFICATE_URL', 'https address, of a host name of its own, where browsers show an ICP-Brasil certificate; without it nobody is asked for one', origin),
    certificatePort: option('CERTIFICATE_PORT', 'Port of that host’s TLS; a balancer before it passes TLS through', port, '3443'),
    certificateTlsCertificate: optional('CERTIFICATE_TLS_CERTIFICATE', 'File of its own certificate and chain (PEM), read anew each hour', text),
    certificateTlsKey: optional('CERTIFICATE_TLS_KEY', 'File of that certificate’s key (PEM)', text),
    certificateInternalHosts: option('CERTIFICATE_INTERNAL_HOSTS', 'Hosts inside (`host` or `host:port`) that may answer whether an ICP-Brasil certificate was revoked, separated by commas', list, ''),
    tokenModule: optional('PKCS11_MODULE', 'Library of a token (PKCS #11) in which new keys of the certificate authority are made; without it the keyring keeps them', text),
    tokenLabel: option('PKCS11_TOKEN', 'Label of that token', text, 'mt-login'),
    tokenPin: secret('PKCS11_PIN', 'What opens that token', text),
  },
  biometrics: {
    faceModels: option(
      'FACE_MODELS',
      'Nets: standard (fetched by `npm run models`; no start without them), builtin, or auto: standard when they are there',
      z.enum(['auto', 'standard', 'builtin']),
      'auto',
    ),
    faceRecogniser: optional(
      'FACE_RECOGNISER',
      'Model id of another recogniser of the manifest, or of `DATA_DIR/models/manifest.json`; it needs a calibration',
      text,
    ),
    faceWorkers: option('FACE_WORKERS', 'Threads that look at faces', whole(1, 64), '1'),
    faceQueue: option('FACE_QUEUE', 'Frames that may wait; beyond it the answer is 503', whole(1, 10_000), '48'),
  },
  assurance: {},
  proxies: {
    companyRegisterFile: optional('COMPANY_REGISTER_FILE', 'Company register (JSON): who may bind which company; the demo brings its own', text),
  },
  oidc: {
    accessTokenSeconds: option('ACCESS_TOKEN_SECONDS', 'Life of an access token; a revoked JWT is useless after it', whole(30, 300), '300'),
    idTokenSeconds: option('ID_TOKEN_SECONDS', 'Life of an ID token', whole(30, 3600), '300'),
    refreshTokenSeconds: option('REFRESH_TOKEN_SECONDS', 'Absolute life of a chain of refresh tokens', whole(300, 90 * DAY), `${14 * DAY}`),
    keyRotationDays: option('KEY_ROTATION_DAYS', 'Age at which a signing key is replaced', whole(1, 730), '90'),
    clientCertHeader: optional(
      'CLIENT_CERT_HEADER',
      'Header in which TRUSTED_PROXIES pass a client’s certificate for mutual TLS: Client-Cert (RFC 9440), or URL-encoded PEM; docs/operating.md',
      text,
    ),
    clientCertVerifyHeader: optional(
      'CLIENT_CERT_VERIFY_HEADER',
      'Header in which they say SUCCESS when they verified its chain; without it only self-signed certificates that a client registered count',
      text,
    ),
  },
  portal: {},
  demo: {
    mode: option(
      'DEMO',
      'true: demo citizens and relying party, on this machine only; force: wherever PUBLIC_URL says; false',
      z.enum(['true', 'false', 'force']),
      'false',
    ),
    port: option('DEMO_PORT', 'Port of the demo’s relying party', port, '3001'),
  },
} as const

type Values<Group> = { readonly [Name in keyof Group]: Group[Name] extends Option<infer T> ? T : never }
type Parsed = { readonly [Room in keyof typeof OPTIONS]: Values<(typeof OPTIONS)[Room]> }

/** All options, parsed, frozen; secrets are Sensitive. */
export interface Config extends Omit<Parsed, 'platform' | 'demo'> {
  readonly platform: Omit<Parsed['platform'], 'publicUrl'> & { readonly publicUrl: string; readonly secure: boolean }
  readonly demo: Parsed['demo'] & { readonly enabled: boolean }
}

/** Every fault of the environment in one error; no value of a secret is in it. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * The configuration from the environment.
 *
 * @throws {ConfigError} with all faults at once.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const faults: string[] = []
  const groups: Record<string, Record<string, unknown>> = {}
  for (const [room, options] of Object.entries<Record<string, Option<unknown>>>(OPTIONS)) {
    groups[room] = {}
    for (const [name, { env: variable, parse }] of Object.entries(options)) {
      const result = parse(env[variable]?.trim() === '' ? undefined : env[variable])
      if ('fault' in result) faults.push(`${variable}: ${result.fault}`)
      else groups[room][name] = result.value
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
  // The loop above filled exactly the names of OPTIONS; the compiler cannot follow it.
  const config = completed(groups as unknown as Parsed)
  const conflicts = conflictsOf(config)
  if (conflicts.length > 0) throw new ConfigError(conflicts)
  return config
}

function completed(given: Parsed): Config {
  const publicUrl = given.platform.publicUrl ?? `http://127.0.0.1:${given.platform.port}`
  const config = {
    ...given,
    platform: { ...given.platform, publicUrl, secure: publicUrl.startsWith('https:') },
    demo: { ...given.demo, enabled: given.demo.mode !== 'false' },
  }
  for (const group of Object.values(config)) Object.freeze(group)
  return Object.freeze(config)
}

function conflictsOf({ platform, accounts, signatures, demo }: Config): string[] {
  const local = isLoopback(new URL(platform.publicUrl).hostname)
  const faults: string[] = []
  if (!platform.secure && !local) faults.push('PUBLIC_URL: https is required, except on this machine (127.0.0.1, localhost)')
  if (demo.mode === 'true' && !local)
    faults.push('DEMO: everybody knows the demo’s passwords; it runs on this machine only (DEMO=force to insist)')
  if (!demo.enabled && !platform.smtpUrl && !local) faults.push('SMTP_URL: required, or nobody can confirm an e-mail address')
  if (accounts.sessionAbsoluteSeconds < accounts.sessionIdleSeconds)
    faults.push('SESSION_ABSOLUTE_SECONDS: shorter than SESSION_IDLE_SECONDS')
  if (signatures.tokenModule && !signatures.tokenPin) faults.push('PKCS11_PIN: required with PKCS11_MODULE')
  faults.push(...certificateHostFaults(platform.publicUrl, signatures))
  return faults
}

/** A name of its own: cookies of the main host, which ports do not keep apart, must not reach a host that asks for certificates. */
function certificateHostFaults(publicUrl: string, { certificateUrl: address, certificateTlsCertificate, certificateTlsKey }: Config['signatures']): string[] {
  if (address === undefined) return []
  const { protocol, hostname } = new URL(address)
  const faults: string[] = []
  if (protocol !== 'https:') faults.push('CERTIFICATE_URL: https is required')
  if (hostname === new URL(publicUrl).hostname) faults.push('CERTIFICATE_URL: another host name than PUBLIC_URL’s is required')
  if (!certificateTlsCertificate || !certificateTlsKey) faults.push('CERTIFICATE_TLS_CERTIFICATE, CERTIFICATE_TLS_KEY: required with CERTIFICATE_URL')
  return faults
}

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && url.search + url.hash + url.username === ''
}

/** True for the names and addresses of this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

export interface ConfigRow {
  readonly room: string
  readonly env: string
  readonly fallback: string | undefined
  readonly description: string
  readonly secret: boolean
}

/** One row for each option, in the schema's order; for the generated documents and for tests. */
export function describeConfig(): ConfigRow[] {
  return Object.entries<Record<string, Option<unknown>>>(OPTIONS).flatMap(([room, options]) =>
    Object.values(options).map(({ env, fallback, description, secret: hidden }) => ({ room, env, fallback, description, secret: hidden })),
  )
}

/**
 * Tells native libraries that report their use to whoever made them that here they do not; before the first of them is loaded.
 *
 * ONNX Runtime (1.30 and later) otherwise keeps events in the home folder, to be sent to its makers.
 */
export function forbidTelemetry(): void {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
}
