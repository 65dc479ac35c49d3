const LENGTH = 32
/** Where the number tells the book: 4 = deaths. */
const KIND_AT = 14
const DEATHS = '4'

/**
 * The number on a death certificate, as it is kept; `undefined` for one that cannot be right.
 *
 * Since 2010 every register office gives a matrícula of 32 digits, whose last two check the others and whose 15th names the book
 * (Provimentos CNJ 2 and 3/2009); older ones have book, page and entry, which nothing checks.
 */
export function parseCertificateNumber(text: string): string | undefined {
  const digits = text.replace(/[\s.-]/g, '')
  if (!/^\d{20,}$/.test(digits)) return text.trim() || undefined
  if (digits.length !== LENGTH || digits[KIND_AT] !== DEATHS) return undefined
  return checkDigits(digits.slice(0, LENGTH - 2)) === digits.slice(LENGTH - 2) ? digits : undefined
}

function checkDigits(base: string): string {
  const first = weigh(base, 2)
  return `${first}${weigh(`${base}${first}`, 1)}`
}

/** Weights rise from `start` to 10 and go on from 0. */
function weigh(digits: string, start: number): number {
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * ((start + index) % 11), 0)
  return sum % 11 > 9 ? 1 : sum % 11
}
