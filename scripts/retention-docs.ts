/** Writes the tables of docs/retention.md from the terms that the program applies; `test/retention.test.ts` compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { retentionTables } from '../src/app/retention/document.ts'
import { KEPT_ELSEWHERE, NOT_OF_PEOPLE } from '../src/app/retention/kept-elsewhere.ts'
import { TERMS } from '../src/app/retention/retention.ts'

const FILE = new URL('../docs/retention.md', import.meta.url)
const START = '<!-- retention:start -->'
const END = '<!-- retention:end -->'

/** The page with its tables replaced. */
export function withTables(page: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`docs/retention.md has no ${START} … ${END}`)
  return `${page.slice(0, start + START.length)}\n${retentionTables(TERMS, KEPT_ELSEWHERE, NOT_OF_PEOPLE)}\n${page.slice(end)}`
}

if (import.meta.main) writeFileSync(FILE, withTables(readFileSync(FILE, 'utf8')))
