/** A counter with people on both sides of it, for tests of the help desk. */
import { parseCpf } from '../../../src/accounts/index.ts'
import type { StaffRole, Unit } from '../../../src/helpdesk/index.ts'
import { addOperator, codeOf, type TestOperator } from '../../admin/support/operator-entrance.ts'
import { type TestArea, typePassword } from '../../portal/support/area.ts'
import type { BrowserClient, Page } from '../../support/browser-client.ts'

const CLI = { actorId: 'cli:test' }
const YEAR_MS = 365 * 86_400_000
let units = 0

/** A unit with its manager, opened as an operator would. */
export async function openUnit(area: TestArea, above?: string): Promise<{ unit: Unit; manager: TestOperator }> {
  const { staff } = area.app.rooms
  units += 1
  const unit = await staff.openUnit({ code: `balcao-${units}`, name: `Balcão ${units}`, municipality: 'Cuiabá', above }, CLI)
  const manager = await addOperator(area, [])
  await staff.grantFirst({ unitCode: unit.code, cpf: cpfOf(manager), endsAt: yearFrom(area) }, CLI)
  return { unit, manager }
}

/** Somebody with a role in a unit, given by its manager; supervisors are ouro. */
export async function hire(area: TestArea, { unit, manager }: { unit: Unit; manager: TestOperator }, role: StaffRole): Promise<TestOperator> {
  const person = await addOperator(area, [])
  if (role === 'supervisor') await makeOuro(area, person)
  await area.app.rooms.staff.grant({ unitId: unit.id, cpf: cpfOf(person), role, endsAt: yearFrom(area) }, manager.accountId)
  return person
}

/** Evidence of two members of staff, as a counter gives it. */
export async function makeOuro(area: TestArea, { accountId, personId }: Pick<TestOperator, 'accountId' | 'personId'>): Promise<string> {
  const { rooms, foundation } = area.app
  const evidence = await foundation.db.transaction((tx) =>
    rooms.assurance.add(tx, {
      method: 'attended',
      livenessClass: 'attended',
      dualControl: true,
      personId,
      accountId,
      source: 'counter',
      actor: { kind: 'operator', id: 'test' },
    }),
  )
  return evidence?.id ?? ''
}

export async function dropOuro(area: TestArea, { accountId }: Pick<TestOperator, 'accountId'>, id: string): Promise<void> {
  const { rooms, foundation } = area.app
  const actor = { kind: 'operator', id: 'test' } as const
  await foundation.db.transaction((tx) => rooms.assurance.withdraw(tx, { id, accountId, reason: 'test', actor }))
}

/** Opens a page of the counter and does what its entrance asks: password, then the code. */
export async function enterDesk(area: TestArea, browser: BrowserClient, person: TestOperator, path = '/balcao'): Promise<Page> {
  area.clock.advance(60_000)
  let page = await area.open(browser, path)
  if (page.forms.some(({ fields }) => fields.has('password'))) page = await typePassword(browser, page, person.cpf)
  if (page.forms.some(({ fields }) => fields.has('code')))
    page = await browser.submit(page, { code: codeOf(person.secret, area) }, { action: '/segundo-passo/codigo' })
  return page
}

export function cpfOf({ cpf }: Pick<TestOperator, 'cpf'>) {
  return parseCpf(cpf) ?? fail(cpf)
}

export function yearFrom({ clock }: Pick<TestArea, 'clock'>): Date {
  return new Date(clock.now().getTime() + YEAR_MS)
}

function fail(text: string): never {
  throw new Error(`no CPF: ${text}`)
}
