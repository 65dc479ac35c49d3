import { type OutcomeAlarm, type Outcomes, REPORT_DAYS, type ReportDays } from '../../biometrics/index.ts'
import { columns } from '../cli.ts'
import { type Command, UsageError } from '../command.ts'
import { cellsOf, OUTCOME_HEAD, outcomeRows } from './outcome-rows.ts'

/** Commands about what came of face checks. */
export function createOutcomeCommands(outcomes: () => Promise<Pick<Outcomes, 'report'>>): Command[] {
  return [
    {
      words: 'biometria resultados',
      summary: 'Mostra o que resultou das conferências de rosto, por grupo, e os alarmes',
      notes:
        'Só contagens, nunca pessoas; grupos com menos de 10 conferências aparecem juntos, como "few". É a mesma tabela de /operacao/biometria.',
      flags: { dias: { type: 'string', value: 'DIAS', about: `${REPORT_DAYS.join(', ')}; sem ela, 28` } },
      run: async ({ text }) => {
        const report = await (await outcomes()).report(daysFrom(text('dias')))
        const rows = outcomeRows(report)
        const table = rows.length === 0 ? 'Menos de 10 conferências no período: nada a mostrar.' : columns(OUTCOME_HEAD, rows.map(cellsOf))
        const reasons =
          report.reasons.length === 0
            ? []
            : [
                '',
                columns(
                  ['motivo', 'recusas'],
                  report.reasons.map(({ name, checks }) => [name, String(checks)]),
                ),
              ]
        const alarms = report.alarms.filter(({ closedAt }) => closedAt === undefined).map(lineOf)
        return {
          text: [
            `De ${report.from} a ${report.to}`,
            table,
            ...reasons,
            '',
            ...(alarms.length > 0 ? alarms : ['Nenhum alarme aberto.']),
          ].join('\n'),
          json: report,
        }
      },
    },
  ]
}

function daysFrom(text = '28'): ReportDays {
  const days = REPORT_DAYS.find((known) => String(known) === text)
  if (days === undefined) throw new UsageError(`--dias: há ${REPORT_DAYS.join(', ')}.`)
  return days
}

function lineOf({ rule, measure, dimension, group, direction, openedAt }: OutcomeAlarm): string {
  const what = measure === 'refusal' ? 'recusas' : 'recusas falsas'
  const where = rule === 'drift' ? 'do que era' : 'do que nos outros grupos'
  return `ALARME desde ${openedAt.toISOString().slice(0, 16)}Z: ${dimension} ${group}: ${what} ${direction === 'above' ? 'acima' : 'abaixo'} ${where}`
}
