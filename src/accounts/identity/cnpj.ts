declare const cnpjBrand: unique symbol

/** Twelve characters A–Z or 0–9 and two check digits that hold, upper case, without punctuation. */
export type Cnpj = string & { readonly [cnpjBrand]: true }

const WEIGHTS = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]

/**
 * The CNPJ in a text typed with or without punctuation, or `undefined` when it is not one.
 *
 * Letters count since July 2026 (IN RFB 2.229/2024), so nothing may be filtered by `\D`. Modulo 11 does not tell some
 * characters apart (0, F and Q; 1, G and R…): confirm by name where a typing error would matter.
 */
export function parseCnpj(text: string): Cnpj | undefined {
  const characters = text.replace(/[\s./-]/g, '').toUpperCase()
  if (!/^[A-Z0-9]{12}\d{2}$/.test(characters) || /^(\d)\1{13}$/.test(characters)) return undefined
  const first = checkDigit(characters.slice(0, 12))
  const second = checkDigit(characters.slice(0, 12) + first)
  return characters.endsWith(first + second) ? (characters as Cnpj) : undefined
}

/** `12.ABC.345/01DE-35` */
export function formatCnpj(cnpj: Cnpj): string {
  return `${cnpj.slice(0, 2)}.${cnpj.slice(2, 5)}.${cnpj.slice(5, 8)}/${cnpj.slice(8, 12)}-${cnpj.slice(12)}`
}

/** True when it has no letter: what systems from before July 2026 accept. */
export function isNumericCnpj(cnpj: Cnpj): boolean {
  return /^\d{14}$/.test(cnpj)
}

function checkDigit(characters: string): string {
  const weights = WEIGHTS.slice(WEIGHTS.length - characters.length)
  const sum = weights.reduce((total, weight, index) => total + weight * (characters.charCodeAt(index) - 48), 0)
  const rest = sum % 11
  return String(rest < 2 ? 0 : 11 - rest)
}
