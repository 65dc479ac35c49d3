/** The certificate authority over a real database and HTTP, time-stamps for clients that a test names, and OpenSSL beside it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createAudit } from '../../src/audit/index.ts'
import { createAuthorityRoutes, createSignatures, createVerifierRoutes, type InstalledAuthority, signatureEvents, type Signatures } from '../../src/signatures/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { type Keyring, openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Problem } from '../../src/platform/problem.ts'
import { HTTP_PROBLEMS } from '../../src/platform/http/problems.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { type FixedClock, movableClock } from './clock.ts'
import { openPgliteTestDatabase } from './database.ts'
import { startSite, type TestSite } from './http-app.ts'

export interface SignatureScene {
  readonly db: Database
  readonly clock: FixedClock
  readonly keyring: Keyring
  readonly signatures: Signatures
  readonly site: TestSite
  /** Files for programs that take no standard input; gone at the end. */
  readonly folder: string
  write(name: string, bytes: Uint8Array | string): string
  /** The bytes behind an address of the site. */
  get(address: string): Promise<Buffer>
  /** Questions that the scene's address may still ask. */
  allow(questions: number): void
  events(type: string): Promise<{ data: Record<string, unknown>; client_id: string | null }[]>
  close(): Promise<void>
}

/** A token of the scene: `Bearer` and the client's name. */
export const STAMP_CLIENT = 'carimbador'

export async function openSignatureScene({ open = openPgliteTestDatabase, demo = true, earlierMs = 0 }: { open?: () => Promise<Database>; demo?: boolean; earlierMs?: number } = {}): Promise<SignatureScene> {
  const db = await open()
  const clock = movableClock()
  clock.advance(-earlierMs)
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-signatures-'))
  const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(Buffer.alloc(32, 7)), dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [signatureEvents] } })
  let signatures: Signatures | undefined
  let left = 1000
  const claimAddress = () => {
    left -= 1
    if (left < 0) throw new Problem(HTTP_PROBLEMS.tooMany, { retryAfterSeconds: 1 })
  }
  const site = await startSite(({ views }) => [
    async (ctx, next) => {
      // The scene's own address is known only now.
      signatures ??= createSignatures({ db, clock, keyring, audit, publicUrl: site.url })
      const routes = createAuthorityRoutes({
        views, signatures,
        limits: {
          claimAddress,
          async requireStampClient(context) {
            if (context.get('Authorization') !== `Bearer ${STAMP_CLIENT}`) throw new Problem(HTTP_PROBLEMS.signInNeeded)
            return { id: STAMP_CLIENT, policy: { perMinute: 60, perMonth: 1000 } }
          },
          claimStamp: async () => {},
        },
      }).routes()
      await routes(ctx as Parameters<typeof routes>[0], next)
    },
    async (ctx, next) => {
      if (!signatures) return next()
      const routes = createVerifierRoutes({ views, verifier: signatures.verifier, findUntimed: async () => undefined, claimAddress }).routes()
      await routes(ctx as Parameters<typeof routes>[0], next)
    },
  ])
  await fetch(`${site.url}/ac/nada`)
  if (!signatures) throw new Error('the scene did not open')
  if (demo) await signatures.authority.ensureDemonstration()
  return {
    db, clock, keyring, signatures, site, folder,
    write(name, bytes) {
      const file = path.join(folder, name)
      writeFileSync(file, bytes)
      return file
    },
    async get(address) {
      const response = await fetch(new URL(address, site.url))
      if (!response.ok) throw new Error(`${address}: ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    },
    allow(questions) {
      left = questions
    },
    events: (type) => db.query('SELECT data, client_id FROM audit_event WHERE type = $1 ORDER BY id', [type]),
    async close() {
      await site.stop()
      await signatures?.close()
      await audit.stop()
      await keyring.close()
      await db.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a program said, and whether it was content. The server that it asks may be this very process, so nothing here blocks. */
export function run(program: string, words: readonly string[]): Promise<{ ok: boolean; text: string }> {
  return new Promise((resolve) => {
    execFile(program, words, { encoding: 'utf8', timeout: 60_000 }, (error, stdout, stderr) => resolve({ ok: error === null, text: `${stdout}${stderr}` }))
  })
}

export const openssl = (...words: readonly string[]) => run('openssl', words)

/** Types of the ICP-Brasil otherNames in a certificate (a file in DER), as OpenSSL reads them, in their order. */
export async function otherNameTypes(file: string): Promise<(string | undefined)[]> {
  const { text: outline } = await openssl('asn1parse', '-inform', 'DER', '-in', file)
  const at = /X509v3 Subject Alternative Name\n(?:.*BOOLEAN.*\n)?\s*(\d+):/.exec(outline)?.[1] ?? ''
  const { text: names } = await openssl('asn1parse', '-inform', 'DER', '-in', file, '-strparse', at, '-dump')
  return [...names.matchAll(/OBJECT\s+:(2\.16\.76\.1\.3\.\d+)/g)].map(([, type]) => type)
}

export function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${(Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`
}

/** Root, issuing certificate and both lists as files of the scene. */
export async function writeChain(scene: SignatureScene, { id, root, certificate, rootCrl }: InstalledAuthority) {
  const crl = await scene.get(`/ac/${id}/lcr/0.crl`)
  return {
    root: scene.write('root.pem', pem('CERTIFICATE', root)),
    issuing: scene.write('issuing.pem', pem('CERTIFICATE', certificate)),
    crls: scene.write('crls.pem', pem('X509 CRL', rootCrl) + pem('X509 CRL', crl)),
  }
}
