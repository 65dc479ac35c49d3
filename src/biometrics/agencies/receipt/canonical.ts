/**
 * JSON in the one form that is signed: members by name, no spaces.
 *
 * RFC 8785 for what receipts hold (texts, whole numbers, booleans, objects, lists), so that any library for it gives the same bytes.
 * @throws {TypeError} for a number that is not whole, whose text could differ
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new TypeError('receipts hold whole numbers only')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}
