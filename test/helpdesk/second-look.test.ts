/** Approvals that the server draws: who looks again, what "it does not match" does at once, and how it ends. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isDrawn } from '../../src/helpdesk/sampling/sample.ts'
import type { TestOperator } from '../admin/support/operator-entrance.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { bindByCode, bringToApproval, claimByCode, offerBinding, openStaffedDesk, type PersonName, type StaffedDesk } from './support/attendance-scene.ts'
import { cpfOf, enterDesk, hire, openUnit, yearFrom } from './support/counter.ts'

let area: TestArea
let above: Awaited<ReturnType<typeof openUnit>>
let desk: StaffedDesk

const CLI = { actorId: 'cli:test' }
const LIST = '/balcao/conferencias'

before(async () => {
  area = await openArea()
  above = await openUnit(area)
  desk = await openStaffedDesk(area)
  await area.app.foundation.db.execute('UPDATE helpdesk_unit SET parent_id = $2 WHERE id = $1', [desk.unit.id, above.unit.id])
})
after(() => area.close())

const idOf = (path: string) => path.split('/').at(-1) ?? ''
const standing = (accountId: string) => area.app.rooms.assurance.standingOf(accountId)
const sampleOf = async (id: string) => (await area.app.foundation.db.query<{ state: string; sealed: Buffer | null }>('SELECT state, sealed FROM approval_sample WHERE attendance_id = $1', [id]))[0]
const setShare = (sampleShare: number) => area.app.rooms.staff.setRules(desk.unit.code, { faceProfile: 'reference', matchPoint: 'fmr1e-4', sampleShare }, CLI)

const enrolled: { personId: string; id: string }[] = []

/** There are more cases than faces in these tests: the one before leaves the search. */
async function withdrawFace(personId: string, id: string): Promise<void> {
  const [row] = await area.app.foundation.db.query<{ image_id: string }>('SELECT image_id FROM attendance WHERE id = $1', [id])
  const { images } = area.app.rooms
  await area.app.foundation.db.transaction((tx) => images.withdrawImages(tx, personId, [row?.image_id ?? assert.fail()], { kind: 'system' }))
}

