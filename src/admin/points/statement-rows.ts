import type { Statement } from '../../biometrics/index.ts'

export const STATEMENT_HEAD = [
  'ponto', 'unidade', 'nome', 'processos', 'sem_conexao', 'franquia', 'excedente', 'sobra', 'compensado_recebido', 'compensado_cedido', 'a_pagar', 'valor_centavos',
  'intervalos_esperados', 'intervalos_disponiveis',
] as const

/** The statement as a file for a spreadsheet (RFC 4180): a line a point, and one of sums that the lines add up to. */
export function statementCsv(statement: Statement): string {
  const { points } = statement
  const lines = points.map((one) => [
    one.code, one.unitCode, one.title, one.processes, one.offline, one.franchise, one.excess, one.unused, one.received, one.given, one.payable, one.cents, one.expected, one.available,
  ])
  const total = (pick: (one: Statement['points'][number]) => number) => points.reduce((sum, one) => sum + pick(one), 0)
  const sums = [
    'total', '', '', statement.processes, total((one) => one.offline), total((one) => one.franchise), statement.excess, total((one) => one.unused), statement.compensated,
    total((one) => one.given), statement.payable, statement.fixedCents + statement.processesCents, statement.expected, statement.available,
  ]
  const credits = statement.semester.map((credit) => [`credito_${credit.month}`, '', '', '', '', '', '', '', '', '', credit.credited, -credit.creditCents, '', ''])
  const due = ['total_devido', '', '', '', '', '', '', '', '', '', '', statement.totalCents, '', '']
  return `${[STATEMENT_HEAD, ...lines, sums, ...credits, due].map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`
}

/** Quoted where it must be; a text that a spreadsheet would run as a formula gets an apostrophe. */
function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
