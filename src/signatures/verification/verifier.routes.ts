import { createHash } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { bytes, file, guard } from '../../platform/http/guard.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { PLACES } from '../authority/places.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { SIGNATURE_FORMS } from '../signing/signing.ts'
import { REPRESENTED_KINDS } from '../cms/representation.ts'
import { REVOCATIONS, VERDICTS } from './verdict.ts'
import { LEVELS_OF_SIGNATURE, type Verification, type VerifiedSignature, type Verifier } from './verifier.ts'

export const MOST_BYTES = 20 * 1024 * 1024
const PAGE = '/verificar'
const API = '/api/verificar/v1'
/** Longest signature that stands beside its file: chains, lists and all. */
const MOST_SIGNATURE_BYTES = 1024 * 1024

export interface VerifierRouteDependencies {
  readonly views: Views
  readonly verifier: Pick<Verifier, 'verify' | 'verifyFile'>
  /** Of what was signed here and stamped later: whether this (SHA-256) is what it was before. */
  readonly findUntimed: (sha256: string) => Promise<{ readonly newestSha256: string | undefined } | undefined>
  /** By address. @throws {Problem} platform/too-many */
  readonly claimAddress: (ip: string) => void
}

const form = z.object({ arquivo: file.optional(), assinatura: file.optional() })
/** What a form is more than its file. */
const FORM_BYTES = 16 * 1024

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`)).transform((text) => text.toLowerCase())
/** The file itself is not sent: its digests say enough. */
const detached = z.object({
  signature: z.base64().max(Math.ceil(MOST_SIGNATURE_BYTES / 3) * 4),
  digests: z.object({ sha256: hex(32).optional(), sha384: hex(48).optional(), sha512: hex(64).optional() }).optional(),
})

const answer = z.object({
  sha256: z.string(),
  verdict: z.enum([...VERDICTS, 'none']),
  /** Signed here, and stamped later: this is what it was before. `newest_sha256` is the PDF's of now. */
  before_time_stamp: z.object({ newest_sha256: z.string().nullable() }).nullable(),
  signatures: z.array(z.object({
    verdict: z.enum(VERDICTS),
    level: z.enum(LEVELS_OF_SIGNATURE).nullable(),
    authority: z.string().nullable(),
    form: z.enum(SIGNATURE_FORMS),
    signer: z.string().nullable(),
    organization: z.string().nullable(),
    representation: z.object({ mandate: z.string(), kind: z.enum(REPRESENTED_KINDS), name: z.string(), identifier: z.string(), role: z.string() }).nullable(),
    reason: z.string().nullable(),
    stamped_at: z.string().nullable(),
    stamped_by: z.string().nullable(),
    stamp_fault: z.boolean(),
    covers_all: z.boolean(),
    unchanged: z.boolean(),
    later_stamps: z.boolean(),
    locked: z.boolean(),
    revocation: z.enum(REVOCATIONS).nullable(),
    chain: z.array(z.string()),
  })),
  time_stamps: z.array(z.object({ verdict: z.enum(VERDICTS), at: z.string().nullable(), by: z.string().nullable(), covers_all: z.boolean() })),
})

type Untimed = Awaited<ReturnType<VerifierRouteDependencies['findUntimed']>>

/** The public verifier: a page that works without a script, and the same for programs. */
export function createVerifierRoutes({ views, verifier, findUntimed, claimAddress }: VerifierRouteDependencies): Router {
  const router = new Router()
  router.use(inRoom('signatures'))
  /** Before anything is read: twenty megabytes are a cost, too. */
  const limited: HttpMiddleware = async (ctx, next) => {
    claimAddress(requestFacts(ctx).ip)
    await next()
  }
  const untimedOf = async (bytes: Buffer | undefined): Promise<Untimed> => bytes && findUntimed(createHash('sha256').update(bytes).digest('hex'))
  const show = (ctx: HttpContext, page: object = {}) => views.render(ctx, 'signatures/verify', { authorityHref: PLACES.home, ...page })
  const refuse = (ctx: HttpContext, error: string) => {
    ctx.status = 422
    show(ctx, { errors: { arquivo: error } })
  }
  router.get(
    PAGE,
    guard({}, (ctx) => show(ctx)),
  )
  router.post(
    PAGE,
    limited,
    guard({ consumes: 'upload', limitBytes: MOST_BYTES + MOST_SIGNATURE_BYTES + FORM_BYTES, body: form, onInvalid: (ctx, { errors }) => refuse(ctx, errors['arquivo'] ?? 'platform.field.invalid') }, async (ctx, { body }) => {
      try {
        show(ctx, { result: await judgeUpload(verifier, body), untimed: await untimedOf((body.assinatura ?? body.arquivo)?.bytes) })
      } catch (error) {
        if (!isProblem(error, SIGNATURE_PROBLEMS.notVerifiable)) throw error
        refuse(ctx, error.detail === undefined ? 'platform.field.required' : `signatures.verify.${error.detail}`)
      }
    }),
  )
  router.post(
    API,
    limited,
    guard({ consumes: 'bytes', contentTypes: ['application/pdf'], csrf: false, limitBytes: MOST_BYTES, body: bytes, response: answer }, async (ctx, { body }) => {
      ctx.body = shown(await verifier.verify(body), await untimedOf(body))
    }),
  )
  router.post(
    `${API}/assinatura`,
    limited,
    guard({ consumes: 'json', csrf: false, limitBytes: 2 * MOST_SIGNATURE_BYTES, body: detached, response: answer }, async (ctx, { body: { signature, digests } }) => {
      const bytes = Buffer.from(signature, 'base64')
      ctx.body = shown(await verifier.verifyFile(bytes, digests), await untimedOf(bytes))
    }),
  )
  return router
}

/** A signature that came alone may carry what it signs. @throws {Problem} signatures/not-verifiable, without a detail when nothing came */
async function judgeUpload(verifier: Pick<Verifier, 'verify' | 'verifyFile'>, { arquivo, assinatura }: z.output<typeof form>): Promise<Verification> {
  if (assinatura) return verifier.verifyFile(assinatura.bytes, arquivo?.bytes)
  if (!arquivo) throw new Problem(SIGNATURE_PROBLEMS.notVerifiable)
  return isSignature(arquivo.bytes) ? verifier.verifyFile(arquivo.bytes, undefined) : verifier.verify(arquivo.bytes)
}

const isSignature = (file: Buffer): boolean => (file[0] === 0x30 && (file[1] ?? 0) >= 0x80) || /^-----BEGIN (PKCS7|CMS)-----/.test(file.toString('latin1', 0, 30))

function shown({ sha256, verdict, signatures, timeStamps }: Verification, untimed: Untimed): z.output<typeof answer> {
  return {
    sha256, verdict, before_time_stamp: untimed ? { newest_sha256: untimed.newestSha256 ?? null } : null, signatures: signatures.map(shownSignature),
    time_stamps: timeStamps.map(({ at, by, coversAll, ...each }) => ({ verdict: each.verdict, at: at?.toISOString() ?? null, by: by ?? null, covers_all: coversAll })),
  }
}

function shownSignature({ representation, ...each }: VerifiedSignature): z.output<typeof answer>['signatures'][number] {
  return {
    verdict: each.verdict, level: each.level ?? null, authority: each.authority ?? null, form: each.form, signer: each.signer ?? null, organization: each.organization ?? null,
    representation: representation ? { mandate: representation.mandateId, ...representation.represented, role: representation.role } : null, reason: each.reason ?? null,
    stamped_at: each.stampedAt?.toISOString() ?? null, stamped_by: each.stampedBy ?? null, stamp_fault: each.stampFault, covers_all: each.coversAll, unchanged: each.unchanged,
    later_stamps: each.laterStamps, locked: each.isLocked, revocation: each.revocation ?? null, chain: [...each.chain],
  }
}
