import { addTallies, checksOf, DIMENSIONS, type OutcomeReport, rateOf, shareOf, type Tally } from '../../biometrics/index.ts'

/** One line of the table that the file and the command line share. */
export interface OutcomeRow {
  readonly by: string
  readonly group: string
  readonly tally: Tally
}

const BY = { device: 'aparelho', light: 'luz', age: 'idade', model: 'redes', class: 'classe' } as const

/** Everybody, then each group that may be shown. */
export function outcomeRows({ total, groups }: OutcomeReport): OutcomeRow[] {
  if (total === undefined) return []
  const parts = DIMENSIONS.flatMap((dimension) => groups[dimension].map(({ name, tally }) => ({ by: BY[dimension], group: name, tally })))
  return [{ by: 'todos', group: 'todos', tally: addTallies([total]) }, ...parts]
}

export const OUTCOME_HEAD = [
  'recorte',
  'grupo',
  'conferencias',
  'aprovadas',
  'aprovadas_apos_recusa',
  'recusadas',
  'sem_captura',
  'desistencias',
  'taxa_recusa',
  'taxa_recusa_falsa_minima',
] as const

export function cellsOf({ by, group, tally }: OutcomeRow): string[] {
  const rates = (['refusal', 'false-refusal'] as const).map((measure) => rateOf(shareOf(measure, tally))?.toFixed(4) ?? '')
  const { passed, passedAfterRefusal, refused, notAcquired, givenUp } = tally
  return [by, group, ...[checksOf(tally), passed, passedAfterRefusal, refused, notAcquired, givenUp].map(String), ...rates]
}

/** The report as a file for a spreadsheet (RFC 4180): groups, reasons and days, with nothing in it that the page does not show. */
export function outcomesCsv(report: OutcomeReport): string {
  const days = report.trend.flatMap(({ day, tally }) => (tally ? [{ by: 'dia', group: day, tally }] : []))
  const rows = [OUTCOME_HEAD, ...[...outcomeRows(report), ...(report.total ? days : [])].map(cellsOf)]
  const reasons = report.reasons.map(({ name, checks }) => ['motivo', name, String(checks), ...OUTCOME_HEAD.slice(3).map(() => '')])
  return `${[...rows, ...reasons].map((cells) => cells.join(',')).join('\r\n')}\r\n`
}
