import { displayName } from '../../accounts/index.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import {
  type AreaData,
  type AreaPlace,
  type AreaVisit,
  entranceTo,
  findSignedIn,
  seeOther,
  type VisitAccounts,
} from '../../portal/index.ts'
import type { Role } from '../operators.ts'

/** The operators' area: another relying party than the citizen's, with a cookie of its own, entered with a second factor only. */
export const OPERATOR_PLACE: AreaPlace = {
  area: 'operacao',
  base: '/operacao',
  returns: /^\/operacao(\/[\w-]+)*$/,
  entryView: 'admin/signed-out',
  acr: 'urn:mt-login:aal:2',
}

/** The parts of the area, in the order of its menu, and who may see them: whoever is not named here sees nothing. */
const SECTIONS = [
  { name: 'biometrics', href: '/operacao/biometria', icon: 'face', roles: ['operator', 'auditor', 'admin'] },
  { name: 'counters', href: '/operacao/balcoes', icon: 'building', roles: ['operator', 'auditor', 'admin'] },
  { name: 'points', href: '/operacao/pontos', icon: 'camera', roles: ['operator', 'auditor', 'admin'] },
  { name: 'metering', href: '/operacao/medicao', icon: 'document', roles: ['operator', 'auditor', 'admin'] },
] as const satisfies readonly {
  readonly name: string
  readonly href: string
  readonly icon: string
  readonly roles: readonly Role[]
}[]

export type OperatorSection = (typeof SECTIONS)[number]['name']

export interface OperatorPagesDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly accounts: VisitAccounts
  readonly views: Views
  readonly messages: Messages
}

export type OperatorHandler<Input> = (ctx: HttpContext, visit: AreaVisit, input: Input) => Promise<void>

export interface OperatorPages {
  /**
   * Runs the handler for whoever may see the section at this very moment.
   *
   * A stranger, and a sign-in without a second factor, goes to the entrance; somebody without the role gets a plain page and status 403.
   */
  only<Input>(section: OperatorSection, handler: OperatorHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  show(ctx: HttpContext, visit: AreaVisit, page: { section: OperatorSection; view: string; data: object }): void
}

/** What every page of the operators' area shares; roles and session are read anew for each request. */
export function createOperatorPages({ sessions, accounts, views, messages }: OperatorPagesDependencies): OperatorPages {
  const frameOf = ({ account }: AreaVisit) => ({
    area: {
      user: { name: displayName(account.citizen.reveal()), signOutHref: `${OPERATOR_PLACE.base}/sair` },
      homeHref: OPERATOR_PLACE.base,
    },
  })
  return {
    only: (section, handler) => async (ctx, input) => {
      const visit = await findSignedIn(ctx, sessions, accounts)
      if (visit === undefined || visit.session.aal < 2) return seeOther(ctx, entranceTo(ctx.path, { place: OPERATOR_PLACE }))
      if (!canSee(visit, section)) {
        ctx.status = 403
        return views.render(ctx, 'admin/no-role', frameOf(visit))
      }
      await handler(ctx, visit, input)
    },
    show(ctx, visit, { section, view, data }) {
      const menu = SECTIONS.filter(({ name }) => canSee(visit, name)).map(({ name, href, icon }) => ({
        href,
        icon,
        label: messages.text(localeOf(ctx), `admin.nav.${name}`),
        current: name === section,
      }))
      ctx.status = 200
      views.render(ctx, `admin/${view}`, { ...frameOf(visit), menu, ...data })
    },
  }
}

function canSee({ account }: AreaVisit, section: OperatorSection): boolean {
  const roles: readonly string[] = SECTIONS.find(({ name }) => name === section)?.roles ?? []
  return account.roles.some((role) => roles.includes(role))
}
