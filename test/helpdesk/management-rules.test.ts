/** Questions about attendants, the bars of a chart, and the file of a report. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { barChart } from '../../src/helpdesk/management/bar-chart.ts'
import { type AttendantTally, QUESTION_RULES, questionsOf } from '../../src/helpdesk/management/questions.ts'
import type { ManagementReport } from '../../src/helpdesk/management/report.ts'
import { managementCsv } from '../../src/helpdesk/management/report-csv.ts'

const QUIET: AttendantTally = {
  attendantId: 'a', attendances: 50, quick: 5, oddHours: 0, repeatedPeople: 0, overridden: 2, decided: 40, refused: 6, looks: 20, idleLooks: 8,
}
const asked = (change: Partial<AttendantTally>) => questionsOf([{ ...QUIET, ...change }]).map(({ rule }) => rule)

describe('questions about an attendant', () => {
  test('usual work raises none', () => assert.deepEqual(asked({}), []))

  test('each rule asks beyond its threshold, and not at it', () => {
    assert.deepEqual(asked({ quick: 10 }), [])
    assert.deepEqual(asked({ quick: 11 }), ['speed'])
    assert.deepEqual(asked({ oddHours: 2 }), [])
    assert.deepEqual(asked({ oddHours: 3 }), ['hours'])
    assert.deepEqual(asked({ repeatedPeople: 1 }), ['repeated'])
    assert.deepEqual(asked({ overridden: 6 }), ['overrides'])
    assert.deepEqual(asked({ refused: 13 }), ['refusals'])
    assert.deepEqual(asked({ idleLooks: 17 }), ['looks'])
  })

  test('of few cases no share is made', () => {
    assert.deepEqual(asked({ attendances: 9, quick: 9, overridden: 9 }), [])
    assert.deepEqual(asked({ decided: 9, refused: 9 }), [])
    assert.deepEqual(asked({ looks: 14, idleLooks: 14 }), [])
  })

  test('more of what is counted never takes a question away', () => {
    const counts = fc.nat(100)
    fc.assert(
      fc.property(fc.constantFrom(...QUESTION_RULES), counts, counts, (rule, of, count) => {
        const base = { ...QUIET, ...(rule.of && { [rule.of]: of }) }
        const has = (value: number) => questionsOf([{ ...base, [rule.count]: value }], [rule]).length === 1
        if (has(count)) assert.ok(has(count + 1))
      }),
      { seed: 10, numRuns: 300 },
    )
  })
})

test('bars stand on the ground, stay in the frame, and are as high as their value says', () => {
  assert.equal(barChart([]), undefined)
  assert.equal(barChart([{ day: '2026-11-23', value: 0 }]), undefined)
  fc.assert(
    fc.property(fc.array(fc.nat(5000), { minLength: 1, maxLength: 90 }), (values) => {
      const chart = barChart(values.map((value) => ({ day: '2026-11-23', value })))
      if (chart === undefined) return assert.ok(values.every((value) => value === 0))
      const ground = chart.ticks[0]?.y ?? 0
      const top = chart.ticks.at(-1)?.value ?? 0
      assert.ok(top >= Math.max(...values))
      for (const [index, bar] of chart.bars.entries()) {
        assert.ok(bar.y >= 0 && Math.abs(bar.y + bar.height - ground) < 0.2 && bar.x + bar.width <= chart.width)
        assert.ok(Math.abs(bar.height - ((values[index] ?? 0) / top) * (ground - (chart.ticks.at(-1)?.y ?? 0))) < 0.2)
      }
    }),
    { seed: 10, numRuns: 100 },
  )
})

test('the file holds numbers only, and no text that a spreadsheet would run', () => {
  const report: ManagementReport = {
    from: '2026-11-17', to: '2026-11-23', days: 7, attendances: [{ day: '2026-11-23', count: 3 }], states: [], refusals: [{ name: 'bad-picture', count: 2 }],
    waits: [{ day: '2026-11-23', called: 2, missed: 1, median: 61.4, p90: 120 }], waitsByClass: [], points: [{ point: 'ponto-1', stored: 1, refused: 1, quality: null }],
    satisfaction: { kind: 'shown', answers: 5, mean: 4, scores: [{ score: 4, count: 5 }] },
    staff: {
      approvers: [{ supervisorId: 's', name: '=HYPERLINK("x")', approved: 1, refused: 0, looked: 1, contradicted: 1 }],
      attendants: [{ attendantId: 'a', name: 'Ana', attendances: 12, quick: 3, oddHours: 0, repeatedPeople: 1, overridden: 2, decided: 10, refused: 1, looks: 0, idleLooks: 0 }],
      questions: [],
      sentences: [{ score: 4, text: 'Muito bom' }],
    },
  }
  const csv = managementCsv(report)
  assert.match(csv, /^parte,item,medida,valor\r\natendimentos,2026-11-23,abertos,3\r\nrecusas,bad-picture,atendimentos,2\r\n/)
  assert.match(csv, /espera,2026-11-23,mediana_segundos,61\r\n/)
  assert.match(csv, /captura,ponto-1,qualidade_media,\r\n/)
  assert.match(csv, /aprovacoes,"'=HYPERLINK\(""x""\)",aprovadas,1\r\n/)
  assert.match(csv, /atendentes,Ana,rapidos,3\r\natendentes,Ana,fora_de_hora,0\r\natendentes,Ana,mesma_pessoa,1\r\natendentes,Ana,liberados_na_analise,2\r\n/)
  assert.match(csv, /conferidas,1\r\n.*nao_conferem,1\r\n/)
  assert.ok(!csv.includes('Muito bom'))
})
