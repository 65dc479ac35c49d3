import type { Places } from './certificate.ts'

/** Where the authority publishes; certificates name these addresses for twenty years, so they never change. */
export const PLACES = { home: '/ac', practices: '/ac/praticas', ocsp: '/api/ac/ocsp' } as const

/** Addresses for certificates that an authority issues. */
export function placesOf(publicUrl: string, authorityId: string, shard: number): Places {
  return {
    crl: `${publicUrl}/ac/${authorityId}/lcr/${shard}.crl`,
    issuer: `${publicUrl}/ac/${authorityId}/emissora.cer`,
    ocsp: `${publicUrl}${PLACES.ocsp}`,
    practices: `${publicUrl}${PLACES.practices}`,
  }
}

/** Addresses for the issuing authority's own certificate, which an offline root signs: no responder answers for it. */
export function rootPlacesOf(publicUrl: string, authorityId: string): Places {
  return {
    crl: `${publicUrl}/ac/${authorityId}/raiz.crl`,
    issuer: `${publicUrl}/ac/${authorityId}/raiz.cer`,
    practices: `${publicUrl}${PLACES.practices}`,
  }
}
