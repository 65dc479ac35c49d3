/** Attendances over HTTP: two people to ouro, four eyes by every way round, what the search stops, and who is told what. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAttendances } from '../../src/helpdesk/attendance/attendances.ts'
import { protocolNumber } from '../../src/helpdesk/attendance/protocol-number.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { frameOf, HEADS } from '../support/face-samples.ts'
import { bindByCode, bringToApproval, captureAll, offerBinding, openCase, openStaffedDesk, type StaffedDesk, tokenOf, upload } from './support/attendance-scene.ts'
import { cpfOf, enterDesk, hire, yearFrom } from './support/counter.ts'

let area: TestArea
let desk: StaffedDesk

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
})
after(() => area.close())

const idOf = (path: string) => path.split('/').at(-1) ?? ''
const levelOf = (accountId: string) => area.app.rooms.assurance.levelOf(accountId)

test('a protocol number carries check digits that catch one wrong digit and two swapped ones', () => {
  const number = protocolNumber(2026, 123)
  const holds = (text: string) => BigInt(text.replaceAll('-', '')) % 97n === 1n
  assert.match(number, /^2026-0000123-\d\d$/)
  assert.ok(holds(number), 'ISO 7064, MOD 97-10')
  for (let at = 0; at < number.length; at += 1) {
    if (number[at] === '-') continue
    const wrong = `${number.slice(0, at)}${(Number(number[at]) + 1) % 10}${number.slice(at + 1)}`
    assert.ok(!holds(wrong), wrong)
  }
  assert.ok(!holds(number.replace('2026', '2062')))
})

test('two people bring a citizen to ouro; the images are in the store as captured in person; the ledger has every step', async () => {
  const citizen = await area.citizen()
  const { path, browser: counter } = await bringToApproval(area, desk, citizen.cpf, 'fourth')
  const id = idOf(path)
  assert.match((await bindByCode(area, citizen, await offerBinding(area, counter, path))).text, /Conta ligada ao atendimento/)
  const supervisor = area.browser()
  const list = await enterDesk(area, supervisor, desk.supervisor, '/balcao/aprovacoes')
  const link = list.links.find(({ href }) => href.pathname.endsWith(id)) ?? assert.fail(list.text)
  const page = await supervisor.get(link.href)
  for (const text of [/Ninguém mais com este rosto/, /Não há foto anterior/, /1234567-8/, /3 fotos no modelo/]) assert.match(page.text, text)
  const image = /src="(\/balcao\/aprovacoes\/[^"]+\/imagem\/[^"]+)"/.exec(page.html)?.[1] ?? assert.fail('no picture')
  const shown = await supervisor.fetch(`${area.url}${image}`)
  assert.equal(shown.headers.get('Content-Type'), 'image/jpeg')
  assert.equal(await levelOf(citizen.accountId), 'bronze')
  const done = await supervisor.submit(page, {}, { action: '/aprovar' })
  assert.match(done.text, /Aprovado/)
  assert.equal(await levelOf(citizen.accountId), 'ouro')
  const images = await area.app.rooms.images.list(citizen.personId)
  assert.deepEqual(images.map(({ kind }) => kind).sort(), ['document-front', 'face', 'signature'])
  assert.ok(images.every(({ inPerson, trusted, operatorId }) => inPerson && trusted && operatorId === desk.attendant.accountId))
  const reference = await area.app.rooms.images.findReference(citizen.personId, area.app.rooms.faces.rule.modelId)
  assert.equal(reference?.k, 3)
  const types = (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 100 })).map(({ type }) => type)
  for (const step of ['opened', 'captured', 'submitted', 'seen', 'ended']) assert.ok(types.includes(`helpdesk/attendance-${step}`), step)
  const [kept] = await area.app.foundation.db.query<{ count: number }>('SELECT count(*) AS count FROM attendance_item WHERE attendance_id = $1 AND sealed IS NOT NULL', [id])
  assert.equal(kept?.count, 0, 'the draft’s pictures are forgotten')
})

test('four eyes: no role, unit or direct write lets a hand in the case approve it', async () => {
  const citizen = await area.citizen()
  const { path } = await bringToApproval(area, desk, citizen.cpf, 'third')
  const id = idOf(path)
  const { staff, assurance } = area.app.rooms
  const { db } = area.app.foundation
  // The attendant becomes a supervisor of the same unit, ouro and all.
  const { accountId, personId } = desk.attendant
  await db.transaction((tx) =>
    assurance.add(tx, { method: 'attended', livenessClass: 'attended', dualControl: true, personId, accountId, source: 'counter', actor: { kind: 'operator', id: 'test' } }),
  )
  await staff.grant({ unitId: desk.unit.id, cpf: cpfOf(desk.attendant), role: 'supervisor', endsAt: yearFrom(area) }, desk.manager.accountId)
  const browser = area.browser()
  const list = await enterDesk(area, browser, desk.attendant, '/balcao/aprovacoes')
  assert.match(list.text, /Você participou/)
  assert.doesNotMatch((await area.open(browser, '/balcao')).text, /por aprovar/, 'the first page calls nobody to their own case')
  const colleague = area.browser()
  assert.match((await enterDesk(area, colleague, desk.supervisor)).text, /[1-9]\d* atendimentos? por aprovar/)
  assert.equal((await area.open(browser, `/balcao/aprovacoes/${id}`)).status, 403)
  const body = new URLSearchParams({ _csrf: await tokenOf(area, browser) })
  const refused = await browser.post(`${area.url}/balcao/aprovacoes/${id}/aprovar`, body, new URL(area.url))
  assert.match(refused.text, /outra pessoa da supervisão decide/)
  const write = (by: string) => db.execute(`UPDATE attendance SET state = 'approved', decided_by = $2, decided_at = now(), decision = 'approved' WHERE id = $1`, [id, by])
  await assert.rejects(write(desk.attendant.accountId), /had no hand/)
  await assert.rejects(write(citizen.accountId), /had no hand/)
  await assert.rejects(db.execute('DELETE FROM attendance_hand WHERE attendance_id = $1', [id]), /stays on record/)
  // A colleague who only took it over once, and gave it back, is a hand too.
  assert.equal(await levelOf(citizen.accountId), 'bronze')
  // A manager without the role, and a supervisor of another unit, see nothing of it.
  const elsewhere = await openStaffedDesk(area)
  for (const [person, status] of [[desk.manager, 403], [elsewhere.supervisor, 404]] as const) {
    const other = area.browser()
    await enterDesk(area, other, person)
    assert.equal((await area.open(other, `/balcao/aprovacoes/${id}`)).status, status)
  }
})

test('a supervisor whose level fell, or whose role ended, in the middle of it cannot approve', async () => {
  const citizen = await area.citizen()
  const other = await openStaffedDesk(area)
  const { path } = await bringToApproval(area, other, citizen.cpf, 'third')
  const id = idOf(path)
  const browser = area.browser()
  const page = await enterDesk(area, browser, other.supervisor, `/balcao/aprovacoes/${id}`)
  await area.app.foundation.db.execute(`UPDATE evidence SET withdrawn_at = $2, withdrawn_reason = 'test' WHERE person_id = $1`, [other.supervisor.personId, area.clock.now()])
  assert.equal((await browser.submit(page, {}, { action: '/aprovar' })).status, 403)
  assert.equal(await levelOf(citizen.accountId), 'bronze')
  await area.app.foundation.db.execute(`UPDATE evidence SET withdrawn_at = NULL WHERE person_id = $1`, [other.supervisor.personId])
  const refused = await browser.submit(page, { reason: 'bad-picture' }, { action: '/recusar' })
  assert.match(refused.text, /Recusado/)
  assert.equal(await levelOf(citizen.accountId), 'bronze')
  assert.equal((await area.app.rooms.images.list(citizen.personId)).length, 0)
})

test('a face that is another person’s stops the case; only a reviewer sees both sides; dismissed it goes on, confirmed it is refused', async () => {
  const other = await openStaffedDesk(area)
  for (const [reason, told] of [['twins', /Sem fraude/], ['same-person', /Suspeita confirmada/]] as const) {
    const citizen = await area.citizen()
    const browser = area.browser()
    await enterDesk(area, browser, other.attendant)
    const path = (await openCase(area, browser, citizen.cpf)).url.pathname
    await captureAll(area, browser, path, 'joana')
    const stopped = await browser.submit(await area.open(browser, path), {}, { action: '/conferir' })
    assert.match(stopped.text, /Parado para análise/)
    assert.match((await area.open(browser, '/balcao')).text, /1 atendimento seu por terminar/)
    assert.doesNotMatch(stopped.text, /Joana/, 'the attendant does not see the other side')
    assert.ok(!stopped.forms.some(({ action }) => action.pathname.endsWith('/enviar')))
    const token = new URLSearchParams({ _csrf: await tokenOf(area, browser) })
    assert.match((await browser.post(`${area.url}${path}/enviar`, token, new URL(area.url))).text, /parado para análise/i)
    assert.equal((await area.open(browser, '/balcao/fraudes')).status, 403)
    const reviewer = area.browser()
    assert.match((await enterDesk(area, reviewer, other.supervisor)).text, /1 suspeita por decidir/)
    const list = await area.open(reviewer, '/balcao/fraudes')
    const link = list.links.find(({ href }) => /\/fraudes\/[0-9a-f-]{36}$/.test(href.pathname)) ?? assert.fail(list.text)
    const page = await reviewer.get(link.href)
    for (const side of ['captura', 'outra']) assert.equal((await reviewer.fetch(`${link.href.href}/${side}`)).headers.get('Content-Type'), 'image/jpeg')
    assert.match((await reviewer.submit(page, { reason }, { action: link.href.pathname })).text, told)
    const after = await area.open(browser, path)
    if (reason === 'twins') assert.match((await browser.submit(after, {}, { action: '/enviar' })).text, /Esperando a supervisão/)
    else assert.match(after.text, /Recusado/)
  }
})

test('a face that is not the person’s own stops the case too', async () => {
  const citizen = await area.citizen()
  const first = await bringToApproval(area, desk, citizen.cpf, 'one')
  const supervisor = area.browser()
  const page = await enterDesk(area, supervisor, desk.supervisor, `/balcao/aprovacoes/${idOf(first.path)}`)
  await supervisor.submit(page, {}, { action: '/aprovar' })
  const other = await openStaffedDesk(area)
  const browser = area.browser()
  await enterDesk(area, browser, other.attendant)
  const path = (await openCase(area, browser, citizen.cpf, 're-enrolment')).url.pathname
  await captureAll(area, browser, path, 'third')
  assert.match((await browser.submit(await area.open(browser, path), {}, { action: '/conferir' })).text, /Parado para análise/)
})

test('two attendants on one case: one wins, the other is told who has it; the draft resumes at another machine', async () => {
  const citizen = await area.citizen()
  const colleague = await hire(area, desk, 'attendant')
  const third = await hire(area, desk, 'attendant')
  const own = area.browser()
  await enterDesk(area, own, colleague)
  const path = (await openCase(area, own, citizen.cpf)).url.pathname
  const document = await area.open(own, `${path}/documento`)
  const again = area.browser()
  await enterDesk(area, again, colleague)
  assert.match((await area.open(again, path)).text, /Nome Rosa/, 'another machine of the same person')
  const [one, two] = [area.browser(), area.browser()]
  await enterDesk(area, one, third)
  await enterDesk(area, two, desk.attendant)
  const [seenByOne, seenByTwo] = [await area.open(one, path), await area.open(two, path)]
  assert.doesNotMatch(seenByOne.text, /Nome Rosa/, 'the case is not theirs yet')
  assert.match(seenByOne.text, /está com outra pessoa \(Atendente\)/)
  const results = await Promise.all([one.submit(seenByOne, {}, { action: '/assumir' }), two.submit(seenByTwo, {}, { action: '/assumir' })])
  const winners = results.filter(({ text }) => /O que fazer/.test(text))
  assert.equal(winners.length, 1)
  const loser = results.find((page) => !winners.includes(page)) ?? assert.fail()
  assert.match(loser.text, /já está com outra pessoa \(Atendente\)/)
  const late = await own.submit(document, { type: 'rg', number: '1', issuer: 'X', issuedOn: '2020-01-01' }, { action: '/documento' })
  assert.match(late.text, /O que você acabou de fazer não foi guardado/)
})

test('a CPF is opened with a reason, by an attendant, in the unit, once, never one’s own; every look-up is in the ledger', async () => {
  const citizen = await area.citizen()
  const browser = area.browser()
  const page = await enterDesk(area, browser, desk.attendant, '/balcao/atendimentos')
  assert.equal((await browser.submit(page, { cpf: citizen.cpf }, { action: '/balcao/atendimentos' })).status, 422, 'no reason')
  const submit = (cpf: string) => browser.submit(page, { cpf, reason: 'enrolment' }, { action: '/balcao/atendimentos' })
  assert.match((await submit(desk.attendant.cpf)).text, /Ninguém atende a si mesmo/)
  assert.match((await submit(cpfOfNobody(900))).text, /não conhece esse CPF/)
  const opened = await submit(citizen.cpf)
  assert.equal(opened.status, 200)
  assert.match((await submit(citizen.cpf)).text, /já tem um atendimento em andamento/)
  const [entry] = (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 5 })).filter(({ type }) => type === 'helpdesk/attendance-opened')
  assert.equal(entry?.data['unitId'], desk.unit.id)
  const elsewhere = await openStaffedDesk(area)
  const stranger = area.browser()
  await enterDesk(area, stranger, elsewhere.attendant)
  assert.equal((await area.open(stranger, opened.url.pathname)).status, 404)
  const history = await area.signIn(citizen)
  assert.match((await area.open(history.browser, '/conta/historico')).text, /Um atendimento seu foi aberto em um balcão/)
})

test('bad shots say what to change; another face among the shots is refused; nothing half done is checked', async () => {
  const citizen = await area.citizen()
  const browser = area.browser()
  const worker = await hire(area, desk, 'attendant')
  await enterDesk(area, browser, worker)
  const path = (await openCase(area, browser, citizen.cpf)).url.pathname
  const dark = await upload(area, browser, `${path}/rosto`, {}, await frameOf(HEADS.other, { brightness: 0.15 }))
  assert.equal(dark.status, 422)
  assert.match(await dark.text(), /Está escuro|Não vemos um rosto/)
  assert.match(await (await upload(area, browser, `${path}/rosto`, {}, Buffer.from('%PDF-1.7'))).text(), /não é uma foto/)
  assert.equal((await upload(area, browser, `${path}/rosto`, {}, await frameOf(HEADS.other, { quality: 95 }))).status, 303)
  const mixed = await upload(area, browser, `${path}/rosto`, {}, await frameOf(HEADS.third, { quality: 95 }))
  assert.equal(mixed.status, 422)
  assert.match(await mixed.text(), /não conferiu/)
  const token = new URLSearchParams({ _csrf: await tokenOf(area, browser) })
  assert.match((await browser.post(`${area.url}${path}/conferir`, token, new URL(area.url))).text, /Ainda falta alguma coisa/)
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
  assert.equal((await upload(area, browser, `${path}/digitais`, { finger: '1' }, png)).status, 303)
  const fingers = await area.open(browser, `${path}/digitais`)
  assert.equal((await browser.submit(fingers, { missing: 'amputated' }, { action: '/falta' })).status, 200)
  assert.match((await area.open(browser, path)).text, /os outros dedos/)
})

test('without the search the case says so, and the supervisor’s own eyes are asked for, never silently', async () => {
  const citizen = await area.citizen()
  const other = await openStaffedDesk(area)
  const { path } = await bringToApproval(area, other, citizen.cpf, 'third')
  await area.app.foundation.db.execute(`UPDATE attendance SET checks = checks || '{"oneToN":"off"}' WHERE id = $1`, [idOf(path)])
  const browser = area.browser()
  const page = await enterDesk(area, browser, other.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match(page.text, /A busca entre todos os rostos está desligada/)
  const asked = await browser.submit(page, {}, { action: '/aprovar' })
  assert.equal(asked.status, 422)
  assert.match(asked.text, /com os próprios olhos/)
  assert.equal(await levelOf(citizen.accountId), 'bronze')
})

test('what nobody finishes in time ends, and what it held is forgotten', async () => {
  const citizen = await area.citizen()
  const browser = area.browser()
  await enterDesk(area, browser, await hire(area, desk, 'attendant'))
  const path = (await openCase(area, browser, citizen.cpf)).url.pathname
  await captureAll(area, browser, path, 'third')
  await area.app.foundation.db.execute('UPDATE attendance SET expires_at = opened_at WHERE id = $1', [idOf(path)])
  const { db, clock, keyring } = area.app.foundation
  const { audit, staff, register } = area.app.rooms
  assert.equal(await createAttendances({ db, clock, keyring, audit, staff }, register).expire(), 1)
  assert.match((await area.open(browser, path)).text, /Vencido/)
  const rows = await area.app.foundation.db.query('SELECT 1 FROM attendance_item WHERE attendance_id = $1 AND (sealed IS NOT NULL OR facts IS NOT NULL)', [idOf(path)])
  assert.equal(rows.length, 0)
})

test('the receipt is a PDF for the holder once the case was sent; its address is checked by anybody, names nobody, and cannot be made up', async () => {
  const citizen = await area.citizen()
  const other = await openStaffedDesk(area)
  const { path, browser } = await bringToApproval(area, other, citizen.cpf, 'third')
  const file = await browser.fetch(`${area.url}${path}/comprovante`)
  assert.equal(file.headers.get('Content-Type'), 'application/pdf')
  const bytes = Buffer.from(await file.arrayBuffer())
  assert.equal(bytes.subarray(0, 5).toString(), '%PDF-')
  assert.match(bytes.toString('latin1'), /ETSI\.CAdES\.detached/, 'it bears the organisation’s seal')
  const address = /\/comprovante\/[0-9a-f-]{36}\/[\w-]{20}/.exec(bytes.toString('latin1'))?.[0] ?? assert.fail('no address in the file')
  const page = await area.open(area.browser(), address)
  assert.match(page.text, /Este comprovante é nosso/)
  assert.match(page.text, /Esperando aprovação/)
  assert.doesNotMatch(page.text, /Rosa|\d{3}\.\d{3}/)
  const code = /Atendido por Atendente, código ([2-9A-Z]{4}-[2-9A-Z]{4})/.exec(page.text)?.[1] ?? assert.fail(page.text)
  assert.match((await area.open(browser, '/balcao')).text, new RegExp(`código nos comprovantes: ${code}`), 'the attendant knows it')
  const manager = area.browser()
  const team = await enterDesk(area, manager, other.manager, '/balcao/equipe')
  assert.equal(team.text.split(code).length, 2, 'and the manager whose it is')
  const forged = `${address.slice(0, -1)}${address.endsWith('A') ? 'B' : 'A'}`
  for (const wrong of [forged, address.replace(idOf(path), '00000000-0000-4000-8000-000000000000')]) {
    assert.match((await area.open(area.browser(), wrong)).text, /Não reconhecemos este comprovante/)
  }
  const supervisor = area.browser()
  await enterDesk(area, supervisor, other.supervisor)
  assert.equal((await area.open(supervisor, `${path}/comprovante`)).status, 403)
})

test('a change of name comes from the base register, is seen by the supervisor, and is on record once approved', async () => {
  const citizen = await area.citizen()
  const { db } = area.app.foundation
  await db.execute(`UPDATE person SET name = 'Rosa Maria Antiga', social_name = 'Beto' WHERE id = $1`, [citizen.personId])
  const other = await openStaffedDesk(area)
  const { path } = await bringToApproval(area, other, citizen.cpf, 'third', 'name-change')
  const browser = area.browser()
  const page = await enterDesk(area, browser, other.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match(page.text, /Rosa Maria Antiga Rosa Maria dos Santos/)
  await browser.submit(page, {}, { action: '/aprovar' })
  const account = await area.app.rooms.accounts.get(citizen.accountId)
  assert.equal(account.citizen.reveal().name, 'Rosa Maria dos Santos')
  assert.equal(account.citizen.reveal().socialName, 'Beto', 'the register has none: it is the person’s to take off')
  const ledger = await area.app.rooms.audit.ledger(citizen.accountId, { limit: 20 })
  assert.deepEqual(ledger.find(({ type }) => type === 'helpdesk/record-corrected')?.data['fields'], ['name'])
})
