/** Envelopes: who may do what, in which order, and that nothing is ever half signed. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { isProblem, Problem, type ProblemKind } from '../../src/platform/problem.ts'
import { type Envelope, ENVELOPE_LIMITS, KEPT_DAYS, type Person, SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { pdf } from '../portal/support/signing.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { openPostgresTestDatabase } from '../support/database.ts'
import { type DocumentScene, openDocumentScene } from '../support/document-scene.ts'
import { openssl, writeChain } from '../support/signature-scene.ts'
import { SIGNING_PASSWORD } from '../support/signing-scene.ts'

const DAY_MS = 86_400_000
const refuses = (kind: ProblemKind, detail?: string) => (error: unknown) => isProblem(error, kind) && (detail === undefined || error.detail === detail)
const { envelopeUnknown, notYourTurn, stepOutOfOrder, signingBusy, attemptOver, documentGone, notSignable, tooMuch, mandateUnfit, clockBehind, signatureUnknown, wrongSigningPassword, credentialUnusable } = SIGNATURE_PROBLEMS
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

let scene: DocumentScene
let owner: Person
let original: Buffer
before(async () => {
  scene = await openDocumentScene({ open: openPostgresTestDatabase })
  owner = await scene.person()
  original = await pdf('Contrato', { pages: 2 })
})
after(() => scene.close())

async function draft(files = [{ name: 'contrato.pdf', bytes: original }]): Promise<string> {
  return scene.documents.drafts.create(owner, files)
}
/** Sent to these people, the owner not among them. */
async function sent(people: readonly Person[], order: 'sequence' | 'parallel' = 'sequence'): Promise<string> {
  const { drafts, envelopes } = scene.documents
  const id = await draft()
  const [self] = (await envelopes.get(owner, id)).signers
  await drafts.removeSigner(owner, id, self?.id ?? '')
  for (const person of people) await drafts.addSigner(owner, id, person)
  await drafts.setTerms(owner, id, { order, days: 30 })
  await drafts.send(owner, id)
  return id
}
const firstFile = async (by: Person, { id, documents }: Envelope) => (await scene.documents.envelopes.open(by, id, documents[0]?.id ?? '')).bytes
const get = (by: Person, id: string) => scene.documents.envelopes.get(by, id)

describe('several signers', () => {
  test('in order: one after the other, each told when it is their turn, the file valid with both signatures', async () => {
    const [first, second] = [await scene.person(), await scene.person()]
    const id = await sent([first, second])
    await scene.tell()
    assert.deepEqual(scene.told.filter(({ notice }) => notice === 'invited').map(({ accountId }) => accountId), [first.accountId])
    await assert.rejects(scene.documents.confirmations.begin(second, id), refuses(notYourTurn))
    await scene.sign(first, id)
    await scene.tell()
    assert.ok(scene.told.some(({ accountId, notice }) => accountId === second.accountId && notice === 'invited'))
    assert.equal((await get(owner, id)).state, 'waiting')
    await scene.sign(second, id)
    const done = await get(owner, id)
    assert.equal(done.state, 'signed')
    assert.ok(scene.told.some(({ accountId, notice }) => accountId === owner.accountId && notice === 'completed'))
    const { verdict, signatures } = await scene.signatures.verifier.verify(await firstFile(owner, done))
    assert.equal(verdict, 'valid')
    assert.equal(signatures.length, 2)
  })

  test('side by side: while one confirms the other waits, and both signatures stand in the end', async () => {
    const [first, second] = [await scene.person(), await scene.person()]
    const id = await sent([first, second], 'parallel')
    const { confirmations } = scene.documents
    const begun = await confirmations.begin(first, id)
    await assert.rejects(confirmations.begin(second, id), refuses(signingBusy))
    await confirmations.finish(first, begun.attemptId, { idToken: await scene.proof({ accountId: first.accountId, personId: '' }, begun.nonce) })
    await scene.sign(second, id)
    const { verdict, signatures } = await scene.signatures.verifier.verify(await firstFile(owner, await get(owner, id)))
    assert.deepEqual([verdict, signatures.length], ['valid', 2])
  })

  test('of twenty presses at once one begins, and of twenty answers to it one signs', async () => {
    const person = await scene.person()
    const id = await sent([person], 'parallel')
    const { confirmations } = scene.documents
    const { attemptId, nonce } = await confirmations.begin(person, id)
    const idToken = await scene.proof({ accountId: person.accountId, personId: '' }, nonce)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => confirmations.finish(person, attemptId, { idToken })))
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') assert.ok([attemptOver, notYourTurn].some((kind) => isProblem(outcome.reason, kind)), String(outcome.reason))
    assert.equal((await scene.documents.records.ofEnvelope(owner, id)).length, 1)
  })

  test('who gives up in the middle of a confirmation keeps the others waiting for five minutes at most', async () => {
    const [first, second] = [await scene.person(), await scene.person()]
    const id = await sent([first, second], 'parallel')
    await scene.documents.confirmations.begin(first, id)
    scene.clock.advance(5 * 60_000 + 1000)
    await scene.sign(second, id)
    assert.equal((await get(owner, id)).signers.find(({ cpf }) => cpf === second.cpf)?.state, 'signed')
  })

  test('a refusal ends it for everybody, with its reason', async () => {
    const [first, second] = [await scene.person(), await scene.person()]
    const id = await sent([first, second], 'parallel')
    await scene.sign(first, id)
    await scene.documents.envelopes.refuse(second, id, 'O valor está errado')
    const ended = await get(owner, id)
    assert.equal(ended.state, 'refused')
    assert.equal(ended.signers.find(({ cpf }) => cpf === second.cpf)?.reason, 'O valor está errado')
    assert.ok(scene.told.some(({ accountId, notice }) => accountId === owner.accountId && notice === 'refused'))
    await assert.rejects(scene.documents.confirmations.begin(second, id), refuses(notYourTurn))
    await assert.rejects(scene.documents.envelopes.refuse(first, id, 'de novo'), refuses(notYourTurn))
  })
})

