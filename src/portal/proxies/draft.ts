import { z } from 'zod'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import { type GrantTerms, parseDay, parsePartyRef } from '../../proxies/index.ts'
import type { AreaData } from '../area.ts'

const power = z.object({ namespace: z.string(), code: z.string(), version: z.int() })

/** A mandate in the making, in this browser: sealed with its session, gone with it. */
export const proxyDraft = z.object({
  mode: z.enum(['nova', 'pedir', 'repassar']),
  /** The mandate of which a part is passed on. */
  parent: z.string().optional(),
  company: z.string().optional(),
  document: z.string().optional(),
  name: z.string().optional(),
  powers: z.array(power).optional(),
  until: z.string().optional(),
  instance: z.string().optional(),
  passOn: z.boolean().optional(),
  kind: z.enum(['procuracao', 'advocaticia']).optional(),
  /** More people; with a quorum only together. */
  others: z.array(z.object({ document: z.string(), name: z.string() })).optional(),
  quorum: z.int().optional(),
})
export type ProxyDraft = z.infer<typeof proxyDraft>

/** As many as the register takes in one mandate. */
export const MOST_PEOPLE = 10

export const STEPS = ['quem', 'poderes', 'prazo', 'resumo'] as const
export type DraftStep = (typeof STEPS)[number]

/** The first step that has not been answered; the summary once all are. */
export function stepOf({ document, powers, until }: ProxyDraft): DraftStep {
  if (document === undefined) return 'quem'
  if (powers === undefined) return 'poderes'
  return until === undefined ? 'prazo' : 'resumo'
}

export interface Drafts {
  find(ctx: HttpContext): Promise<ProxyDraft | undefined>
  save(ctx: HttpContext, draft: ProxyDraft | undefined): Promise<void>
}

export function createDrafts(sessions: PageSessions<AreaData>): Drafts {
  return {
    find: async (ctx) => (await sessions.read(ctx))?.data.proxy,
    async save(ctx, proxy) {
      const session = await sessions.read(ctx)
      if (session !== undefined) await sessions.update(ctx, { ...session.data, proxy })
    },
  }
}

/** What the draft comes to, once every step is answered. */
export function termsOf({ document = '', name = '', powers = [], until = '', instance, passOn, kind, others = [], quorum }: ProxyDraft): GrantTerms | undefined {
  const validThrough = parseDay(until)
  const people = [{ document, name }, ...others]
  const delegates = people.flatMap((one) => {
    const ref = parsePartyRef(one.document)
    return ref === undefined ? [] : [{ ref, name: one.name }]
  })
  if (!validThrough || delegates.length !== people.length) return undefined
  const limits = { ...(instance && { instance }), ...(passOn && { subDepth: 1 }), ...(quorum !== undefined && { quorum }) }
  return { delegates, powers, validThrough, ...(kind && { kind }), ...limits }
}

/** A day as people type it, `30/06/2027`, or as a browser sends it. */
export function parseTypedDay(text: string): string | undefined {
  const [, day, month, year] = /^\s*(\d{1,2})\D?(\d{1,2})\D?(\d{4})\s*$/.exec(text) ?? []
  return parseDay(year === undefined ? text.trim() : `${year}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}`)
}
