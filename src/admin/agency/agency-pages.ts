import { displayName } from '../../accounts/index.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { Problem } from '../../platform/problem.ts'
import { type AreaData, type AreaPlace, type AreaVisit, entranceTo, findSignedIn, seeOther, type VisitAccounts } from '../../portal/index.ts'
import type { AgencyRole, Proxies } from '../../proxies/index.ts'

/** The agencies' own area: another relying party than the citizen's, with a cookie of its own, entered with a second factor only. */
export const AGENCY_PLACE: AreaPlace = {
  area: 'orgao',
  base: '/orgao',
  returns: /^\/orgao(\/[\w-]+(\.[\w-]+)*)*$/,
  entryView: 'admin/agency/signed-out',
  acr: 'urn:mt-login:aal:2',
}

/** The parts of the area, in the order of its menu, and who may see them. */
const SECTIONS = [
  { name: 'powers', href: '/orgao/poderes', icon: 'document', roles: ['editor', 'publisher', 'manager'] },
  { name: 'entries', href: '/orgao/representacoes', icon: 'shield', roles: ['registrar'] },
  { name: 'team', href: '/orgao/equipe', icon: 'user', roles: ['manager'] },
] as const satisfies readonly { readonly name: string; readonly href: string; readonly icon: string; readonly roles: readonly AgencyRole[] }[]
export type AgencySection = (typeof SECTIONS)[number]['name']

/** One agency's part of the catalogue, and what the visitor does for it. */
export interface Space {
  readonly code: string
  readonly title: string
  /** The agency's client at the API. */
  readonly clientId: string
  readonly roles: readonly AgencyRole[]
}

export interface AgencyVisit extends AreaVisit {
  readonly spaces: readonly Space[]
}

export type AgencyHandler<Input> = (ctx: HttpContext, visit: AgencyVisit, input: Input) => Promise<void> | void

export interface AgencyPages {
  /** For whoever may see the section in some agency at this very moment; `spaces` are those in which they may. */
  only<Input>(section: AgencySection, handler: AgencyHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  /** Any visitor with a place; leads to the first section that is theirs. */
  home(ctx: HttpContext): Promise<void>
  show(ctx: HttpContext, visit: AgencyVisit, page: { section: AgencySection; view: string; data: object }): void
}

export interface AgencyPagesDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly accounts: VisitAccounts
  readonly proxies: Pick<Proxies, 'team' | 'roles'>
  readonly views: Views
  readonly messages: Messages
}

/** What every page of the agencies' area shares; places and session are read anew for each request. */
export function createAgencyPages({ sessions, accounts, proxies, views, messages }: AgencyPagesDependencies): AgencyPages {
  const frameOf = ({ account }: AreaVisit) => ({
    area: { user: { name: displayName(account.citizen.reveal()), signOutHref: `${AGENCY_PLACE.base}/sair` }, homeHref: AGENCY_PLACE.base },
  })

  async function enter(ctx: HttpContext): Promise<AgencyVisit | undefined> {
    const visit = await findSignedIn(ctx, sessions, accounts)
    const back = ctx.method === 'GET' || ctx.method === 'HEAD' ? ctx.path : AGENCY_PLACE.base
    if (visit === undefined || visit.session.aal < 2) return void seeOther(ctx, entranceTo(back, { place: AGENCY_PLACE }))
    const held = Map.groupBy(await proxies.team.liveOf(visit.account.id), ({ namespace }) => namespace)
    const spaces = (await proxies.roles.namespaces()).flatMap(({ code, title, clientId }) => {
      const roles = held.get(code)?.map(({ role }) => role)
      return roles ? [{ code, title, clientId, roles }] : []
    })
    return { ...visit, spaces }
  }

  function refuse(ctx: HttpContext, visit: AreaVisit): void {
    ctx.status = 403
    views.render(ctx, 'admin/agency/no-place', frameOf(visit))
  }

  return {
    only: (section, handler) => async (ctx, input) => {
      const visit = await enter(ctx)
      if (visit === undefined) return
      const spaces = visit.spaces.filter((space) => canSee(space, section))
      if (spaces.length === 0) return refuse(ctx, visit)
      await handler(ctx, visit, input)
    },
    async home(ctx) {
      const visit = await enter(ctx)
      if (visit === undefined) return
      const first = SECTIONS.find(({ name }) => visit.spaces.some((space) => canSee(space, name)))
      if (first) seeOther(ctx, first.href)
      else refuse(ctx, visit)
    },
    show(ctx, visit, { section, view, data }) {
      const menu = SECTIONS.filter(({ name }) => visit.spaces.some((space) => canSee(space, name))).map(({ name, href, icon }) => ({
        href, icon, label: messages.text(localeOf(ctx), `orgao.nav.${name}`), current: name === section,
      }))
      if (ctx.status === 404) ctx.status = 200
      views.render(ctx, `admin/agency/${view}`, { ...frameOf(visit), menu, ...data })
    },
  }
}

function canSee({ roles }: Space, section: AgencySection): boolean {
  const wanted: readonly AgencyRole[] = SECTIONS.find(({ name }) => name === section)?.roles ?? []
  return roles.some((role) => wanted.includes(role))
}

/** Spaces of the visitor in which a section is theirs. */
export function spacesOf({ spaces }: AgencyVisit, section: AgencySection): Space[] {
  return spaces.filter((space) => canSee(space, section))
}

/**
 * The space of an address, for somebody who has one of these places in it; what is another agency's does not exist.
 * @throws {Problem} platform/not-found, platform/forbidden
 */
export function spaceIn({ spaces }: AgencyVisit, code: string, needed: readonly AgencyRole[]): Space {
  const space = spaces.find((one) => one.code === code)
  if (space === undefined) throw new Problem(HTTP_PROBLEMS.notFound)
  if (!space.roles.some((role) => needed.includes(role))) throw new Problem(HTTP_PROBLEMS.forbidden)
  return space
}