describe('who sees what', () => {
  test('a draft is its owner’s alone; what was sent is its signers’ too; to others there is nothing', async () => {
    const [person, stranger] = [await scene.person(), await scene.person()]
    const { drafts, envelopes, records } = scene.documents
    const id = await draft()
    await drafts.addSigner(owner, id, person)
    await assert.rejects(get(person, id), refuses(envelopeUnknown))
    await drafts.send(owner, id)
    assert.equal((await get(person, id)).state, 'waiting')
    const [document] = (await get(person, id)).documents
    for (const work of [
      () => get(stranger, id), () => envelopes.open(stranger, id, document?.id ?? ''), () => records.receipt(stranger, id), () => envelopes.refuse(stranger, id, 'xxx'),
      () => drafts.cancel(person, id), () => drafts.removeDocument(person, id, document?.id ?? ''), () => envelopes.get({ clientId: 'outro' }, id),
    ]) await assert.rejects(work(), refuses(envelopeUnknown))
    await assert.rejects(drafts.addSigner(owner, id, stranger), refuses(stepOutOfOrder))
  })

  test('another person’s attempt, and a proof of another attempt, sign nothing', async () => {
    const [person, other] = [await scene.person(), await scene.person()]
    const [id, second] = [await sent([person, other], 'parallel'), await sent([person])]
    const { confirmations } = scene.documents
    const begun = await confirmations.begin(person, id)
    const proof = { idToken: await scene.proof({ accountId: person.accountId, personId: '' }, begun.nonce) }
    await assert.rejects(confirmations.finish(other, begun.attemptId, proof), refuses(attemptOver))
    const elsewhere = await confirmations.begin(person, second)
    await assert.rejects(confirmations.finish(person, elsewhere.attemptId, proof), refuses(SIGNATURE_PROBLEMS.activationUnproven))
    assert.equal((await get(owner, second)).state, 'waiting')
    assert.equal((await scene.events('signatures/signing-failed')).at(-1)?.data['why'], 'signatures/activation-unproven')
  })

  test('documents lie sealed under a key of their own; names and people’s numbers are nowhere in the clear', async () => {
    const id = await draft([{ name: 'segredo-de-estado.pdf', bytes: original }])
    const rows = await scene.db.query<{ row: string }>(
      `SELECT d::text || coalesce(encode(c.sealed, 'escape'), '') || s::text AS row FROM signing_document d JOIN signing_content c ON c.document_id = d.id JOIN signing_signer s ON s.envelope_id = d.envelope_id WHERE d.envelope_id = $1`,
      [id],
    )
    const text = rows.map(({ row }) => row).join('')
    assert.ok(text.length > original.length)
    for (const secret of ['segredo', '%PDF', owner.cpf, Buffer.from(owner.cpf).toString('hex'), Buffer.from('segredo').toString('hex')]) assert.ok(!text.includes(secret), secret)
  })

  test('a code tells a stranger who signed which file, masked; another code nothing', async () => {
    const person = await scene.person()
    const id = await sent([person])
    await scene.sign(person, id)
    const [record] = await scene.documents.records.ofEnvelope(person, id)
    const found = await scene.documents.records.byCode(record?.code.toLowerCase() ?? '')
    assert.equal(found.sha256, record?.sha256)
    assert.match(found.signer, /^Pessoa I\. /)
    await assert.rejects(scene.documents.records.byCode('0000-0000-0000-0000'), refuses(signatureUnknown))
    await assert.rejects(scene.documents.records.byCode("' OR 1=1"), refuses(signatureUnknown))
  })
})

