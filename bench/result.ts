/** What a benchmark reports, how it is judged and how it is printed. */

export interface Result {
  readonly bench: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  /** The same figure of the bare reference in the same run, where there is one. */
  readonly reference?: number
  /** value / reference. */
  readonly ratio?: number
  /** As printed, for example `>= 0.55 x` or `<= 100 ms`; none when the figure is only told. */
  readonly target?: string
  readonly pass?: boolean
}

/** What whoever starts the benchmarks may say of them. */
export interface BenchOptions {
  /** How much of it, where a bench can be as large as one has time for. */
  readonly size?: number | undefined
}

/** What a file in bench/ exports to be run by name. */
export interface Bench {
  readonly name: string
  run(options?: BenchOptions): Promise<readonly Result[]>
}

interface Measured {
  readonly bench: string
  readonly metric: string
  readonly value: number
  readonly unit: string
}

/** A figure that must not exceed `most`; without a limit it is only told. */
export function atMost(measured: Measured, most?: number): Result {
  if (most === undefined) return measured
  return { ...measured, target: `<= ${most} ${measured.unit}`, pass: measured.value <= most }
}

/** A figure that must reach `least`. */
export function atLeast(measured: Measured, least: number): Result {
  return { ...measured, target: `>= ${least} ${measured.unit}`, pass: measured.value >= least }
}

/** A figure that must reach `least` times the reference; without a limit it is only told. */
export function relativeTo(reference: number, measured: Measured, least?: number): Result {
  const ratio = measured.value / reference
  const judged = least === undefined ? {} : { target: `>= ${least} x`, pass: ratio >= least }
  return { ...measured, reference, ratio, ...judged }
}

/** The middle value: what one disturbed round cannot move. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** The value that `share` (0 to 1) of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

function figure(value: number | undefined): string {
  if (value === undefined) return ''
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** A table for people: one row a result, columns padded. */
export function tableOf(results: readonly Result[]): string {
  const head = ['bench', 'metric', 'value', 'unit', 'reference', 'ratio', 'target', 'pass']
  const rows = results.map((result) => [
    result.bench,
    result.metric,
    figure(result.value),
    result.unit,
    figure(result.reference),
    figure(result.ratio),
    result.target ?? '',
    result.pass === undefined ? '' : result.pass ? 'yes' : 'NO',
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()
  return `${[head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n')}\n`
}
