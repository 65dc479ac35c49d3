import { fileURLToPath } from 'node:url'
import { type Config, ConfigError } from '../platform/config.ts'

/** People who do not exist, for the demonstration, tests and benches. */
export const SAMPLE_REGISTER = fileURLToPath(new URL('./base-register.csv', import.meta.url))

/**
 * The file of the base register; the sample stands in for it in the demonstration and nowhere else.
 *
 * @throws {ConfigError} when nothing is set: a server that knows no real person would let invented ones in.
 */
export function baseRegisterFileOf({ accounts, demo }: Pick<Config, 'accounts' | 'demo'>): string {
  if (accounts.baseRegisterFile !== undefined) return accounts.baseRegisterFile
  if (demo.enabled) return SAMPLE_REGISTER
  throw new ConfigError([
    'BASE_REGISTER_FILE: required outside the demonstration: a CSV file with the columns cpf,name,social_name,birth_date,situation, or JSON (docs/operating.md). To try things out with invented people set DEMO=true',
  ])
}