describe('what is taken', () => {
  test('other files are signed beside: OpenSSL-shaped CMS that our verifier knows; a mixed envelope works', async () => {
    const text = Buffer.from('planilha;1;2\n')
    const id = await draft([{ name: 'contrato.pdf', bytes: original }, { name: 'dados.csv', bytes: text }])
    await scene.documents.drafts.send(owner, id)
    await scene.sign(owner, id)
    const done = await get(owner, id)
    const file = done.documents.find(({ form }) => form === 'file')
    const record = (await scene.documents.records.ofEnvelope(owner, id)).find(({ document }) => document.id === file?.id)
    const { name, bytes } = await scene.documents.records.detached(owner, id, record?.id ?? '')
    assert.equal(name, 'dados.csv.p7s')
    assert.equal((await scene.signatures.verifier.verifyFile(bytes, text)).verdict, 'valid')
    assert.equal((await scene.signatures.verifier.verifyFile(bytes, Buffer.from('planilha;1;3\n'))).verdict, 'changed')
    assert.equal((await scene.documents.envelopes.open(owner, id, file?.id ?? '')).bytes.toString(), text.toString())
  })

  test('of many envelopes sent at once no more people are asked than in a day', async () => {
    const asker = await scene.person()
    const asked = await Promise.all(Array.from({ length: 8 }, async (_, i) => {
      const id = await scene.documents.drafts.create(asker, [{ name: 'a.txt', bytes: Buffer.from('a') }])
      for (let k = 0; k < 19; k += 1) await scene.documents.drafts.addSigner(asker, id, { cpf: cpfOfNobody(5000 + i * 19 + k) as Person['cpf'], name: 'Pessoa Inventada' })
      return id
    }))
    await Promise.allSettled(asked.map((id) => scene.documents.drafts.send(asker, id)))
    const states = await Promise.all(asked.map(async (id) => (await get(asker, id)).state))
    assert.equal(states.filter((state) => state === 'waiting').length, Math.floor(ENVELOPE_LIMITS.invitationsPerDay / 19))
  })

  test('what cannot be signed is refused when it comes: broken, empty, too large, more than a hundred', async () => {
    const refused: [Buffer, string][] = [[Buffer.from('%PDF-1.7\nnada'), 'unreadable'], [Buffer.alloc(0), 'empty'], [Buffer.alloc(ENVELOPE_LIMITS.documentBytes + 1), 'too-large']]
    for (const [bytes, detail] of refused) await assert.rejects(draft([{ name: 'x.pdf', bytes }]), refuses(notSignable, detail))
    const many = Array.from({ length: 101 }, (_, index) => ({ name: `${index}.txt`, bytes: Buffer.from(`${index}`) }))
    await assert.rejects(draft(many), refuses(tooMuch, 'documents'))
  })

  test('a hundred documents are signed by one confirmation', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ name: `${index}.pdf`, bytes: original }))
    const id = await draft(many)
    await scene.documents.drafts.send(owner, id)
    await scene.sign(owner, id)
    assert.equal((await get(owner, id)).state, 'signed')
    assert.equal((await scene.documents.records.ofEnvelope(owner, id)).length, 100)
    assert.equal((await scene.signatures.verifier.verify(await firstFile(owner, await get(owner, id)))).verdict, 'valid')
  })

  test('the history shows every document of a batch, however many were signed at the same moment', async () => {
    const person = await scene.person()
    const id = await scene.documents.drafts.create(person, Array.from({ length: 60 }, (_, i) => ({ name: `${i}.txt`, bytes: Buffer.from(`texto ${i}`) })))
    await scene.documents.drafts.send(person, id)
    await scene.sign(person, id)
    const names = new Set<string>()
    let last: { readonly signedAt: Date; readonly id: string } | undefined
    for (let page = await scene.documents.records.ofPerson(person, last); page.length > 0; page = await scene.documents.records.ofPerson(person, last)) {
      for (const { document } of page) names.add(document.name)
      last = page.at(-1)
    }
    assert.equal(names.size, 60)
  })

  test('names of files are names and nothing else', async () => {
    const id = await draft([{ name: '../../etc/"pass\u202Ewd".pdf', bytes: original }])
    assert.equal((await get(owner, id)).documents[0]?.name, 'pass wd .pdf')
  })
})

