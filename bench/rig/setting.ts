/** The relying parties and people that every server under test knows, the same on the reference and on ours. */

/** A portal: confidential, code flow with PKCE. */
export const PORTAL = { id: 'bench-portal', secret: 'bench-portal-secret-3f1c0a7be2d94c58', redirectUri: 'http://127.0.0.1:1/callback' } as const
/** A machine: client_credentials and introspection. */
export const MACHINE = { id: 'bench-machine', secret: 'bench-machine-secret-8d02b6c49a7e4f13' } as const
export const SCOPE = 'openid profile email'
export const PASSWORD = 'tuiuiu-rio-cuiaba-42-siriema'
/** So many that sixteen people at once never meet in one account. */
export const PEOPLE = 128

function checkDigit(digits: readonly number[]): number {
  const sum = digits.reduce((total, digit, index) => total + digit * (digits.length + 1 - index), 0)
  const rest = (sum * 10) % 11
  return rest === 10 ? 0 : rest
}

/** The valid CPF of one of the people. */
export function cpfOf(person: number): string {
  const digits = String(700_000_000 + person).split('').map(Number)
  const first = checkDigit(digits)
  return [...digits, first, checkDigit([...digits, first])].join('')
}

export const emailOf = (person: number) => `pessoa-${person}@bench.example`
