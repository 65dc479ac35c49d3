import { type AccountId, displayName } from '../accounts/index.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import { type HttpContext, scopeOf } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import { type AreaData, type AreaPlace, type AreaVisit, entranceTo, findSignedIn, seeOther, type VisitAccounts } from '../portal/index.ts'
import type { RoleNow, StaffRole } from './staff/role.ts'
import type { Staff } from './staff/staff.ts'
import type { Unit } from './staff/unit.store.ts'

/** The counter's area: a relying party of its own, with a cookie of its own, entered with a second factor only. */
export const DESK_PLACE: AreaPlace = {
  area: 'balcao',
  base: '/balcao',
  returns: /^\/balcao(\/[\w-]+)*$/,
  entryView: 'helpdesk/signed-out',
  acr: 'urn:mt-login:aal:2',
}

/** What the area asks of accounts; `publicCodeOf` = what stands for one of the staff on papers. */
export interface StaffAccounts extends VisitAccounts {
  publicCodeOf(id: AccountId): string
}

/** The parts of the area, in the order of its menu, and whose they are: whoever is not named here sees nothing. */
const SECTIONS = [
  { name: 'home', href: '/balcao', icon: 'home', roles: ['attendant', 'supervisor', 'unit-manager', 'image-operator'] },
  { name: 'queue', href: '/balcao/fila', icon: 'clock', roles: ['attendant', 'supervisor', 'unit-manager'] },
  { name: 'support', href: '/balcao/apoio', icon: 'help', roles: ['attendant', 'supervisor'] },
  { name: 'management', href: '/balcao/gestao', icon: 'building', roles: ['unit-manager'] },
  { name: 'hours', href: '/balcao/horarios', icon: 'calendar', roles: ['unit-manager'] },
  { name: 'attendances', href: '/balcao/atendimentos', icon: 'id-card', roles: ['attendant'] },
  { name: 'accounts', href: '/balcao/contas', icon: 'phone', roles: ['attendant', 'supervisor'] },
  { name: 'approvals', href: '/balcao/aprovacoes', icon: 'check', roles: ['supervisor'] },
  { name: 'fraud', href: '/balcao/fraudes', icon: 'alert', roles: ['supervisor'] },
  { name: 'samples', href: '/balcao/conferencias', icon: 'eye', roles: ['supervisor'] },
  { name: 'kiosks', href: '/balcao/aparelhos', icon: 'device', roles: ['unit-manager'] },
  { name: 'team', href: '/balcao/equipe', icon: 'user', roles: ['unit-manager'] },
  { name: 'rules', href: '/balcao/regras', icon: 'shield', roles: ['unit-manager'] },
] as const satisfies readonly { readonly name: string; readonly href: string; readonly icon: string; readonly roles: readonly StaffRole[] }[]

export type DeskSection = (typeof SECTIONS)[number]['name']

/** A part of the area, as a link leads there. */
export interface DeskPart {
  readonly name: DeskSection
  readonly href: string
  readonly icon: string
}

/** Somebody of the staff, at work in one unit at this moment. */
export interface DeskVisit extends AreaVisit {
  readonly unit: Unit
  /** Live roles in this unit. */
  readonly roles: readonly StaffRole[]
  /** Live roles in every unit. */
  readonly everywhere: readonly RoleNow[]
}

export type DeskHandler<Input> = (ctx: HttpContext, visit: DeskVisit, input: Input) => Promise<void>

export interface DeskPage {
  readonly section: DeskSection
  /** Below `views/helpdesk/`. */
  readonly view: string
  readonly data?: object
}

export interface DeskPages {
  /**
   * Runs the handler for whoever may see the section in their present unit at this very moment: session, second factor, dates, suspension and
   * level are looked at anew. A stranger goes to the entrance, somebody with several units chooses one, somebody without the role gets 403.
   */
  only<Input>(section: DeskSection, handler: DeskHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  /** Units that somebody may work in now; for the page that chooses one. */
  units<Input>(
    handler: (ctx: HttpContext, visit: AreaVisit, units: readonly Unit[], input: Input) => Promise<void>,
  ): (ctx: HttpContext, input: Input) => Promise<void>
  /** Remembers the unit in this browser; it is checked against live roles at every request. */
  choose(ctx: HttpContext, unitId: string): void
  /** The parts of the area that this visit may see, in the order of the menu. */
  partsOf(visit: DeskVisit): readonly DeskPart[]
  show(ctx: HttpContext, visit: DeskVisit, page: DeskPage): void
}

export interface DeskPagesDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly accounts: VisitAccounts
  readonly staff: Pick<Staff, 'liveRoles' | 'findUnit'>
  readonly views: Views
  readonly messages: Messages
}