describe('in whose name', () => {
  test('the mandate stands in the signature and in the stamp; without one nothing is signed', async () => {
    const person = await scene.person()
    const id = await sent([person])
    const power = { mandateId: '6f7c1a52-0e33-4b8e-9b3a-6c2f0e7f4f11', party: '12ABC34501DE35', power: 'sefaz:assinar-documentos' }
    await assert.rejects(scene.documents.confirmations.choose(person, id, { as: power }), refuses(mandateUnfit))
    scene.represented.push({ kind: 'representative', ...power, role: 'procuração', represented: { kind: 'company', name: 'Padaria Aurora Ltda', identifier: '12.ABC.345/01DE-35' } })
    await scene.documents.confirmations.choose(person, id, { as: power, stamp: { page: 'first', left: 0.3, top: 0.9 } })
    await scene.sign(person, id)
    const [signature] = (await scene.signatures.verifier.verify(await firstFile(person, await get(person, id)))).signatures
    assert.equal(signature?.representation?.represented.name, 'Padaria Aurora Ltda')
    assert.equal(signature?.representation?.mandateId, power.mandateId)
    assert.deepEqual((await scene.documents.records.ofEnvelope(person, id))[0]?.represented, { name: 'Padaria Aurora Ltda', identifier: '12.ABC.345/01DE-35' })
    scene.represented.length = 0
  })

  test('a mandate that ended between choice and proof signs nothing', async () => {
    const person = await scene.person()
    const id = await sent([person])
    const power = { mandateId: '6f7c1a52-0e33-4b8e-9b3a-6c2f0e7f4f12', party: '12ABC34501DE35', power: 'sefaz:assinar-documentos' }
    scene.represented.push({ kind: 'representative', ...power, role: 'procuração', represented: { kind: 'company', name: 'Padaria Aurora Ltda', identifier: '12.ABC.345/01DE-35' } })
    await scene.documents.confirmations.choose(person, id, { as: power })
    const { attemptId, nonce } = await scene.documents.confirmations.begin(person, id)
    scene.represented.length = 0
    await assert.rejects(scene.documents.confirmations.finish(person, attemptId, { idToken: await scene.proof({ accountId: person.accountId, personId: '' }, nonce) }), refuses(mandateUnfit))
    assert.equal((await get(person, id)).signers[0]?.state, 'pending')
  })
})

