import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { bytes, guard } from '../../platform/http/guard.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { type HttpContext, requestFacts } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { Problem } from '../../platform/problem.ts'
import { POLICY_OID } from '../asn1/oids.ts'
import type { InstalledAuthority } from '../authority/authority.store.ts'
import { fingerprintOf, parseCertificate } from '../authority/certificate.ts'
import { PLACES } from '../authority/places.ts'
import type { Signatures } from '../signatures.ts'
import type { RequireStampClient, StampClient } from '../timestamp/policy.ts'

export const STAMP_PATH = '/api/carimbo'
const LONGEST_REQUEST = 16 * 1024

/** How much strangers may ask, and what clients may have stamped. */
export interface PublicationLimits {
  /** By address. @throws {Problem} platform/too-many */
  readonly claimAddress: (ip: string) => void
  readonly requireStampClient: RequireStampClient
  /** @throws {Problem} with Retry-After when this minute's or month's quota is spent */
  readonly claimStamp: (ctx: HttpContext, client: StampClient) => Promise<void>
}

export interface AuthorityRouteDependencies {
  readonly views: Views
  readonly signatures: Pick<Signatures, 'authority' | 'statuses' | 'stamping'>
  readonly limits: PublicationLimits
}

const authorityParams = z.object({ id: z.uuid() })
const shardParams = z.object({ id: z.uuid(), shard: z.string().regex(/^\d{1,9}$/).transform(Number) })
const requestParams = z.object({ request: z.string().max(6000) })

/** What the authority publishes: its chain, practices and lists; and who asks about a certificate, or for a time-stamp, is answered. */
export function createAuthorityRoutes({ views, signatures, limits }: AuthorityRouteDependencies): Router {
  const router = new Router()
  router.use(inRoom('signatures'))
  addPages(router, views, signatures)
  addFiles(router, signatures)
  addAnswers(router, signatures, limits)
  return router
}

function addPages(router: Router, views: Views, { authority }: Pick<Signatures, 'authority'>): void {
  router.get(
    PLACES.home,
    guard({}, async (ctx) => {
      const installed = await authority.list()
      views.render(ctx, 'signatures/authority', { authorities: installed.map(shownOf), practicesHref: PLACES.practices })
    }),
  )
  router.get(
    PLACES.practices,
    guard({}, (ctx) => views.render(ctx, 'signatures/practices', { policies: POLICY_OID, homeHref: PLACES.home, ocsp: PLACES.ocsp, stamps: STAMP_PATH })),
  )
}

function shownOf({ id, isActive, demo, certificate, root }: InstalledAuthority) {
  const [issuing, top] = [parseCertificate(certificate), parseCertificate(root)]
  const cardOf = (kind: 'raiz' | 'emissora', { x509, der, notAfter }: typeof issuing) => ({
    name: commonNameOf(x509.subject), fingerprint: fingerprintOf(der), notAfter, href: `/ac/${id}/${kind}.cer`,
  })
  return { isActive, demo, root: cardOf('raiz', top), issuing: cardOf('emissora', issuing), listHref: `/ac/${id}/lcr/0.crl`, rootListHref: `/ac/${id}/raiz.crl` }
}

function commonNameOf(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject
}

function addFiles(router: Router, { authority, statuses }: Pick<Signatures, 'authority' | 'statuses'>): void {
  const files = { 'raiz.cer': 'root', 'emissora.cer': 'certificate', 'raiz.crl': 'rootCrl' } as const
  for (const [name, member] of Object.entries(files)) {
    router.get(
      `/ac/:id/${name}`,
      guard({ params: authorityParams }, async (ctx, { params }) => {
        const found = (await authority.list()).find(({ id }) => id === params.id)
        if (!found) throw new Problem(HTTP_PROBLEMS.notFound)
        send(ctx, name.endsWith('.crl') ? 'application/pkix-crl' : 'application/pkix-cert', found[member])
      }),
    )
  }
  router.get(
    '/ac/:id/lcr/:shard.crl',
    guard({ params: shardParams }, async (ctx, { params }) => {
      const crl = await statuses.crl(params.id, params.shard)
      if (!crl) throw new Problem(HTTP_PROBLEMS.notFound)
      send(ctx, 'application/pkix-crl', crl)
    }),
  )
}

/** Never from a cache: an answer of a minute ago may be wrong. */
function send(ctx: HttpContext, type: string, body: Buffer): void {
  ctx.body = body
  ctx.type = type
}

function addAnswers(router: Router, { statuses, stamping }: Pick<Signatures, 'statuses' | 'stamping'>, limits: PublicationLimits): void {
  const answer = async (ctx: HttpContext, request: Buffer) => {
    limits.claimAddress(requestFacts(ctx).ip)
    send(ctx, 'application/ocsp-response', await statuses.ocsp(request))
  }
  const machine = { consumes: 'bytes', csrf: false, limitBytes: LONGEST_REQUEST, body: bytes } as const
  router.post(
    PLACES.ocsp,
    guard({ ...machine, contentTypes: ['application/ocsp-request'] }, (ctx, { body }) => answer(ctx, body)),
  )
  // RFC 6960, A.1: base64 in the path, whose slashes and pluses may or may not be escaped.
  router.get(
    `${PLACES.ocsp}/{*request}`,
    guard({ params: requestParams }, (ctx, { params }) => answer(ctx, Buffer.from(params.request, 'base64'))),
  )
  router.post(
    STAMP_PATH,
    guard({ ...machine, contentTypes: ['application/timestamp-query'] }, async (ctx, { body }) => {
      const client = await limits.requireStampClient(ctx)
      await limits.claimStamp(ctx, client)
      send(ctx, 'application/timestamp-reply', await stamping.answer(body, { kind: 'client', id: client.id }))
    }),
  )
}
