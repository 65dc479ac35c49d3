/** What an evaluation found, written three times: for people, for programs, and as pictures. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import path from 'node:path'
import { type Chart, chartSvg } from './svg.ts'

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What the figures do not say by themselves. */
  readonly notes?: readonly string[]
}

/** A figure that the project has promised. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly target: { readonly least?: number; readonly most?: number }
  readonly text: string
}

export interface Section {
  readonly name: string
  readonly title: string
  readonly tables: readonly Table[]
  readonly charts: Readonly<Record<string, Chart>>
  readonly figures: readonly Figure[]
  /** The numbers as they were counted, for programs. */
  readonly data: unknown
}

export interface Report {
  readonly modelId: string
  readonly set: string
  readonly madeAt: string
  readonly sections: readonly Section[]
}

export function isMet({ value, target: { least, most } }: Figure): boolean {
  return (least === undefined || value >= least) && (most === undefined || value <= most)
}

export function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}`
}

/** The whole report as Markdown; charts are named relative to it. */
export function markdownOf(report: Report): string {
  const figures = report.sections.flatMap((section) => section.figures)
  return [
    `# Biometric evaluation: ${report.modelId} (${report.set} set)`,
    `${report.madeAt} · ${machine()}`,
    'Intervals are 95 %: Wilson for independent trials, bootstrap over people (1,000 drawings) for comparisons that share people. Terms as in ISO/IEC 19795-1 and 30107-3. Not a certified evaluation: não certificado ISO/IEC 30107-3.',
    ...(figures.length > 0 ? [tableText(figureTable(figures))] : []),
    ...report.sections.flatMap((section) => [
      `## ${section.title}`,
      ...section.tables.map(tableText),
      ...Object.entries(section.charts).map(([name, chart]) => `![${chart.title}](${fileOf(report, name)})`),
    ]),
  ]
    .join('\n\n')
    .concat('\n')
}

/** Writes `evaluation-<set>.md`, `.json` and one SVG for each chart; answers their paths. */
export function writeReport(report: Report, folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  const written: string[] = []
  const write = (name: string, text: string) => {
    const file = path.join(folder, name)
    writeFileSync(file, text)
    written.push(file)
  }
  write(`evaluation-${report.set}.md`, markdownOf(report))
  const sections = report.sections.map(({ name, figures, data }) => ({
    name,
    figures: figures.map((figure) => ({ ...figure, met: isMet(figure) })),
    data,
  }))
  write(`evaluation-${report.set}.json`, `${JSON.stringify({ ...report, machine: machine(), sections }, null, 1)}\n`)
  for (const section of report.sections) {
    for (const [name, chart] of Object.entries(section.charts)) write(fileOf(report, name), chartSvg(chart))
  }
  return written
}

function fileOf({ set }: Report, chart: string): string {
  return `${set}-${chart}.svg`
}

function figureTable(figures: readonly Figure[]): Table {
  const limit = ({ least, most }: Figure['target']) =>
    [least === undefined ? '' : `≥ ${least}`, most === undefined ? '' : `≤ ${most}`].join('')
  const rows = figures.map((figure) => [figure.what, figure.text, limit(figure.target), isMet(figure) ? 'yes' : '**no**'])
  return { title: 'Promised figures', head: ['figure', 'measured', 'target', 'met'], rows }
}

export function tableText({ title, head, rows, notes = [] }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [`### ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line), ...notes.flatMap((note) => ['', note])].join('\n')
}