describe('by the calendar', () => {
  test('reminders are few, expiry ends it, documents go and their names and hashes stay', async () => {
    const person = await scene.person()
    const id = await sent([person])
    await scene.tell()
    const reminders = () => scene.told.filter(({ accountId, notice }) => accountId === person.accountId && notice === 'reminder').length
    await scene.documents.care.sweep()
    assert.equal(reminders(), 0)
    for (const expected of [0, 1, 1, 1, 2, 2, 2]) {
      scene.clock.advance(DAY_MS)
      await scene.documents.care.sweep()
      assert.equal(reminders(), expected)
    }
    scene.clock.advance(24 * DAY_MS)
    await scene.documents.care.sweep()
    await scene.documents.care.sweep()
    const ended = await get(owner, id)
    assert.equal(ended.state, 'expired')
    assert.ok(reminders() <= 3)
    await assert.rejects(scene.documents.confirmations.begin(person, id), refuses(notYourTurn))
    scene.clock.advance((KEPT_DAYS.dropped + 1) * DAY_MS)
    await scene.documents.care.purge()
    await assert.rejects(firstFile(owner, ended), refuses(documentGone))
    const kept = await get(owner, id)
    assert.deepEqual([kept.documents[0]?.name, kept.documents[0]?.sha256], ['contrato.pdf', sha256(original)])
  })

  test('whoever is due is reminded, however many others wait without being due', async () => {
    const late = await scene.person()
    const id = await scene.documents.drafts.create(owner, [{ name: 'a.txt', bytes: Buffer.from('a') }])
    await scene.documents.drafts.addSigner(owner, id, late)
    await scene.documents.drafts.setTerms(owner, id, { order: 'parallel', days: 30 })
    await scene.documents.drafts.send(owner, id)
    await scene.tell()
    // Reminded twice, and told five days ago: their next reminder is days away.
    const others = 101
    await scene.db.execute(
      `INSERT INTO signing_envelope (id, owner_id, state, signing_order, level, created_at, expires_at, contents_until, sent_at)
       SELECT gen_random_uuid(), owner_id, state, signing_order, level, created_at, expires_at, contents_until, sent_at FROM signing_envelope, generate_series(1, ${others}) WHERE id = $1`, [id],
    )
    const at = scene.clock.now().getTime()
    await scene.db.execute(
      `INSERT INTO signing_signer (id, envelope_id, position, cpf_hash, cpf, name, state, told_at, reminded_at, reminders)
       SELECT gen_random_uuid(), e.id, 0, s.cpf_hash, s.cpf, s.name, 'pending', $2::timestamptz, $3::timestamptz, 2 FROM signing_envelope e, signing_signer s
       WHERE s.envelope_id = $1 AND s.position = 1 AND NOT EXISTS (SELECT 1 FROM signing_signer o WHERE o.envelope_id = e.id)`, [id, new Date(at - 5 * DAY_MS), new Date(at - 2 * DAY_MS)],
    )
    scene.clock.advance(2 * DAY_MS)
    await scene.documents.care.sweep()
    assert.equal(scene.told.filter(({ accountId, notice }) => accountId === late.accountId && notice === 'reminder').length, 1)
    await scene.db.execute(`DELETE FROM signing_envelope WHERE id IN (SELECT envelope_id FROM signing_signer WHERE reminders = 2 AND reminded_at = $1)`, [new Date(at - 2 * DAY_MS)])
  })

  test('what waits is never erased; what was signed is, thirty days later', async () => {
    const person = await scene.person()
    const id = await sent([person])
    scene.clock.advance(29 * DAY_MS)
    await scene.documents.care.purge()
    await scene.sign(person, id)
    await scene.documents.care.purge()
    assert.ok((await firstFile(person, await get(person, id))).length > original.length)
    scene.clock.advance((KEPT_DAYS.signed + 1) * DAY_MS)
    await scene.documents.care.purge()
    await assert.rejects(firstFile(person, await get(person, id)), refuses(documentGone))
    assert.equal((await scene.documents.records.ofPerson(person, undefined)).length, 1)
    assert.match((await scene.documents.records.receipt(person, id)).subarray(0, 5).toString(), /%PDF-/)
  })
})

describe('nothing half signed', () => {
  test('no time-stamp: nothing is signed, the audit says so, and the next try works', async () => {
    const broken = await openDocumentScene({
      signing: (real) => ({ ...real, draft: (request) => ({ ...real.draft(request), complete: () => Promise.reject(new Problem(clockBehind)) }) }),
    })
    try {
      const person = await broken.person()
      const id = await broken.documents.drafts.create(person, [{ name: 'a.pdf', bytes: original }])
      await broken.documents.drafts.send(person, id)
      await assert.rejects(broken.sign(person, id), refuses(clockBehind))
      const [document] = (await broken.documents.envelopes.get(person, id)).documents
      assert.equal(document?.currentSha256, sha256(original))
      assert.equal((await broken.documents.envelopes.lastAttempt(person, id))?.state, 'failed')
      assert.deepEqual((await broken.events('signatures/signing-failed')).map(({ data }) => data['why']), ['signatures/clock-behind'])
      assert.equal((await broken.events('signatures/documents-signed')).length, 0)
    } finally {
      await broken.close()
    }
  })

  test('a lease that ran out under a slow signer: who came first stands, the other signs anew', async () => {
    const [slow, quick] = [await scene.person(), await scene.person()]
    const id = await sent([slow, quick], 'parallel')
    scene.onKey(async (signer) => {
      scene.onKey((same) => same)
      // Longer than a lease lasts.
      scene.clock.advance(70_000)
      await scene.sign(quick, id)
      return signer
    })
    await assert.rejects(scene.sign(slow, id))
    const between = await get(owner, id)
    assert.deepEqual(between.signers.map(({ state }) => state), ['pending', 'signed'])
    await scene.sign(slow, id)
    const { verdict, signatures } = await scene.signatures.verifier.verify(await firstFile(owner, await get(owner, id)))
    assert.deepEqual([verdict, signatures.length], ['valid', 2])
  })
})

