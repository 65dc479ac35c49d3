import { readFileSync, writeFileSync } from 'node:fs'
import type { AuditActor } from '../../audit/index.ts'
import { type Metering, type Month, parseMonth, type RecordFault, type StatementView } from '../../biometrics/index.ts'
import { Problem } from '../../platform/problem.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, type Outcome, type Typed, UsageError } from '../command.ts'
import { ADMIN_PROBLEMS } from '../problems.ts'
import { moneyOf, percentOf } from './statement-document.ts'
import { statementCsv } from './statement-rows.ts'

export interface MeteringTools {
  readonly metering: () => Promise<Metering>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: AuditActor
}

/** As auditors name what can be wrong. */
const FAULTS: Readonly<Record<RecordFault['what'], string>> = {
  'journal-forged': 'processo contado sem registro de auditoria', 'journal-missing': 'processo registrado que sumiu da contagem', 'journal-changed': 'processo contado diferente do registro',
  'state-forged': 'situação de ponto sem registro de auditoria', 'state-missing': 'situação de ponto que sumiu', 'plan-changed': 'plano diferente do registrado',
  'statement-changed': 'extrato fechado diferente do registrado', 'statement-missing': 'extrato fechado que sumiu', 'statement-wrong': 'extrato fechado que não soma com a contagem',
}

/** Commands about what the image service costs. */
export function createMeteringCommands({ metering, actor }: MeteringTools): Command[] {
  const positionals = ['CONTRATO', 'AAAA-MM']
  return [
    {
      words: 'medicao plano',
      summary: 'Define o plano de um contrato a partir de um mês (docs/image-service.md)',
      positionals: [...positionals, 'ARQUIVO'],
      run: async (typed) => {
        const plan = await (await metering()).setPlan(typed.positionals[0] ?? '', monthFrom(typed), readJson(typed.positionals[2] ?? ''), actor)
        return { text: JSON.stringify(plan, null, 2), json: plan }
      },
    },
    {
      words: 'medicao extrato',
      summary: 'Mostra o extrato de um mês; aberto, com os números de agora',
      positionals,
      flags: { csv: { type: 'string', value: 'ARQUIVO', about: 'grava também a planilha' } },
      run: async (typed) => {
        const view = await (await metering()).statement(typed.positionals[0] ?? '', monthFrom(typed))
        const file = typed.text('csv')
        if (file !== undefined) writeFileSync(file, statementCsv(view.statement))
        return shown(view)
      },
    },
    {
      words: 'medicao fechar',
      summary: 'Fecha o extrato de um mês que terminou; depois nada dele muda',
      positionals,
      run: async (typed) => shown(await (await metering()).close(typed.positionals[0] ?? '', monthFrom(typed), actor)),
    },
    {
      words: 'medicao verificar',
      summary: 'Confere contagem, situações, planos e extratos com o registro de auditoria',
      notes: 'Código de saída 1 se algo foi mudado, apagado ou acrescentado por fora. "auditoria verificar" também faz isso, depois de conferir a própria cadeia.',
      run: async () => faultsOutcome(await (await metering()).verify()),
    },
  ]
}

/** What the check found, in words. */
export function faultsOutcome(faults: readonly RecordFault[]): Outcome {
  if (faults.length === 0) return { text: 'Medição íntegra: contagem, situações, planos e extratos conferem com o registro.', json: { ok: true } }
  const lines = faults.map(({ what, which }) => `  ${FAULTS[what]}: ${which}`)
  return { text: `MEDIÇÃO ADULTERADA:\n${lines.join('\n')}`, json: { ok: false, faults }, exitCode: 1 }
}

function monthFrom({ positionals: [, text = ''] }: Typed): Month {
  const month = parseMonth(text)
  if (month === undefined) throw new UsageError('O mês é AAAA-MM, por exemplo 2026-11.')
  return month
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: `${file} não abre ou não é JSON`, cause })
  }
}

const LOCALE = 'pt-BR'

function shown({ statement, closedAt }: StatementView): Outcome {
  const rows = statement.points.map((one) => [
    one.code, String(one.processes), String(one.franchise), String(one.excess), String(one.received), String(one.given), String(one.payable), moneyOf(LOCALE, one.cents), percentOf(LOCALE, one) ?? '–',
  ])
  const table = tableOutcome(['ponto', 'processos', 'franquia', 'excedente', 'recebido', 'cedido', 'a pagar', 'valor', 'disp. %'], rows, statement, 'Nenhum ponto neste mês.')
  const sums = [
    `processos: ${statement.processes}`, `a pagar além da franquia: ${statement.payable}`, ...(statement.semester.length > 0 ? [`crédito do semestre: ${moneyOf(LOCALE, statement.creditCents)}`] : []),
    `total: ${moneyOf(LOCALE, statement.totalCents)}`, `disponibilidade: ${percentOf(LOCALE, statement) ?? '–'} % (${statement.promiseKept ? 'cumprida' : 'NÃO cumprida'})`,
    closedAt ? `fechado em ${closedAt.toISOString()}` : 'aberto',
  ]
  return { text: `${table.text}\n${sums.join('\n')}`, json: { closedAt: closedAt ?? null, ...statement } }
}
