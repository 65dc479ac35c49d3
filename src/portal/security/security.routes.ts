import Router from '@koa/router'
import type { Certificates, ChangePassword, Passkeys, RecoveryCodes, Totp } from '../../accounts/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import type { AreaData } from '../area.ts'
import type { AreaPages } from '../pages.ts'
import { addCertificateRoutes } from './certificates.routes.ts'
import { addPasskeyRoutes } from './passkeys.routes.ts'
import { addPasswordRoutes } from './password.routes.ts'
import { addRecoveryCodeRoutes } from './recovery-codes.routes.ts'
import { addTotpRoutes } from './totp.routes.ts'

/** The ways to sign in that a citizen manages here. */
export interface Factors {
  readonly totp: Totp
  readonly passkeys: Passkeys
  readonly certificates: Certificates
  readonly recoveryCodes: RecoveryCodes
  readonly changePassword: ChangePassword
}

export interface SecurityRoutesDependencies {
  readonly pages: AreaPages
  readonly factors: Factors
  readonly sessions: PageSessions<AreaData>
  readonly messages: Messages
  readonly minPasswordLength: number
}

/** Password, authenticator app, passkeys and recovery codes: how things stand, and a page for each change. */
export function createSecurityRoutes(deps: SecurityRoutesDependencies): Router {
  const { totp, passkeys, certificates, recoveryCodes } = deps.factors
  const router = new Router()

  router.get(
    '/conta/seguranca',
    deps.pages.section({ section: 'security', view: 'security' }, async ({ account, heldUntil }) => {
      const { id, passwordChangedAt } = account
      return {
        passwordChangedAt,
        heldUntil,
        hasTotp: await totp.isEnabled(id),
        passkeys: await passkeys.list(id),
        certificates: await certificates.list(id),
        takesCertificates: (await certificates.host()) !== undefined,
        codesLeft: await recoveryCodes.countLeft(id),
      }
    }),
  )

  addPasswordRoutes(router, deps)
  addTotpRoutes(router, deps)
  addPasskeyRoutes(router, deps)
  addCertificateRoutes(router, deps)
  addRecoveryCodeRoutes(router, deps)
  return router
}