/** A citizen of the unit, bound and approved; answers the case's id. */
async function approved(share: number, person: PersonName, more: { bound?: boolean } = {}) {
  await setShare(share)
  for (const { personId, id } of enrolled.splice(0)) await withdrawFace(personId, id)
  const citizen = await area.citizen()
  const { path, browser } = await bringToApproval(area, desk, citizen.cpf, person)
  if (more.bound !== false) await bindByCode(area, citizen, await offerBinding(area, browser, path))
  const supervisor = area.browser()
  const page = await enterDesk(area, supervisor, desk.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match((await supervisor.submit(page, {}, { action: '/aprovar' })).text, /Aprovado/)
  enrolled.push({ personId: citizen.personId, id: idOf(path) })
  return { citizen, id: idOf(path), path, attendant: browser }
}

async function pageOf(person: TestOperator, path: string) {
  const browser = area.browser()
  return { browser, page: await enterDesk(area, browser, person, path) }
}

test('a share of 100 draws all and 0 none, whatever is thrown', () => {
  for (let roll = 0; roll < 100; roll += 1) {
    assert.equal(isDrawn(0, roll), false)
    assert.equal(isDrawn(100, roll), true)
  }
  assert.equal(Array.from({ length: 100 }, (_, roll) => isDrawn(30, roll)).filter(Boolean).length, 30)
})

test('an approval is drawn in its own transaction and shown to strangers only; "it matches" ends it and forgets what was compared', async () => {
  const none = await approved(0, 'one')
  assert.equal(await sampleOf(none.id), undefined)
  const { id, citizen } = await approved(100, 'third')
  assert.equal((await sampleOf(id))?.state, 'waiting')
  // Neither the approver nor the attendant, now a supervisor too, nor a supervisor of another unit.
  const elsewhere = await openStaffedDesk(area)
  for (const [person, status] of [[desk.supervisor, 403], [elsewhere.supervisor, 404], [desk.attendant, 403], [desk.manager, 403]] as const) {
    const { browser, page } = await pageOf(person, `${LIST}/${id}`)
    assert.equal(page.status, status)
    assert.doesNotMatch((await area.open(browser, LIST)).html, new RegExp(id))
  }
  const { browser, page } = await pageOf(await hire(area, desk, 'supervisor'), LIST)
  assert.match((await area.open(browser, '/balcao')).text, /[1-9]\d* aprovaç(ão|ões) sorteadas? por conferir/)
  const link = page.links.find(({ href }) => href.pathname.endsWith(id)) ?? assert.fail(page.text)
  const sheet = await browser.get(link.href)
  assert.match(sheet.text, /1234567-8/)
  const pictures = [...sheet.html.matchAll(/src="(\/balcao\/conferencias\/[^"]+)"/g)].map(([, src]) => src)
  assert.equal(pictures.length, 3, 'face, document, signature')
  for (const src of pictures) assert.equal((await browser.fetch(`${area.url}${src}`)).status, 200)
  const stranger = await browser.fetch(`${area.url}${LIST}/${id}/imagem/${none.id}`)
  assert.equal(stranger.status, 404)
  const missing = await browser.submit(sheet, {}, { button: 'Suspender' })
  assert.equal(missing.status, 422)
  assert.match((await browser.submit(sheet, {}, { button: 'Confere' })).text, /a aprovação confere/)
  assert.deepEqual(await sampleOf(id), { state: 'matches', sealed: null })
  assert.equal((await standing(citizen.accountId)).level, 'ouro')
  const ledger = (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 40 })).map(({ type }) => type)
  for (const type of ['helpdesk/second-look', 'helpdesk/attendance-seen', 'biometrics/image-opened']) assert.ok(ledger.includes(type), type)
  assert.equal(await area.app.rooms.staff.findUnit(desk.unit.id).then((unit) => unit?.rules.sampleShare), 100)
})

test('"it does not match" suspends image and evidence at once; dismissed by a fourth person they are back with their old date, confirmed they are not', async () => {
  const [third, fourth] = [await hire(area, desk, 'supervisor'), await hire(area, above, 'supervisor')]
  const { db } = area.app.foundation
  for (const [person, reason, told, level] of [['fourth', 'lookalike', /vale de novo/, 'ouro'], ['joana', 'impostor', /continua suspensa/, 'bronze']] as const) {
    const { citizen, id } = await approved(100, person === 'joana' ? 'one' : person)
    const before = (await standing(citizen.accountId)).evidence.find(({ method }) => method === 'attended') ?? assert.fail()
    area.clock.advance(3 * 86_400_000)
    const look = await pageOf(third, `${LIST}/${id}`)
    const judged = await look.browser.submit(look.page, { reason: 'document-doubt' }, { button: 'Suspender' })
    assert.match(judged.text, /A prova está suspensa/)
    assert.equal((await standing(citizen.accountId)).level, 'bronze')
    const images = () => area.app.rooms.images.list(citizen.personId)
    assert.ok((await images()).find(({ kind }) => kind === 'face')?.withdrawnAt)
    assert.match((await area.mailsTo(citizen.email))[0]?.text ?? '', /Você não precisa fazer nada/)
    // Twice is once, and whoever doubted does not decide about the doubt; nor does the approver, nor a raw write.
    assert.match((await look.browser.submit(look.page, { reason: 'other' }, { button: 'Suspender' })).text, /já conferiu/)
    const [review] = await db.query<{ id: string }>(`SELECT id FROM fraud_review WHERE attendance_id = $1 AND kind = 'second-look'`, [id])
    const path = `/balcao/fraudes/${review?.id}`
    for (const involved of [third, desk.supervisor]) {
      assert.equal((await pageOf(involved, path)).page.status, 403)
      const write = db.execute(`UPDATE fraud_review SET state = 'dismissed', reason = 'lookalike', decided_by = $2, decided_at = now() WHERE id = $1`, [review?.id, involved.accountId])
      await assert.rejects(write, /no part in it/)
    }
    await assert.rejects(db.execute(`UPDATE approval_sample SET state = 'restored' WHERE attendance_id = $1`, [id]), /ends by the review/)
    const judge = await pageOf(fourth, path)
    const sheet = await area.open(judge.browser, `${LIST}/${id}`)
    assert.match(sheet.text, /1234567-8/)
    assert.equal(sheet.forms.some(({ fields }) => fields.has('verdict')), false)
    assert.match((await judge.browser.submit(judge.page, { reason }, { action: path })).text, told)
    const after = await standing(citizen.accountId)
    assert.equal(after.level, level)
    const live = after.evidence.find(({ method, withdrawnAt }) => method === 'attended' && withdrawnAt === undefined)
    const [row] = await db.query<{ decided_at: Date }>('SELECT decided_at FROM attendance WHERE id = $1', [id])
    const termMs = (before.expiresAt?.getTime() ?? 0) - before.obtainedAt.getTime()
    assert.deepEqual(live?.obtainedAt, level === 'ouro' ? row?.decided_at : undefined)
    if (live) assert.equal((live.expiresAt?.getTime() ?? 0) - live.obtainedAt.getTime(), termMs)
    assert.equal((await images()).find(({ kind }) => kind === 'face')?.withdrawnAt === null, level === 'ouro')
    assert.equal((await sampleOf(id))?.sealed, null)
    if (level === 'ouro') assert.match((await area.mailsTo(citizen.email))[0]?.text ?? '', /com a data de antes/)
  }
  assert.deepEqual((await area.app.rooms.imageCare.integrity.all()).contradictions, [])
})