describe('what the operator allows', () => {
  test('a level that is not on the list is refused, from a page and from a relying party; the first one is the usual one', async () => {
    const strict = await openDocumentScene({ policy: { levels: ['B-LTA', 'B-LT'] } })
    try {
      const { drafts, envelopes } = strict.documents
      const person = await strict.person()
      const id = await drafts.create(person, [{ name: 'a.pdf', bytes: original }])
      assert.equal((await envelopes.get(person, id)).level, 'B-LTA')
      await assert.rejects(drafts.setLevel(person, id, 'B-T'), refuses(SIGNATURE_PROBLEMS.levelUnfit))
      await assert.rejects(drafts.create({ clientId: 'orgao' }, [], { level: 'B-T' }), refuses(SIGNATURE_PROBLEMS.levelUnfit))
      await drafts.setLevel(person, id, 'B-LT')
      await assert.rejects(drafts.setLevel(await strict.person(), id, 'B-LTA'), refuses(envelopeUnknown))
      await drafts.send(person, id)
      await assert.rejects(drafts.setLevel(person, id, 'B-LTA'), refuses(stepOutOfOrder))
      await strict.sign(person, id)
      const [record] = await strict.documents.records.ofEnvelope(person, id)
      assert.equal(record?.level, 'B-LT')
    } finally {
      await strict.close()
    }
  })
})

describe('a certificate that is kept', () => {
  const kept = async () => {
    const person = await scene.person()
    const credentialId = await scene.keep({ accountId: person.accountId, personId: '' })
    const id = await sent([person], 'parallel')
    await scene.documents.confirmations.choose(person, id, { credentialId })
    return { person, credentialId, id, ...(await scene.documents.confirmations.begin(person, id)) }
  }
  const finish = async (of: Awaited<ReturnType<typeof kept>>, password?: string) =>
    scene.documents.confirmations.finish(of.person, of.attemptId, { idToken: await scene.proof({ accountId: of.person.accountId, personId: '' }, of.nonce), password })

  test('signs with its password alone; a wrong one keeps the turn and uses nothing up', async () => {
    const of = await kept()
    await assert.rejects(finish(of), refuses(wrongSigningPassword, 'missing'))
    await assert.rejects(finish(of, 'outra-senha-qualquer'), refuses(wrongSigningPassword))
    assert.deepEqual((await get(of.person, of.id)).signers.map(({ state }) => state), ['pending'])
    assert.equal(await scene.documents.envelopes.lastAttempt(of.person, of.id), undefined)
    await finish(of, SIGNING_PASSWORD)
    const [record] = await scene.documents.records.ofEnvelope(of.person, of.id)
    assert.equal(record?.serial, (await scene.signing.credentials.get(of.credentialId, of.person.accountId)).serial)
    assert.equal((await scene.signatures.verifier.verify(await firstFile(of.person, await get(of.person, of.id)))).verdict, 'valid')
    await assert.rejects(finish(of, SIGNING_PASSWORD), refuses(attemptOver))
  })

  test('five wrong passwords, and it signs no more; revoked between confirmation and password, neither', async () => {
    const of = await kept()
    for (let attempt = 0; attempt < 5; attempt += 1) await assert.rejects(finish(of, `errada-${attempt}`))
    await assert.rejects(finish(of, SIGNING_PASSWORD), refuses(credentialUnusable))
    const revoked = await kept()
    await scene.signing.credentials.revoke({ id: revoked.credentialId, accountId: revoked.person.accountId, cause: 'citizen', actor: { kind: 'citizen', id: revoked.person.accountId } })
    await assert.rejects(finish(revoked, SIGNING_PASSWORD))
    assert.equal((await get(revoked.person, revoked.id)).documents[0]?.version, 0)
  })

  test('another person’s is not there to be chosen', async () => {
    const [person, other] = [await scene.person(), await scene.person()]
    const credentialId = await scene.keep({ accountId: other.accountId, personId: '' })
    const id = await sent([person])
    await assert.rejects(scene.documents.confirmations.choose(person, id, { credentialId }), refuses(credentialUnusable))
    assert.deepEqual(await scene.documents.confirmations.certificates(person), [])
  })

  test('its password is nowhere in the database', async () => {
    const of = await kept()
    await finish(of, SIGNING_PASSWORD)
    const rows = await scene.db.query<{ found: string }>(`SELECT string_agg(plan::text, '') AS found FROM signing_attempt UNION ALL SELECT string_agg(data::text, '') FROM audit_event UNION ALL SELECT string_agg(choice::text, '') FROM signing_signer`)
    const hex = Buffer.from(SIGNING_PASSWORD).toString('hex')
    for (const { found } of rows) assert.ok(!(found ?? '').includes(SIGNING_PASSWORD) && !(found ?? '').includes(hex))
  })
})

