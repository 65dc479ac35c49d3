import type Router from '@koa/router'
import type { Accounts } from '../../accounts/index.ts'
import { createManagement, createSurveyRoutes, createSurveys, createTellCitizen, type Management, type Surveys } from '../../helpdesk/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { AreaDependencies } from '../first-party.ts'
import type { Foundation } from '../foundation.ts'

/** What people thought of the counter, and what its managers see. */
export interface Figures {
  readonly surveys: Surveys
  readonly management: Management
}

export function openFigures(foundation: Foundation, { accounts, messages }: { readonly accounts: Pick<Accounts, 'find'>; readonly messages: Messages }): Figures {
  const { db, clock, keyring, outbox, config } = foundation
  const { publicUrl } = config.platform
  const tell = createTellCitizen({ outbox, messages, publicUrl })
  const surveys = createSurveys({ platform: { db, clock, keyring }, publicUrl, findAccount: accounts.find, tell })
  return { surveys, management: createManagement({ db, clock, surveys, findAccount: accounts.find }) }
}

/** The page behind a survey's link. */
export function surveyRoutes({ rooms, web }: AreaDependencies): Router {
  return createSurveyRoutes({ views: web.views, surveys: rooms.figures.surveys })
}
