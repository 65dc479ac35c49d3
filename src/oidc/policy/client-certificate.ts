import { X509Certificate } from 'node:crypto'
import type { BlockList } from 'node:net'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ProviderContext } from 'oidc-provider'

export interface CertificateSource {
  /** Header in which a trusted proxy passes the client's certificate, URL-encoded PEM (nginx `$ssl_client_escaped_cert`). */
  readonly header: string | undefined
  /** Header that says `SUCCESS` when the proxy verified the chain (nginx `$ssl_client_verify`). */
  readonly verifiedHeader: string | undefined
  readonly trustedProxies: BlockList
}

/** A request, as far as it can bring a certificate. */
export type CertificateCarrier = Pick<ProviderContext, 'req' | 'get'>

/** The provider's three questions about client certificates (RFC 8705). */
export interface ClientCertificates {
  getCertificate(ctx: CertificateCarrier): X509Certificate | undefined
  certificateAuthorized(ctx: ProviderContext): boolean
  certificateSubjectMatches(ctx: ProviderContext, property: string, expected: string): boolean
}

/** Certificates from this server's own TLS socket, or from a header when, and only when, a trusted proxy is the peer. */
export function createClientCertificates(source: CertificateSource): ClientCertificates {
  const fromProxy = (ctx: CertificateCarrier): boolean => {
    const peer = (ctx.req.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '')
    return source.header !== undefined && isIP(peer) !== 0 && source.trustedProxies.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4')
  }
  const getCertificate = (ctx: CertificateCarrier): X509Certificate | undefined => {
    if (fromProxy(ctx)) return parseCertificate(ctx.get(source.header ?? ''))
    return ctx.req.socket instanceof TLSSocket ? ctx.req.socket.getPeerX509Certificate() : undefined
  }
  return {
    getCertificate,
    certificateAuthorized(ctx) {
      if (fromProxy(ctx)) return source.verifiedHeader !== undefined && ctx.get(source.verifiedHeader) === 'SUCCESS'
      return ctx.req.socket instanceof TLSSocket && ctx.req.socket.authorized
    },
    certificateSubjectMatches(ctx, property, expected) {
      const certificate = getCertificate(ctx)
      return certificate !== undefined && isSubject(certificate, property, expected)
    },
  }
}

function parseCertificate(header: string): X509Certificate | undefined {
  if (header === '') return undefined
  try {
    const pem = decodeURIComponent(header)
    return new X509Certificate(pem.includes('BEGIN') ? pem : Buffer.from(pem.replace(/^:|:$/g, ''), 'base64'))
  } catch {
    return undefined
  }
}

function isSubject(certificate: X509Certificate, property: string, expected: string): boolean {
  const names = (certificate.subjectAltName ?? '').split(', ')
  switch (property) {
    case 'tls_client_auth_subject_dn':
      return (
        normalDn(certificate.subject.split('\n').reverse().join(',')) === normalDn(expected) ||
        normalDn(certificate.subject.split('\n').join(',')) === normalDn(expected)
      )
    case 'tls_client_auth_san_dns':
      return names.includes(`DNS:${expected}`)
    case 'tls_client_auth_san_uri':
      return names.includes(`URI:${expected}`)
    case 'tls_client_auth_san_ip':
      return names.includes(`IP Address:${expected}`)
    case 'tls_client_auth_san_email':
      return names.includes(`email:${expected}`)
    default:
      return false
  }
}

/** RFC 4514 allows spaces about separators and any case in attribute names. */
function normalDn(dn: string): string {
  return dn
    .split(/\s*,\s*/)
    .map((part) => part.replace(/^\s*([A-Za-z0-9.]+)\s*=\s*/, (_whole, name: string) => `${name.toUpperCase()}=`))
    .join(',')
}
