import { randomBytes } from 'node:crypto'
import type { PendingSignIn, SignedIn } from '../portal/index.ts'

/** What the portal keeps for one browser. */
export interface PortalSession {
  readonly id: string
  pending?: (PendingSignIn & { readonly service: string | undefined }) | undefined
  citizen?: SignedIn | undefined
  notice?: string | undefined
}

const MOST_SESSIONS = 10_000

/** The portal's sessions, in memory: a demonstration may forget them at a restart. The oldest go first. */
export class PortalSessions {
  readonly #sessions = new Map<string, PortalSession>()

  find(id: string | undefined): PortalSession | undefined {
    return id === undefined ? undefined : this.#sessions.get(id)
  }

  create(): PortalSession {
    const session: PortalSession = { id: randomBytes(32).toString('base64url') }
    this.#sessions.set(session.id, session)
    const oldest = this.#sessions.keys().next().value
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest)
    return session
  }

  /** Moves what a session knows to a new id, so that an id planted before the sign-in is worth nothing after it. */
  renew(session: PortalSession): PortalSession {
    const renewed = this.create()
    renewed.citizen = session.citizen
    renewed.notice = session.notice
    this.#sessions.delete(session.id)
    return renewed
  }

  end(session: PortalSession): void {
    this.#sessions.delete(session.id)
  }

  /** Ends every session of a server session or, without one, of a subject; returns how many. */
  endMatching({ sid, subject }: { sid?: string; subject?: string }): number {
    const matching = [...this.#sessions.values()].filter(({ citizen }) =>
      citizen === undefined ? false : sid === undefined ? citizen.subject === subject : citizen.sid === sid,
    )
    for (const session of matching) this.end(session)
    return matching.length
  }
}
