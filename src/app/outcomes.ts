import { createAlarmMail } from '../admin/index.ts'
import type { Audit } from '../audit/index.ts'
import { createOutcomes, DIMENSIONS, type OutcomeReport, type Outcomes, rateOf, shareOf } from '../biometrics/index.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { GaugeValue } from '../platform/metrics.ts'
import type { Foundation } from './foundation.ts'

/** Numbers are read by several scrapers, each every few seconds, and change by the hour. */
const FRESH_MS = 60_000
const DAYS = 28
const ALARM_LABELS = ['rule', 'measure', 'dimension', 'group']

/** Counters of face checks, their alarms in the log, in the mail of operators and in the numbers for Prometheus. */
export function openOutcomes(foundation: Foundation, audit: Audit, messages: Messages): Outcomes {
  const { db, clock, outbox, log, config } = foundation
  const mail = createAlarmMail({ outbox, messages, publicUrl: config.platform.publicUrl })
  const outcomes = createOutcomes({ db, clock, audit, onOpened: mail })
  watchOutcomes(foundation, outcomes)
  return {
    ...outcomes,
    async watch() {
      const changes = await outcomes.watch()
      for (const { rule, measure, dimension, group } of changes.opened)
        log.warn('face checks: a group left its band', { name: `${rule} ${measure} ${dimension} ${group}` })
      for (const { rule, measure, dimension, group } of changes.closed)
        log.info('face checks: an alarm closed', { name: `${rule} ${measure} ${dimension} ${group}` })
      return changes
    },
  }
}

/** The same groups as on the operators' page: none of fewer than ten checks. */
function watchOutcomes({ metrics }: Foundation, outcomes: Outcomes): void {
  let kept: { readonly report: Promise<OutcomeReport | undefined>; readonly until: number } | undefined
  const report = (): Promise<OutcomeReport | undefined> => {
    // While the database is away every other number must still be told.
    if (kept === undefined || kept.until < Date.now())
      kept = { report: outcomes.report(DAYS).catch(() => undefined), until: Date.now() + FRESH_MS }
    return kept.report
  }
  metrics.watchEach(
    'face_refusal_rate',
    'Share of judged face checks of the last 28 days that were not passed',
    ['dimension', 'group'],
    async () => ratesOf(await report()),
  )
  metrics.watchEach('face_alarm_open', 'Groups whose refusals left their band: 1 each', ALARM_LABELS, async () =>
    ((await report())?.alarms ?? [])
      .filter(({ closedAt }) => closedAt === undefined)
      .map(({ rule, measure, dimension, group }) => ({ labels: { rule, measure, dimension, group }, value: 1 })),
  )
}

function ratesOf(report: OutcomeReport | undefined): GaugeValue[] {
  if (report === undefined) return []
  const { total, groups } = report
  const all = total ? [{ dimension: 'all', group: 'all', tally: total }] : []
  const parts = DIMENSIONS.filter((dimension) => dimension !== 'class').flatMap((dimension) =>
    groups[dimension].map(({ name, tally }) => ({ dimension, group: name, tally })),
  )
  return [...all, ...parts].flatMap(({ dimension, group, tally }) => {
    const value = rateOf(shareOf('refusal', tally))
    return value === undefined ? [] : [{ labels: { dimension, group }, value }]
  })
}