const UNIT_COOKIE = 'balcao_unidade'

/** What every page of the counter shares. */
export function createDeskPages({ sessions, accounts, staff, views, messages }: DeskPagesDependencies): DeskPages {
  const frameOf = ({ account }: AreaVisit) => ({
    area: { user: { name: displayName(account.citizen.reveal()), signOutHref: `${DESK_PLACE.base}/sair` }, homeHref: DESK_PLACE.base, wide: true },
  })

  async function enter(ctx: HttpContext): Promise<{ visit: AreaVisit; roles: RoleNow[] } | undefined> {
    const visit = await findSignedIn(ctx, sessions, accounts)
    if (visit !== undefined && visit.session.aal >= 2) return { visit, roles: await staff.liveRoles(visit.account.id) }
    const back = ctx.method === 'GET' || ctx.method === 'HEAD' ? ctx.path : DESK_PLACE.base
    return void seeOther(ctx, entranceTo(back, { place: DESK_PLACE }))
  }

  function refuse(ctx: HttpContext, visit: AreaVisit): void {
    ctx.status = 403
    views.render(ctx, 'helpdesk/no-role', frameOf(visit))
  }

  return {
    only: (section, handler) => async (ctx, input) => {
      const entered = await enter(ctx)
      if (entered === undefined) return
      const { visit, roles } = entered
      const unitIds = new Set(roles.map(({ unitId }) => unitId))
      const chosen = scopeOf(ctx).cookies.read(ctx, UNIT_COOKIE)
      const unitId = unitIds.size === 1 ? [...unitIds][0] : [...unitIds].find((id) => id === chosen)
      if (unitIds.size > 1 && unitId === undefined) return seeOther(ctx, '/balcao/unidade')
      const unit = unitId === undefined ? undefined : await staff.findUnit(unitId)
      const held = roles.filter((role) => role.unitId === unitId).map(({ role }) => role)
      if (unit === undefined || !canSee(held, section)) return refuse(ctx, visit)
      await handler(ctx, { ...visit, unit, roles: held, everywhere: roles }, input)
    },
    units: (handler) => async (ctx, input) => {
      const entered = await enter(ctx)
      if (entered === undefined) return
      const units = await Promise.all([...new Set(entered.roles.map(({ unitId }) => unitId))].map((id) => staff.findUnit(id)))
      if (units.length === 0) return refuse(ctx, entered.visit)
      await handler(
        ctx,
        entered.visit,
        units.filter((unit) => unit !== undefined),
        input,
      )
    },
    choose: (ctx, unitId) => scopeOf(ctx).cookies.write(ctx, UNIT_COOKIE, unitId, { sameSite: 'Strict' }),
    partsOf,
    show(ctx, visit, { section, view, data }) {
      const menu = partsOf(visit).map(({ name, href, icon }) => ({
        href,
        icon,
        label: messages.text(localeOf(ctx), `helpdesk.nav.${name}`),
        current: name === section,
      }))
      if (ctx.status === 404) ctx.status = 200
      const { id, name, municipality } = visit.unit
      const several = new Set(visit.everywhere.map(({ unitId }) => unitId)).size > 1
      views.render(ctx, `helpdesk/${view}`, { ...frameOf(visit), menu, unit: { id, name, municipality, several }, ...data })
    },
  }
}

const partsOf = ({ roles }: DeskVisit): readonly DeskPart[] => SECTIONS.filter(({ name }) => canSee(roles, name))

function canSee(held: readonly StaffRole[], section: DeskSection): boolean {
  const roles: readonly StaffRole[] = SECTIONS.find(({ name }) => name === section)?.roles ?? []
  return held.some((role) => roles.includes(role))
}
