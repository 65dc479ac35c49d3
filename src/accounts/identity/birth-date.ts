declare const birthDateBrand: unique symbol

/** A calendar day, `YYYY-MM-DD`, that exists, from 1900 to today. */
export type BirthDate = string & { readonly [birthDateBrand]: true }

/** The day in `12/03/1985`, `12031985` or `1985-03-12`, or `undefined` when there is no such day of birth. */
export function parseBirthDate(text: string, now: Date): BirthDate | undefined {
  const [year, month, day] = splitDate(text.trim())
  if (year === undefined || month === undefined || day === undefined) return undefined
  const iso = `${year}-${month}-${day}`
  const date = new Date(`${iso}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso) return undefined
  return Number(year) >= 1900 && date <= now ? (iso as BirthDate) : undefined
}

function splitDate(text: string): (string | undefined)[] {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (iso) return iso.slice(1)
  const local = /^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})$/.exec(text) ?? /^(\d{2})(\d{2})(\d{4})$/.exec(text)
  return local ? [local[3], local[2]?.padStart(2, '0'), local[1]?.padStart(2, '0')] : []
}
