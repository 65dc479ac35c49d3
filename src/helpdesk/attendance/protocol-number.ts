/** `2026-0000123-40`: year, running number, and two check digits (ISO 7064, MOD 97-10) that catch a slip of the pen or of the ear. */
export function protocolNumber(year: number, running: number): string {
  const body = `${year}${String(running).padStart(7, '0')}`
  return `${body.slice(0, 4)}-${body.slice(4)}-${checkDigits(body)}`
}

function checkDigits(body: string): string {
  let rest = 0
  for (const digit of `${body}00`) rest = (rest * 10 + Number(digit)) % 97
  return String(98 - rest).padStart(2, '0')
}
