declare const phoneBrand: unique symbol

/** A Brazilian mobile number, E.164: `+5565991234567`. */
export type MobilePhone = string & { readonly [phoneBrand]: true }

/** Area codes in use (Anatel): no tens, and gaps at 23, 25, 26, 29, 36, 39, 52, 56–59, 72, 76, 78. */
const AREA_CODES = new Set(
  [
    '11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55',
    '61 62 63 64 65 66 67 68 69 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99',
  ].flatMap((codes) => codes.split(' ')),
)

/** The mobile number in a text typed with or without `+55`, a trunk zero and punctuation, or `undefined`. */
export function parseMobilePhone(text: string): MobilePhone | undefined {
  const plain = text.replace(/[\s().-]/g, '')
  if (!/^\+?\d+$/.test(plain)) return undefined
  const national = /^\+?55(\d{11})$/.exec(plain)?.[1] ?? /^0?([1-9]\d{10})$/.exec(plain)?.[1]
  if (national === undefined || national[2] !== '9' || !AREA_CODES.has(national.slice(0, 2))) return undefined
  return `+55${national}` as MobilePhone
}

/** `(65) 99123-4567` */
export function formatMobilePhone(phone: MobilePhone): string {
  return `(${phone.slice(3, 5)}) ${phone.slice(5, 10)}-${phone.slice(10)}`
}

/** `(65) *****-4567` */
export function maskMobilePhone(phone: MobilePhone): string {
  return `(${phone.slice(3, 5)}) *****-${phone.slice(10)}`
}
