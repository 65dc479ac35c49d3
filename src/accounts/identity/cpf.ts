declare const cpfBrand: unique symbol

/** Eleven digits whose check digits hold. */
export type Cpf = string & { readonly [cpfBrand]: true }

/**
 * The CPF in a text typed with or without punctuation, or `undefined` when it is not one.
 *
 * Eleven equal digits pass the arithmetic but are never issued. Only the punctuation of a CPF and spaces are skipped, so
 * that a text with letters in it is refused rather than guessed at.
 */
export function parseCpf(text: string): Cpf | undefined {
  const digits = text.replace(/[\s.\-/]/g, '')
  if (!/^\d{11}$/.test(digits) || /^(\d)\1{10}$/.test(digits)) return undefined
  return checkDigit(digits, 9) === digits[9] && checkDigit(digits, 10) === digits[10] ? (digits as Cpf) : undefined
}

/** `529.982.247-25` */
export function formatCpf(cpf: Cpf): string {
  return `${cpf.slice(0, 3)}.${cpf.slice(3, 6)}.${cpf.slice(6, 9)}-${cpf.slice(9)}`
}

/** `***.982.247-**`: the part that the federal transparency portal shows. */
export function maskCpf(cpf: Cpf): string {
  return `***.${cpf.slice(3, 6)}.${cpf.slice(6, 9)}-**`
}

function checkDigit(digits: string, length: number): string {
  let sum = 0
  for (let index = 0; index < length; index += 1) sum += Number(digits[index]) * (length + 1 - index)
  const rest = (sum * 10) % 11
  return String(rest === 10 ? 0 : rest)
}
