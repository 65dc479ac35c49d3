/** Whether a text from outside can be the id of a row at all: PostgreSQL answers anything else with an error. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