describe('lists', () => {
  test('what is over comes a page at a time, each once, whoever signs meanwhile; others’ drafts and names are not found', async () => {
    const person = await scene.person()
    const [drafts, envelopes] = [scene.documents.drafts, scene.documents.envelopes]
    const bytes = Buffer.from('texto')
    const ids: string[] = []
    for (let number = 0; number < 33; number += 1) {
      const id = await drafts.create(person, [{ name: number === 5 ? 'Escritura do Sítio São José.txt' : `nota ${number}.txt`, bytes }])
      await drafts.cancel(person, id)
      ids.push(id)
    }
    const stranger = await scene.person()
    await drafts.create(stranger, [{ name: 'Escritura alheia.txt', bytes }])
    const first = await envelopes.list(person)
    assert.equal(first.done.length, 30)
    const newer = await drafts.create(person, [{ name: 'depois.txt', bytes }])
    await drafts.cancel(person, newer)
    const second = await envelopes.list(person, first.next)
    assert.equal(second.next, undefined)
    assert.deepEqual(new Set([...first.done, ...second.done].map(({ id }) => id)), new Set(ids))
    assert.equal(first.done.length + second.done.length, 33)

    assert.deepEqual((await envelopes.search(person, 'sitio  são')).map(({ id }) => id), [ids[5]])
    assert.deepEqual(await envelopes.search(person, 'alheia'), [])
    assert.deepEqual(await envelopes.search(stranger, 'sítio'), [])
    assert.deepEqual(await envelopes.search(person, '   '), [])
  })

  test('a file is found by its hash: as it came, signed by one, signed by all; by its signers too once it was sent', async () => {
    const [first, second] = [await scene.person(), await scene.person()]
    const id = await sent([first, second])
    await scene.sign(first, id)
    const between = sha256(await firstFile(owner, await get(owner, id)))
    await scene.sign(second, id)
    const { search } = scene.documents.envelopes
    for (const hash of [between, sha256(await firstFile(owner, await get(owner, id))).toUpperCase()]) {
      for (const by of [owner, first, second]) assert.deepEqual((await search(by, hash)).map((found) => found.id), [id])
      assert.deepEqual(await search(await scene.person(), hash), [])
    }
    assert.ok((await search(first, sha256(original))).some((found) => found.id === id))
  })
})

describe('an account that is closed for good', () => {
  test('its open envelopes end, and whoever was asked or has signed is told once', async () => {
    const [asker, signed, asked, later] = [await scene.person(), await scene.person(), await scene.person(), await scene.person()]
    const { drafts, envelopes, care } = scene.documents
    const id = await drafts.create(asker, [{ name: 'contrato.pdf', bytes: original }])
    const [self] = (await envelopes.get(asker, id)).signers
    await drafts.removeSigner(asker, id, self?.id ?? '')
    for (const one of [signed, asked, later]) await drafts.addSigner(asker, id, one)
    await drafts.send(asker, id)
    await scene.tell()
    await scene.sign(signed, id)
    await scene.tell()
    scene.told.length = 0
    const [{ person_id: personId } = { person_id: '' }] = await scene.db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [asker.accountId])
    await scene.db.execute(`UPDATE account SET status = 'closed' WHERE id = $1`, [asker.accountId])
    await scene.db.transaction((tx) => care.forget(tx, personId))
    assert.equal((await envelopes.get(asked, id)).state, 'cancelled')
    await scene.tell()
    await care.tellSigners(id)
    await care.sweep()
    const told = scene.told.filter(({ accountId }) => [asker, signed, asked, later].some((one) => one.accountId === accountId))
    assert.deepEqual(told.map(({ accountId, notice }) => [accountId, notice]), [[signed.accountId, 'cancelled'], [asked.accountId, 'cancelled']])
    await assert.rejects(scene.documents.confirmations.begin(asked, id), refuses(notYourTurn))
  })
})

