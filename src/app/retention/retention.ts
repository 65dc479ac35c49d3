import { accountsTerms } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import { biometricsTerms } from '../../biometrics/index.ts'
import { helpdeskTerms } from '../../helpdesk/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Config } from '../../platform/config.ts'
import type { Database } from '../../platform/db.ts'
import type { GaugeValue, Metrics } from '../../platform/metrics.ts'
import { createRetention, type Overdue, type Retention } from '../../platform/retention/retention.ts'
import type { Term } from '../../platform/retention/term.ts'
import { proxiesTerms } from '../../proxies/index.ts'

/** Every term of every room: the one table of what is kept of people, and for how long. */
export const TERMS: readonly Term[] = [...helpdeskTerms, ...proxiesTerms, ...biometricsTerms, ...accountsTerms]

/** Scrapes within this time see the same numbers: they cost a look at each table. */
const MEASURED_FOR_MS = 3_600_000

export interface RetentionParts {
  readonly db: Database
  readonly clock: Clock
  readonly config: Pick<Config, 'platform'>
  readonly audit: Pick<Audit, 'record'>
}

/** The terms as this installation applies them; each batch is a line of the audit record, with counts only. */
export function openRetention({ db, clock, config, audit }: RetentionParts, actorId?: string): Retention {
  const actor = actorId === undefined ? ({ kind: 'system' } as const) : ({ kind: 'operator', id: actorId } as const)
  return createRetention({
    db, clock, terms: TERMS,
    ...(config.platform.retentionDays && { shortened: config.platform.retentionDays }),
    record: (tx, { key, ending, days, rows }) => audit.record(tx, { type: 'admin/retention-applied', actor, data: { term: key, ending, days, rows } }),
  })
}

/** Shows what is past its term: how many rows of each, and for how long the oldest one has been. */
export function watchRetention(metrics: Metrics, clock: Clock, retention: Retention): void {
  let measured: { at: number; found: Promise<readonly Overdue[]> } | undefined
  const measure = () => {
    const now = clock.now().getTime()
    if (measured === undefined || now - measured.at >= MEASURED_FOR_MS) measured = { at: now, found: retention.overdue() }
    const { found } = measured
    found.catch(() => { if (measured?.found === found) measured = undefined })
    return found
  }
  const show = async (pick: (overdue: Overdue) => number): Promise<GaugeValue[]> => (await measure()).map((overdue) => ({ labels: { term: overdue.key }, value: pick(overdue) }))
  metrics.watchEach('retention_overdue_rows', 'Rows past their term of retention', ['term'], () => show(({ rows }) => rows))
  metrics.watchEach('retention_overdue_seconds', 'For how long the oldest of them has been past it', ['term'], () => show(({ seconds }) => seconds))
}
