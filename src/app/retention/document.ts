import type { KeptElsewhere, Term } from '../../platform/retention/term.ts'

const ENDINGS = { deleted: 'apagado', blanked: 'dados apagados, a linha fica', anonymised: 'sem vínculo com a pessoa' } as const

/** A number of days as people say it. */
export function saidDays(days: number): string {
  if (days === 1826) return '5 anos'
  if (days % 365 === 0) return days === 365 ? '1 ano' : `${days / 365} anos`
  return days === 1 ? '1 dia' : `${days} dias`
}

/** What happens to rows of a term, in words. */
export const saidEnding = ({ ending }: Pick<Term, 'ending'>): string => ENDINGS[ending]

/** The tables of docs/retention.md, as the program applies them. */
export function retentionTables(terms: readonly Term[], elsewhere: readonly KeptElsewhere[], notOfPeople: Readonly<Record<string, string>>): string {
  const lines = terms.map(({ key, what, purpose, ground, days, from, leastDays, isHeld, ...term }) => {
    const shorter = leastDays === undefined ? 'não' : `até ${saidDays(leastDays)}`
    return `| \`${key}\` | ${what} | ${purpose} | ${ground} | ${saidDays(days)} desde: ${from} | ${saidEnding(term)} | ${isHeld ? 'sim' : 'não'} | ${shorter} |`
  })
  const others = elsewhere.map(({ tables, what, purpose, until, job }) => `| ${what} | ${purpose} | ${until} | ${job === undefined ? '' : `\`${job}\``} | ${tables.map((name) => `\`${name}\``).join(', ')} |`)
  return [
    '### Prazos do trabalho `retention`', '',
    '| nome | o quê | para quê | base legal | prazo | o que acontece | guarda legal prolonga | o operador encurta |', '|---|---|---|---|---|---|---|---|', ...lines, '',
    '### O que outros trabalhos encerram, ou que vive com o que é seu', '',
    '| o quê | para quê | até quando | trabalho | tabelas |', '|---|---|---|---|---|', ...others, '',
    '### Segredos que não são de pessoas', '',
    '| tabela | o que é |', '|---|---|', ...Object.entries(notOfPeople).map(([table, what]) => `| \`${table}\` | ${what} |`),
  ].join('\n')
}
