import type Router from '@koa/router'
import type { Accounts } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import {
  type Appointments, createAppointments, createBookingRoutes, createPanelRoutes, createPrepareNotice, createQueue, createTellCitizen, type Queue, type Staff,
} from '../../helpdesk/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { Portal } from '../../portal/index.ts'
import type { AreaDependencies } from '../first-party.ts'
import type { Foundation } from '../foundation.ts'

/** The lines of the units and the hours booked in them. */
export interface WaitingLine {
  readonly queue: Queue
  readonly appointments: Appointments
}

export interface WaitingLineParts {
  readonly audit: Audit
  readonly accounts: Pick<Accounts, 'find'>
  readonly staff: Staff
  readonly messages: Messages
}

export function openWaitingLine({ db, clock, keyring, outbox, config }: Foundation, { audit, accounts, staff, messages }: WaitingLineParts): WaitingLine {
  const queue = createQueue({ db, clock, keyring, audit })
  const tell = createTellCitizen({ outbox, messages, publicUrl: config.platform.publicUrl })
  const prepareNotice = createPrepareNotice({ tell, findAccount: accounts.find, findUnit: staff.findUnit })
  return { queue, appointments: createAppointments({ db, clock, audit, queue, prepareNotice }) }
}

/** What needs no staff: the screen and the tablet of a unit, and booking from home. */
export function publicLineRoutes({ rooms, web }: AreaDependencies, { pages }: Pick<Portal, 'pages'>): Router[] {
  const { line } = rooms
  return [
    createPanelRoutes({ views: web.views, queue: line.queue }),
    createBookingRoutes({ pages, appointments: line.appointments }),
  ]
}