describe('several signers of a file', () => {
  test('their signatures come in one, which OpenSSL and our verifier accept for all of them; a changed file for none', async () => {
    const people = await Promise.all([1, 2, 3].map(() => scene.person()))
    const [first] = people as [Person]
    const { drafts, records, envelopes } = scene.documents
    const bytes = Buffer.from('planilha;1;2\n')
    const id = await drafts.create(first, [{ name: 'planilha.csv', bytes }])
    for (const person of people.slice(1)) await drafts.addSigner(first, id, person)
    await drafts.setTerms(first, id, { order: 'parallel', days: 30 })
    await drafts.send(first, id)
    for (const person of people) await scene.sign(person, id)
    const [document] = (await envelopes.get(first, id)).documents
    const all = await records.together(first, id, document?.id ?? '')
    const { verdict, signatures } = await scene.signatures.verifier.verifyFile(all.bytes, bytes)
    assert.deepEqual([verdict, signatures.map(({ form }) => form)], ['valid', ['B-T', 'B-T', 'B-T']])
    const files = await writeChain(scene, await scene.signatures.authority.active())
    const verify = async (content: Buffer) =>
      (await openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', scene.write('all.p7s', all.bytes), '-content', scene.write('content', content), '-CAfile', files.root, '-certfile', files.issuing, '-purpose', 'any', '-attime', String(Math.floor(scene.clock.now().getTime() / 1000)), '-out', '/dev/null')).text
    assert.match(await verify(bytes), /CAdES Verification successful/)
    assert.doesNotMatch(await verify(Buffer.from('planilha;1;3\n')), /Verification successful/)
    await assert.rejects(records.together(await scene.person(), id, document?.id ?? ''), refuses(envelopeUnknown))
  })

  test('when the term ends the owner hears it, whoever signed and whoever was asked; nobody twice, and nobody whose turn never came', async () => {
    const [signed, asked, later] = [await scene.person(), await scene.person(), await scene.person()]
    const id = await sent([signed, asked, later])
    await scene.tell()
    await scene.sign(signed, id)
    await scene.tell()
    scene.told.length = 0
    scene.clock.advance(31 * DAY_MS)
    await scene.documents.care.sweep()
    await scene.documents.care.sweep()
    const told = scene.told.filter(({ notice, accountId }) => ['expired', 'lapsed'].includes(notice) && [owner, signed, asked, later].some((one) => one.accountId === accountId))
    const ofThis = told.filter(({ accountId }) => accountId !== owner.accountId)
    assert.deepEqual(ofThis.map(({ accountId, notice }) => [accountId, notice]), [[signed.accountId, 'lapsed'], [asked.accountId, 'lapsed']])
    assert.ok(told.some(({ accountId, notice }) => accountId === owner.accountId && notice === 'expired'))
    const reminders = scene.told.filter(({ notice, accountId }) => notice === 'reminder' && [signed, later].some((one) => one.accountId === accountId))
    assert.deepEqual(reminders, [])
  })

  test('reminded is who is late: in order the one in turn, side by side each until they decide', async () => {
    const [first, second] = [await scene.person(), await scene.person()]
    const remindersOf = (person: Person) => scene.told.filter(({ accountId, notice }) => accountId === person.accountId && notice === 'reminder').length
    const inOrder = await sent([first, second])
    await scene.tell()
    scene.clock.advance(2 * DAY_MS)
    await scene.documents.care.sweep()
    assert.deepEqual([remindersOf(first), remindersOf(second)], [1, 0])
    await scene.sign(first, inOrder)
    await scene.tell()
    scene.clock.advance(2 * DAY_MS)
    await scene.documents.care.sweep()
    assert.deepEqual([remindersOf(first), remindersOf(second)], [1, 1])
    const [third, fourth] = [await scene.person(), await scene.person()]
    const beside = await sent([third, fourth], 'parallel')
    await scene.tell()
    await scene.sign(third, beside)
    scene.clock.advance(2 * DAY_MS)
    await scene.documents.care.sweep()
    assert.deepEqual([remindersOf(third), remindersOf(fourth)], [0, 1])
    await scene.documents.envelopes.refuse(fourth, beside, 'não combina')
    assert.ok(scene.told.some(({ accountId, notice }) => accountId === third.accountId && notice === 'refused'), 'whoever signed hears of the refusal')
  })
})

test('a request that its asker calls off is told once to whoever was asked and whoever signed', async () => {
  const [signed, asked, later] = [await scene.person(), await scene.person(), await scene.person()]
  const id = await sent([signed, asked, later])
  await scene.tell()
  await scene.sign(signed, id)
  await scene.tell()
  await scene.documents.drafts.cancel(owner, id)
  await scene.tell()
  await scene.documents.care.tellSigners(id)
  const told = scene.told.filter(({ notice, accountId }) => notice === 'cancelled' && [owner, signed, asked, later].some((one) => one.accountId === accountId))
  assert.deepEqual(told.map(({ accountId }) => accountId), [signed.accountId, asked.accountId])
})
