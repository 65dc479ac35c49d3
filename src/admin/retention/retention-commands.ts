import type { Overdue, Retention, Swept } from '../../platform/retention/retention.ts'
import type { Term } from '../../platform/retention/term.ts'
import { tableOutcome } from '../cli.ts'
import type { Command, Outcome } from '../command.ts'

const ENDINGS = { deleted: 'apaga', blanked: 'apaga os dados, a linha fica', anonymised: 'desfaz o vínculo com a pessoa' } as const
const DAY_SECONDS = 86_400

/** Commands about how long rows about people are kept. */
export function createRetentionCommands(retention: () => Promise<Retention>): Command[] {
  return [
    {
      words: 'retencao listar',
      summary: 'Mostra por quanto tempo se guarda cada tipo de registro de pessoas',
      notes: 'É a tabela de docs/retention.md, já com o que RETENTION_DAYS encurtou. As imagens têm os seus prazos em "imagens prazos".',
      run: async () => termsOutcome((await retention()).terms),
    },
    {
      words: 'retencao ensaiar',
      summary: 'Conta o que já passou do prazo e seria encerrado agora; não muda nada',
      notes: 'Código de saída 1 se algo está vencido há mais de dois dias: o trabalho diário não está rodando.',
      run: async () => overdueOutcome(await (await retention()).overdue()),
    },
    {
      words: 'retencao aplicar',
      summary: 'Encerra agora o que passou do prazo, sem esperar o trabalho diário',
      notes: 'Pode ser interrompido e repetido, e rodar ao lado do trabalho diário. Cada lote fica no registro de auditoria, só com números.',
      run: async () => sweptOutcome(await (await retention()).apply()),
    },
  ]
}

function termsOutcome(terms: readonly Term[]): Outcome {
  const rows = terms.map((term) => [term.key, String(term.days), term.from, ENDINGS[term.ending], term.isHeld ? 'sim' : '', term.leastDays === undefined ? '' : String(term.leastDays), term.what])
  const json = terms.map(({ sweep: _sweep, ...term }) => term)
  return tableOutcome(['nome', 'dias', 'desde', 'o que acontece', 'guarda legal', 'mínimo', 'o quê'], rows, json, '')
}

function overdueOutcome(overdue: readonly Overdue[]): Outcome {
  const found = overdue.filter(({ rows }) => rows > 0)
  const rows = found.map(({ key, rows: count, seconds }) => [key, String(count), String(Math.floor(seconds / DAY_SECONDS))])
  const isLate = found.some(({ seconds }) => seconds > 2 * DAY_SECONDS)
  return { ...tableOutcome(['nome', 'registros', 'dias de atraso'], rows, found, 'Nada passou do prazo.'), ...(isLate && { exitCode: 1 }) }
}

function sweptOutcome(swept: readonly Swept[]): Outcome {
  const done = swept.filter(({ rows }) => rows > 0)
  const rows = done.map(({ key, ending, rows: count }) => [key, String(count), ENDINGS[ending]])
  return tableOutcome(['nome', 'registros', 'o que aconteceu'], rows, done, 'Nada passou do prazo.')
}
