import type { ManagementReport } from './report.ts'

const HEAD = ['parte', 'item', 'medida', 'valor'] as const

/** The report as a file for a spreadsheet (RFC 4180): the numbers of the page; no sentence of a citizen's. */
export function managementCsv(report: ManagementReport): string {
  const { staff, satisfaction } = report
  const rows: (readonly [string, string, string, number | null])[] = [
    ...report.attendances.map(({ day, count }) => ['atendimentos', day, 'abertos', count] as const),
    ...report.states.map(({ name, count }) => ['situacao', name, 'atendimentos', count] as const),
    ...report.refusals.map(({ name, count }) => ['recusas', name, 'atendimentos', count] as const),
    ...report.waits.flatMap(({ day, called, missed, median, p90 }) => [
      ['espera', day, 'chamadas', called] as const,
      ['espera', day, 'nao_vieram', missed] as const,
      ['espera', day, 'mediana_segundos', Math.round(median)] as const,
      ['espera', day, 'p90_segundos', Math.round(p90)] as const,
    ]),
    ...report.waitsByClass.flatMap(({ name, called, median, p90 }) => [
      ['espera_por_preferencia', name, 'chamadas', called] as const,
      ['espera_por_preferencia', name, 'mediana_segundos', Math.round(median)] as const,
      ['espera_por_preferencia', name, 'p90_segundos', Math.round(p90)] as const,
    ]),
    ...report.points.flatMap(({ point, stored, refused, quality }) => [
      ['captura', point, 'aceitas', stored] as const,
      ['captura', point, 'recusadas', refused] as const,
      ['captura', point, 'qualidade_media', quality === null ? null : Math.round(quality)] as const,
    ]),
    ...(satisfaction.kind === 'few' ? [] : satisfaction.scores.map(({ score, count }) => ['satisfacao', String(score), 'respostas', count] as const)),
    ...(staff?.approvers ?? []).flatMap(({ name, approved, refused, looked, contradicted }) => [
      ['aprovacoes', name, 'aprovadas', approved] as const,
      ['aprovacoes', name, 'recusadas', refused] as const,
      ['aprovacoes', name, 'conferidas', looked] as const,
      ['aprovacoes', name, 'nao_conferem', contradicted] as const,
    ]),
    ...(staff?.attendants ?? []).flatMap((one) =>
      ([
        ['atendimentos', one.attendances], ['rapidos', one.quick], ['fora_de_hora', one.oddHours], ['mesma_pessoa', one.repeatedPeople],
        ['liberados_na_analise', one.overridden], ['recusados', one.refused], ['consultas', one.looks],
      ] as const).map(([measure, value]) => ['atendentes', one.name, measure, value] as const),
    ),
    ...(staff?.questions ?? []).map(({ name, rule, count }) => ['perguntas', name, rule, count] as const),
  ]
  return `${[HEAD, ...rows].map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`
}

/** Quoted where it must be; a text that a spreadsheet would run as a formula is made plain by an apostrophe. */
function cellOf(value: string | number | null): string {
  if (value === null) return ''
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
