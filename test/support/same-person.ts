import type { OperatingPoint } from '../../src/biometrics/index.ts'
import { compareFaces, type MatchRule } from '../../src/biometrics/liveness/match-rule.ts'

/** Whether two templates are one person's by a rule; false when it knows no threshold for them. */
export function isSamePerson(rule: MatchRule, a: readonly number[], b: readonly number[], k = 1, point: OperatingPoint = 'fmr1e-4'): boolean {
  return compareFaces(rule, { template: a, k }, b, point)?.same ?? false
}
