import type { ProblemKind } from '../platform/problem.ts'

/** What the operator's commands refuse. */
export const ADMIN_PROBLEMS = {
  accountUnknown: { code: 'admin/account-unknown', status: 404, title: 'Não há conta ativa com esse CPF' },
  secondFactorMissing: { code: 'admin/second-factor-missing', status: 409, title: 'Essa conta ainda não tem um segundo fator: peça que o ative em /conta antes' },
  roleUnknown: { code: 'admin/role-unknown', status: 400, title: 'Esse papel não existe' },
  masterKeyUnreadable: { code: 'admin/master-key-unreadable', status: 400, title: 'A chave-mestra não pôde ser lida' },
  fileUnreadable: { code: 'admin/file-unreadable', status: 400, title: 'O arquivo não pôde ser lido' },
} as const satisfies Record<string, ProblemKind>
