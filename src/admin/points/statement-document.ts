import type { Statement, StatementView } from '../../biometrics/index.ts'
import type { DocumentBlock, ReadableDocument } from '../../platform/documents/documents.ts'
import { createFormats, type Locale } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'

/** Centavos as money. */
export function moneyOf(locale: Locale, cents: number): string {
  return new Intl.NumberFormat(locale, { style: 'currency', currency: 'BRL' }).format(cents / 100)
}

/** A share in percent with one digit after the comma, cut and never rounded up: 97.99 % is not 98 %. */
export function percentOf(locale: Locale, { expected, available }: { readonly expected: number; readonly available: number }): string | undefined {
  if (expected === 0) return undefined
  return new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(Math.floor((available * 1000) / expected) / 10)
}

/** The statement as a document to sign and file, in the reader's language. */
export function statementDocument(messages: Messages, locale: Locale, { statement, closedAt }: StatementView, at: Date): ReadableDocument {
  const t = (key: string, params: Record<string, string | number> = {}) => messages.text(locale, key, params)
  const formats = createFormats(locale)
  const state = closedAt ? t('points.statement.closed', { at: formats.dateTime(closedAt) }) : t('points.statement.open', { at: formats.dateTime(at) })
  return {
    title: t('points.statement.title', { contract: statement.contract, month: statement.month }),
    language: locale,
    issuer: 'MT Login',
    foot: state,
    at,
    blocks: [
      { kind: 'text', text: state },
      { kind: 'facts', facts: factsOf(messages, locale, statement) },
      { kind: 'heading', text: t('points.statement.by-point') },
      tableOf(t, locale, statement),
      ...semesterOf(t, locale, statement),
      { kind: 'text', small: true, text: t('points.statement.terms') },
    ],
  }
}

/** The sums, in the order in which they follow from each other. */
export function factsOf(messages: Messages, locale: Locale, statement: Statement): { name: string; value: string }[] {
  const t = (key: string, params: Record<string, string | number> = {}) => messages.text(locale, key, params)
  const { number } = createFormats(locale)
  const count = (name: 'processes' | 'excess' | 'compensated' | 'payable' | 'unused') => ({ name: t(`points.statement.${name}`), value: number(statement[name]) })
  const money = (name: 'fixed' | 'beyond' | 'credit' | 'total', cents: number) => ({ name: t(`points.statement.${name}`), value: moneyOf(locale, cents) })
  const isFixed = statement.plan.kind === 'fixed'
  const percent = percentOf(locale, statement)
  const promised = new Intl.NumberFormat(locale).format(statement.plan.promisedPermille / 10)
  const kept = t(statement.promiseKept ? 'points.statement.kept' : 'points.statement.broken', { promised })
  return [
    { name: t('points.statement.plan'), value: t(`points.plan.${statement.plan.kind}`) },
    count('processes'),
    ...(isFixed ? [count('excess'), count('compensated'), count('payable'), count('unused'), money('fixed', statement.fixedCents)] : []),
    money('beyond', statement.processesCents),
    ...(statement.semester.length > 0 ? [money('credit', -statement.creditCents)] : []),
    money('total', statement.totalCents),
    { name: t('points.statement.availability'), value: percent === undefined ? t('points.statement.nothing-expected') : `${percent} %. ${kept}` },
  ]
}

type Translate = (key: string, params?: Record<string, string | number>) => string

const COLUMNS = ['point', 'processes', 'franchise', 'excess', 'received', 'given', 'payable', 'value', 'availability'] as const

export function headsOf(t: Translate): string[] {
  return COLUMNS.map((name) => t(`points.column.${name}`))
}

export function cellsOf(locale: Locale, one: Statement['points'][number]): string[] {
  const { number } = createFormats(locale)
  const percent = percentOf(locale, one)
  return [...[one.processes, one.franchise, one.excess, one.received, one.given, one.payable].map(number), moneyOf(locale, one.cents), percent === undefined ? '–' : `${percent} %`]
}

function tableOf(t: Translate, locale: Locale, { points }: Statement): DocumentBlock {
  return { kind: 'table', columns: headsOf(t), rows: points.map((one) => [one.code, ...cellsOf(locale, one)]), numbers: COLUMNS.map((_, index) => index).slice(1) }
}

function semesterOf(t: Translate, locale: Locale, { semester }: Statement): DocumentBlock[] {
  if (semester.length === 0) return []
  return [
    { kind: 'heading', text: t('points.statement.semester') },
    {
      kind: 'table', columns: semesterHeads(t), numbers: [1, 2, 3, 4],
      rows: semester.map((one) => [one.month, ...semesterCells(locale, one)]),
    },
  ]
}

export function semesterHeads(t: Translate): string[] {
  return ['month', 'payable', 'unused', 'credited', 'credit'].map((name) => t(`points.column.${name}`))
}

export function semesterCells(locale: Locale, { payable, unused, credited, creditCents }: Statement['semester'][number]): string[] {
  const { number } = createFormats(locale)
  return [number(payable), number(unused), number(credited), moneyOf(locale, creditCents)]
}