test('no account is bound to a case while a doubt stands; after its dismissal it is, and gets its level', async () => {
  const { citizen, id, path, attendant } = await approved(100, 'third', { bound: false })
  const look = await pageOf(await hire(area, desk, 'supervisor'), `${LIST}/${id}`)
  await look.browser.submit(look.page, { reason: 'bad-picture' }, { button: 'Suspender' })
  const { page } = await claimByCode(area, citizen, await offerBinding(area, attendant, path))
  assert.match(page.text, /A foto deste atendimento não vale mais/)
  assert.equal((await standing(citizen.accountId)).level, 'bronze')
  const [review] = await area.app.foundation.db.query<{ id: string }>(`SELECT id FROM fraud_review WHERE attendance_id = $1 AND kind = 'second-look'`, [id])
  const judge = await pageOf(await hire(area, above, 'supervisor'), `/balcao/fraudes/${review?.id}`)
  await judge.browser.submit(judge.page, { reason: 'bad-image' }, { action: `/fraudes/${review?.id}` })
  assert.equal((await standing(citizen.accountId)).level, 'bronze', 'nothing is bound yet')
  await bindByCode(area, citizen, await offerBinding(area, attendant, path))
  assert.equal((await standing(citizen.accountId)).level, 'ouro')
})

test('raw writes: a sample is judged by a stranger, once, and never leaves the table', async () => {
  const { id } = await approved(100, 'one')
  const { db } = area.app.foundation
  const judge = (by: string) => db.execute(`UPDATE approval_sample SET state = 'matches', decided_by = $2, decided_at = now() WHERE attendance_id = $1`, [id, by])
  for (const { accountId } of [desk.supervisor, desk.attendant]) await assert.rejects(judge(accountId), /had no hand/)
  await assert.rejects(db.execute('DELETE FROM approval_sample WHERE attendance_id = $1', [id]), /stays on record/)
  await assert.rejects(db.execute('UPDATE approval_sample SET share = 1 WHERE attendance_id = $1', [id]), /stays on record/)
  await judge((await hire(area, desk, 'supervisor')).accountId)
  await assert.rejects(db.execute(`UPDATE approval_sample SET state = 'waiting', decided_by = NULL, decided_at = NULL WHERE attendance_id = $1`, [id]), /judged once/)
})

