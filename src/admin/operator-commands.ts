import { type Cpf, parseCpf } from '../accounts/index.ts'
import { Problem } from '../platform/problem.ts'
import { tableOutcome } from './cli.ts'
import { type Command, type Outcome, UsageError } from './command.ts'
import type { Operator } from './operator.store.ts'
import { type Operators, ROLES, type Role } from './operators.ts'
import { ADMIN_PROBLEMS } from './problems.ts'

/** As typed, and as stored. */
const PAPEIS: Readonly<Record<string, Role>> = { operador: 'operator', auditor: 'auditor', administrador: 'admin' }
const papelOf = (role: string) => Object.entries(PAPEIS).find(([, stored]) => stored === role)?.[0] ?? role
const NAMES = Object.keys(PAPEIS).join(', ')

/** Commands about the state's staff. */
export function createOperatorCommands(operators: () => Promise<Operators>): Command[] {
  return [
    {
      words: 'operador criar',
      summary: 'Dá um papel a quem já tem conta; o primeiro operador nasce assim',
      notes: [
        'A pessoa entra como qualquer cidadão, com a conta e a senha dela: ninguém divide senha.',
        'Ainda sem conta, ela se cadastra primeiro, e ativa um segundo fator (TOTP ou chave de acesso) em /conta: sem ele não há papel.',
      ].join('\n'),
      flags: {
        cpf: { type: 'string', value: 'CPF', about: 'de quem recebe o papel', required: true },
        papel: { type: 'string', value: 'PAPEL', about: `${NAMES}; sem ela, administrador`, multiple: true },
      },
      run: async ({ text, texts }) => {
        const roles = texts('papel').length === 0 ? [PAPEIS['administrador'] ?? 'admin'] : texts('papel').map(roleFrom)
        return changed(await (await operators()).grant(cpfFrom(text('cpf')), roles))
      },
    },
    {
      words: 'operador listar',
      summary: 'Lista quem tem papel, pelo id da conta',
      run: async () => {
        const found = await (await operators()).list()
        const rows = found.map((operator) => [operator.accountId, operator.roles.map(papelOf).join(', '), operator.hasSecondFactor ? 'sim' : 'não'])
        return tableOutcome(['conta', 'papéis', 'segundo fator'], rows, found, 'Ninguém tem papel ainda: veja "operador criar --help".')
      },
    },
    {
      words: 'operador retirar',
      summary: 'Tira todos os papéis de uma pessoa',
      flags: { cpf: { type: 'string', value: 'CPF', about: 'de quem perde os papéis', required: true } },
      run: async ({ text }) => changed(await (await operators()).revoke(cpfFrom(text('cpf')))),
    },
  ]
}

/** The account's id only: what a terminal shows may stay in its history. */
function changed(operator: Operator): Outcome {
  const roles = operator.roles.length > 0 ? operator.roles.map(papelOf).join(', ') : 'nenhum'
  return { text: `Conta ${operator.accountId}: papéis ${roles}.`, json: operator }
}

function cpfFrom(text = ''): Cpf {
  const cpf = parseCpf(text)
  if (!cpf) throw new UsageError('Esse CPF não existe: confira os números.')
  return cpf
}

function roleFrom(text: string): Role {
  const role = PAPEIS[text] ?? ROLES.find((name) => name === text)
  if (!role) throw new Problem(ADMIN_PROBLEMS.roleUnknown, { detail: `${text}: há ${NAMES}` })
  return role
}
