import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { testDatabases } from '../support/database.ts'
import { face, MODEL, NOW, openImageScene, PICTURE } from '../support/image-scene.ts'

const BY = { kind: 'operator', id: 'op-1' } as const
const DAY_MS = 86_400_000

for (const { label, open } of testDatabases()) {
  test(`custody of images on ${label}`, async (t) => {
    const scene = await openImageScene(await open())
    after(() => scene.close())
    const { db, clock, store, custody, audit, put, addPerson, events, told } = scene
    const evidence = { original: { bytes: PICTURE, contentType: 'image/png' as const } }

    await t.test("forgetting the person's key makes images and templates unreadable and touches nobody else", async () => {
      const [erased, kept] = [await addPerson(), await addPerson()]
      const [gone, stays] = [await put(face(erased, { sourceId: 'RG-1' }, evidence), 0.5), await put(face(kept, {}, evidence), 0.5)]
      for (const person of [erased, kept]) {
        await db.execute(
          `INSERT INTO liveness_replay (session_id, place, account_id, subject_id, pixel_digest, perceptual_hash, sketch, stance, created_at)
           VALUES (gen_random_uuid(), 0, $1, $1, 'd', 'h', 's', '', now())`,
          [person],
        )
      }
      await custody.erase(erased, BY)
      assert.deepEqual(await db.query('SELECT subject_id FROM liveness_replay'), [{ subject_id: kept }])
      await assert.rejects(store.open(gone), { code: 'biometrics/image-not-found' })
      await assert.rejects(store.openFor(gone, { actor: BY, purpose: 'x', original: true }), { code: 'biometrics/image-not-found' })
      assert.equal(await store.findReference(erased, MODEL), undefined)
      assert.deepEqual((await store.open(stays)).bytes, PICTURE)
      const [row] = await db.query('SELECT i.sealed, i.tag, i.source_id, i.capture_point, p.data_key FROM stored_image i JOIN person p ON p.id = i.person_id WHERE i.id = $1', [gone])
      assert.deepEqual(row, { sealed: null, tag: null, source_id: null, capture_point: null, data_key: null })
      for (const table of ['image_original', 'face_template']) assert.deepEqual(await db.query(`SELECT 1 FROM ${table} WHERE image_id = $1`, [gone]), [])
      assert.ok(told.includes(`removed ${gone}`))
      const [event] = (await events('biometrics/images-erased')).slice(-1)
      assert.deepEqual(event, { subject_id: erased, actor_id: 'op-1', data: { personId: erased, reason: 'lgpd', images: 1 } })
    })

    await t.test('who was erased can be enrolled again, with a new key; the old images stay gone', async () => {
      const personId = await addPerson()
      const old = await put(face(personId), 0.5)
      await custody.erase(personId, BY)
      const fresh = await put(face(personId), 0.75)
      assert.equal((await store.findReference(personId, MODEL))?.imageId, fresh)
      await assert.rejects(store.open(old), { code: 'biometrics/image-not-found' })
      await custody.erase(personId, BY)
    })

    await t.test('an erasure does not ask whether the rows are sound', async () => {
      const personId = await addPerson()
      await put(face(personId), 0.5)
      await db.execute('UPDATE stored_image SET trusted = false WHERE person_id = $1', [personId])
      await custody.erase(personId, BY)
      assert.equal(await store.findReference(personId, MODEL), undefined)
    })

    await t.test('a legal hold refuses erasure and retention until it is released or over', async () => {
      const personId = await addPerson()
      const id = await put(face(personId, { source: 'held' }), 0.5)
      const hold = await custody.hold(personId, { reason: 'Processo 123' }, BY)
      const until = new Date(NOW.getTime() + 10 * DAY_MS)
      await custody.hold(personId, { reason: 'Perícia', until }, BY)
      await assert.rejects(custody.erase(personId, BY), { code: 'biometrics/legal-hold' })
      await assert.rejects(db.transaction((tx) => store.destroyKey(tx, personId)), { code: 'biometrics/legal-hold' })
      await custody.setRetention({ kind: '*', source: 'held', counts: 'stored', days: 1, ending: 'erased', reason: 'teste' }, BY)
      clock.advance(2 * DAY_MS)
      assert.equal((await custody.applyRetention()).images, 0)
      assert.deepEqual((await store.open(id)).bytes, PICTURE)
      assert.deepEqual((await custody.holds(personId)).map(({ reason }) => reason), ['Processo 123', 'Perícia'])
      clock.set(new Date(until.getTime() + 1))
      assert.deepEqual((await custody.holds(personId)).map(({ id: held }) => held), [hold.id], 'the other is over')
      assert.equal(await custody.release(personId, BY), 1)
      assert.deepEqual(await custody.applyRetention(), { images: 1, people: 1, unsound: 0 })
      await assert.rejects(store.open(id), { code: 'biometrics/image-not-found' })
      assert.deepEqual((await events('biometrics/hold-placed')).map(({ subject_id: subject }) => subject), [personId, personId])
      assert.equal((await events('biometrics/hold-released')).length, 1)
      clock.set(NOW)
    })

    await t.test('a hold that is placed while an erasure waits for it is respected', async () => {
      const personId = await addPerson()
      const id = await put(face(personId))
      const results = await Promise.allSettled([custody.hold(personId, { reason: 'x' }, BY), custody.erase(personId, BY)])
      const held = await custody.holds(personId)
      assert.equal(held.length, 1)
      if (results[1].status === 'rejected') assert.deepEqual((await store.open(id)).bytes, PICTURE)
      else await assert.rejects(store.open(id), { code: 'biometrics/image-not-found' })
    })

    await t.test('the most specific row of the policy counts, from storing or from withdrawal, and the rest stays usable', async () => {
      const personId = await addPerson()
      const keep = await put(face(personId, { source: 'long' }), 0.5)
      const finger = await put(face(personId, { source: 'long' }, { kind: 'fingerprint', slot: 'left-thumb' }))
      const short = await put(face(personId, { source: 'short', capturedAt: new Date('2020-01-01') }, evidence), 0.25)
      await custody.setRetention({ kind: '*', source: '*', counts: 'stored', days: 10, ending: 'erased', reason: 'geral' }, BY)
      await custody.setRetention({ kind: 'face', source: '*', counts: 'stored', days: 1000, ending: 'erased', reason: 'rostos' }, BY)
      await custody.setRetention({ kind: '*', source: 'short', counts: 'stored', days: 5, ending: 'erased', reason: 'origem' }, BY)
      await custody.setRetention({ kind: 'face', source: 'short', counts: 'stored', days: 20, ending: 'erased', reason: 'rostos desta origem' }, BY)
      const standing = async () => (await store.list(personId)).filter(({ erasedAt }) => erasedAt === null).map(({ id }) => id).sort()
      clock.advance(6 * DAY_MS)
      assert.equal((await custody.applyRetention()).images, 0)
      clock.advance(5 * DAY_MS)
      assert.equal((await custody.applyRetention({ dryRun: true })).images, 1)
      assert.deepEqual(await standing(), [keep, finger, short].sort(), 'only counted')
      await custody.applyRetention()
      assert.deepEqual(await standing(), [keep, short].sort())
      clock.advance(10 * DAY_MS)
      await custody.applyRetention()
      assert.deepEqual(await standing(), [keep])
      assert.equal((await store.findReference(personId, MODEL))?.imageId, keep, 'the head follows')
      await db.transaction((tx) => store.withdrawFaces(tx, personId, 'long'))
      clock.advance(1824 * DAY_MS)
      await custody.applyRetention()
      assert.deepEqual(await standing(), [keep], 'five years after withdrawal is the rule that ships')
      clock.advance(DAY_MS)
      await custody.applyRetention()
      assert.deepEqual(await standing(), [])
      assert.ok((await store.list(personId)).every(({ erasedReason, original }) => erasedReason === 'retention' && original === null))
      clock.set(NOW)
    })

    await t.test('a rule is changed and dropped, each in the audit record', async () => {
      const rule = { kind: 'signature', source: 'x', counts: 'stored', ending: 'erased', reason: 'r' } as const
      await custody.setRetention({ ...rule, days: 7 }, BY)
      await custody.setRetention({ ...rule, days: 8 }, BY)
      assert.deepEqual((await custody.retention()).filter(({ kind }) => kind === 'signature').map(({ days, set_by: by }) => [days, by]), [[8, 'op-1']])
      assert.equal(await custody.dropRetention(rule, BY), true)
      assert.equal(await custody.dropRetention(rule, BY), false)
      assert.deepEqual((await events('biometrics/retention-set')).slice(-3).map(({ data }) => data['days']), [7, 8, null])
    })

    await t.test('images that stand are people’s to look at after ten years without use, or five after a death; the program takes none of them by itself', async () => {
      for (const kind of ['*', 'face'] as const) await custody.dropRetention({ kind, source: '*', counts: 'stored' }, BY)
      const [used, idle, dead, held] = [await addPerson(), await addPerson(), await addPerson(), await addPerson()]
      const [, idleImage] = [await put(face(used)), await put(face(idle)), await put(face(dead)), await put(face(held))]
      await custody.hold(held, { reason: 'Processo 7' }, BY)
      await db.execute('UPDATE person SET death_noted_at = $2 WHERE id = $1', [dead, NOW])
      const mine = async () => (await custody.toReview(100)).first.map(({ personId }) => personId).filter((id) => [used, idle, dead, held].includes(id))
      const use = () => audit.record(db, { type: 'biometrics/image-opened', actor: { kind: 'client', id: 'x' }, subject: used, data: { imageId: idleImage, personId: used, kind: 'face', original: false, purpose: 'x' } })
      clock.advance(1825 * DAY_MS)
      assert.deepEqual(await mine(), [])
      clock.advance(2 * DAY_MS)
      assert.deepEqual(await mine(), [dead])
      await use()
      clock.set(new Date(NOW.getTime() + 3651 * DAY_MS))
      assert.deepEqual(await mine(), [dead])
      // Neither an export, nor custody, nor the program itself is a use.
      await audit.record(db, { type: 'biometrics/images-exported', actor: BY, subject: idle, data: { personId: idle, exportId: idleImage, images: 1 } })
      await audit.record(db, { type: 'biometrics/image-opened', actor: { kind: 'system' }, subject: idle, data: { imageId: idleImage, personId: idle, kind: 'face', original: false, purpose: 'x' } })
      clock.advance(2 * DAY_MS)
      assert.deepEqual((await mine()).toSorted(), [dead, idle].toSorted(), 'whose identity was used since, and whom a hold keeps, are not')
      await custody.applyRetention()
      assert.deepEqual((await store.open(idleImage)).bytes, PICTURE)

      assert.equal(await custody.review(used, 'erased', BY), 0, 'what nobody has to look at is nobody’s to take')
      assert.equal(await custody.review(idle, 'kept', BY), 1)
      assert.deepEqual(await mine(), [dead], 'its time begins anew')
      assert.equal(await custody.review(dead, 'erased', BY), 1)
      assert.deepEqual(await mine(), [])
      assert.deepEqual((await store.list(dead)).map(({ erasedReason }) => erasedReason), ['retention'])
      assert.deepEqual((await events('biometrics/images-reviewed')).map(({ subject_id: subject, data }) => [subject, data['verdict']]), [[idle, 'kept'], [dead, 'erased']])

      // The operator's own rule, and only that, takes images without use.
      clock.advance(3653 * DAY_MS)
      assert.ok((await mine()).includes(idle))
      await custody.setRetention({ kind: '*', source: '*', counts: 'unused', days: 3652, ending: 'erased', reason: 'Portaria 2' }, BY)
      await custody.applyRetention()
      assert.deepEqual(await mine(), [])
      await assert.rejects(store.open(idleImage), { code: 'biometrics/image-not-found' })
      assert.equal((await store.list(held)).filter(({ erasedAt }) => erasedAt === null).length, 1)
      clock.set(NOW)
    })

    await t.test('people whose rows are not sound are left out of retention and counted', async () => {
      const personId = await addPerson()
      await put(face(personId, { source: 'short-2' }))
      await custody.setRetention({ kind: 'face', source: 'short-2', counts: 'stored', days: 1, ending: 'erased', reason: 'r' }, BY)
      await db.execute(`UPDATE stored_image SET device = 'x' WHERE person_id = $1`, [personId])
      clock.advance(2 * DAY_MS)
      const { unsound } = await custody.applyRetention()
      assert.equal(unsound, 1)
      clock.set(NOW)
    })
  })
}
