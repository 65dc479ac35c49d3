/**
 * The counter: units and their staff, attendances in person, dual control.
 *
 * Terminology: **unit** (balcão) = a place where people are attended · **role** = what somebody may do in one unit, from when until when ·
 * **live role** = a role that counts at this moment: neither over, suspended nor asleep because the person's level fell ·
 * **attendance** (atendimento) = one case of one person · **holder** = who alone changes its draft · **hand** = whoever worked on it ·
 * **halt** = stopped by the face search until a reviewer decides · **section** = a part of `/balcao` with the roles that may see it · **ticket** (senha) = a place in a unit's waiting line · **panel** = the public
 * screen of called numbers · **tablet** (totem) = what gives numbers at the entrance.
 */
export { createAssistance } from './assistance/assistance.ts'
export { createAssistanceRoutes } from './assistance/assistance.routes.ts'
export { type Appointments, createAppointments } from './appointments/appointments.ts'
export { createBookingRoutes } from './appointments/booking.routes.ts'
export { appointmentEvents } from './appointments/events.ts'
export { createHoursRoutes } from './appointments/hours.routes.ts'
export { createPrepareNotice } from './appointments/notice.ts'
export { createTellCitizen, type TellCitizen } from './citizen-notice.ts'
export type { Desk } from './attendance/desk.ts'
export { type Counter, type CounterDependencies, createCounter } from './counter.ts'
export { createDeskPages, DESK_PLACE, type DeskHandler, type DeskPage, type DeskPages, type DeskSection, type DeskVisit } from './desk-pages.ts'
export { createDeskRoutes, type DeskDependencies } from './desk.routes.ts'
export { createHomeRoutes } from './work/home.routes.ts'
export { helpdeskEvents } from './events.ts'
export { HELPDESK_PROBLEMS } from './problems.ts'
export { COUNTER_DOOR, createKioskRoutes, type FaceAtCounter, kioskSession } from './kiosk/kiosk.routes.ts'
export { createWayInRoutes } from './kiosk/way-in.routes.ts'
export { createManagementRoutes, managementView, periodQuery, sendReport } from './management/management.routes.ts'
export { createManagement, type Management } from './management/report.ts'
export { queueEvents } from './queue/events.ts'
export { createPanelRoutes } from './queue/panel.routes.ts'
export { createQueue, type Queue } from './queue/queue.ts'
export { createQueueRoutes } from './queue/queue.routes.ts'
export { type GivenRole, LEVEL_OF_ROLE, type RoleNow, type RoleState, roleState, STAFF_ROLES, type StaffRole } from './staff/role.ts'
export { type CommandLine, createStaff, type NewRole, type NewUnit, type Staff } from './staff/staff.ts'
export { createSurveyRoutes } from './satisfaction/survey.routes.ts'
export { createSurveys, type Surveys } from './satisfaction/surveys.ts'
export { supportEvents } from './support/events.ts'
export { createSupport, type Support } from './support/support.ts'
export { createSupportRoutes } from './support/support.routes.ts'
export { publicCodeOf } from './staff/public-code.ts'
export { helpdeskTerms } from './retention/terms.ts'
export type { Unit, UnitRules } from './staff/unit.store.ts'