test('the manager sees how many approvals of each supervisor were looked at again, and how many did not match', async () => {
  const report = await area.app.rooms.figures.management.ofUnit(desk.unit.id, 7)
  const approver = report.staff?.approvers.find(({ supervisorId }) => supervisorId === desk.supervisor.accountId) ?? assert.fail()
  assert.ok(approver.looked >= 3 && approver.contradicted >= 1 && approver.contradicted < approver.looked, JSON.stringify(approver))
  const { page } = await pageOf(desk.manager, '/balcao/gestao')
  assert.match(page.text, /Não conferem/)
})

test('rules: a manager asks for more, never for less than the operator or the unit above; who approves there lowers no share', async () => {
  await setShare(10)
  const page = async (person: TestOperator, path = '/balcao/regras') => pageOf(person, path)
  const own = await page(desk.manager)
  const values = { face: 'capture-point', match: 'fmr1e-5', share: '40' }
  assert.match((await own.browser.submit(own.page, values, { action: `/regras/${desk.unit.id}` })).text, /Regras guardadas/)
  const rulesOf = async () => (await area.app.rooms.staff.findUnit(desk.unit.id))?.rules
  assert.deepEqual(await rulesOf(), { faceProfile: 'capture-point', matchPoint: 'fmr1e-5', sampleShare: 40 })
  for (const share of ['101', '-1', 'x', '']) assert.equal((await own.browser.submit(own.page, { ...values, share }, { action: `/regras/${desk.unit.id}` })).status, 422)
  const looser = await own.browser.submit(own.page, { face: 'reference', match: 'fmr1e-4', share: '5' }, { action: `/regras/${desk.unit.id}` })
  assert.equal(looser.status, 422)
  assert.match(looser.text, /pelo menos o que já é pedido/)

  const upper = await page(above.manager)
  const link = upper.page.links.find(({ href }) => href.pathname.endsWith(desk.unit.id)) ?? assert.fail(upper.page.text)
  const below = await upper.browser.get(link.href)
  await upper.browser.submit(below, { face: 'reference', match: 'fmr1e-4', share: '60' }, { action: `/regras/${desk.unit.id}` })
  assert.equal((await rulesOf())?.sampleShare, 60)
  // The unit above's own manager page of a unit that is not below it, and an attendant's.
  const elsewhere = await openStaffedDesk(area)
  assert.equal((await area.open(upper.browser, `/balcao/regras/${elsewhere.unit.id}`)).status, 403)
  assert.equal((await page(desk.attendant)).page.status, 403)
  const fewer = { face: 'capture-point', match: 'fmr1e-5', share: '20' }
  assert.equal((await own.browser.submit(own.page, fewer, { action: `/regras/${desk.unit.id}` })).status, 422)
  assert.equal((await own.browser.submit(own.page, { ...fewer, share: '70' }, { action: `/regras/${desk.unit.id}` })).status, 200)

  const both = await hire(area, desk, 'supervisor')
  await area.app.rooms.staff.grant({ unitId: desk.unit.id, cpf: cpfOf(both), role: 'unit-manager', endsAt: yearFrom(area) }, above.manager.accountId)
  const approver = await page(both)
  const lower = await approver.browser.submit(approver.page, { ...fewer, share: '65' }, { action: `/regras/${desk.unit.id}` })
  assert.match(lower.text, /peça à gestão acima/)
  const events = await area.app.foundation.db.query<{ layer: string }>(`SELECT data->>'layer' AS layer FROM audit_event WHERE type = 'helpdesk/unit-rules-set' AND data->>'unitId' = $1 ORDER BY id`, [desk.unit.id])
  assert.deepEqual(events.slice(-3).map(({ layer }) => layer), ['own', 'above', 'own'])
})
