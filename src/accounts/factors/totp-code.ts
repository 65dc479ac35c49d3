import { generateSecret, generateURI, verifySync } from 'otplib'

const PERIOD_SECONDS = 30

/** A new secret, base32, 160 bits (RFC 4226 §4 asks for 128 at least). */
export function makeTotpSecret(): string {
  return generateSecret({ length: 20 })
}

/** What the QR code holds. */
export function totpUri(secret: string, issuer: string, label: string): string {
  return generateURI({ issuer, label, secret })
}

/** The time step whose code this is, one step either way allowed (checklist 13), or `undefined`. */
export function matchingStep(secret: string, code: string, now: Date): number | undefined {
  const token = code.replace(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const current = Math.floor(now.getTime() / 1000 / PERIOD_SECONDS)
  return [current, current - 1, current + 1].find((step) => step > 0 && verifySync({ secret, token, epoch: step * PERIOD_SECONDS }).valid)
}
