/** Whoever can write to the database, but has no key, tries to pass for somebody. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { createIntegrityCheck } from '../../src/biometrics/images/integrity.ts'
import type { Database } from '../../src/platform/db.ts'
import { sealWith } from '../../src/platform/keyring.ts'
import { testDatabases } from '../support/database.ts'
import { face, type ImageScene, MODEL, NOW, openImageScene, PICTURE } from '../support/image-scene.ts'

const BROKEN = { code: 'platform/seal-broken' }

/** A person with an old and a new trusted face, taken in person. */
async function enrol({ put, addPerson }: ImageScene) {
  const personId = await addPerson()
  const old = await put(face(personId, { capturedAt: new Date('2020-01-01'), inPerson: false }, { original: { bytes: Buffer.from(`${personId} old`), contentType: 'image/png' } }), 0.5)
  const current = await put(face(personId, {}, { original: { bytes: Buffer.from(`${personId} new`), contentType: 'image/png' } }), 0.75)
  return { personId, old, current }
}

type Enrolled = Awaited<ReturnType<typeof enrol>>
type Attack = (db: Database, victim: Enrolled, other: Enrolled) => Promise<unknown>

const edit = (set: string): Attack => (db, { old }) => db.execute(`UPDATE stored_image SET ${set} WHERE id = $1`, [old])

const ATTACKS: Readonly<Record<string, Attack>> = {
  'trusted is set': (db, { old }) => db.execute('UPDATE stored_image SET trusted = NOT trusted WHERE id = $1', [old]),
  'taken in person is set': edit('in_person = true'),
  'the source is another': edit(`source = 'counter-2'`),
  'the capture point is another': edit(`capture_point = 'x'`),
  'the operator is another': edit(`operator_id = 'somebody'`),
  'the device is another': edit(`device = 'x'`),
  'the method is another': edit(`method = 'upload'`),
  'the time of capture is another': edit(`captured_at = captured_at + interval '7 years'`),
  'the time of storing is another': edit(`created_at = created_at + interval '1 second'`),
  'the size is another': edit('width = width + 1'),
  'the content type is another': edit(`content_type = 'image/png'`),
  'the kind is another': edit(`kind = 'other'`),
  'the slot is another': edit(`slot = 'x'`),
  'the version is another': edit('version = 7'),
  'the id at the source is another': edit(`source_id = 'x'`),
  'it is said to be withdrawn': edit('withdrawn_at = now()'),
  'it is said to be erased': edit('erased_at = now(), tag = NULL'),
  'it is said to be from before tags': edit('seal_version = 1'),
  'the tag is gone': edit('tag = NULL'),
  'a bit of the ciphertext is turned': edit('sealed = set_byte(sealed, 3, (get_byte(sealed, 3) + 1) % 256)'),
  'the ciphertext is another version’s': (db, { old, current }) =>
    db.execute('UPDATE stored_image SET sealed = (SELECT sealed FROM stored_image WHERE id = $2) WHERE id = $1', [current, old]),
  'the ciphertext is another person’s': (db, { current }, other) =>
    db.execute('UPDATE stored_image SET sealed = (SELECT sealed FROM stored_image WHERE id = $2) WHERE id = $1', [current, other.current]),
  'the image is given to another person': (db, { personId }, other) => db.execute('UPDATE stored_image SET person_id = $1 WHERE id = $2', [personId, other.current]),
  'image and template are given to another person': async (db, { personId }, other) => {
    await db.execute('UPDATE stored_image SET person_id = $1 WHERE id = $2', [personId, other.current])
    await db.execute('UPDATE face_template SET person_id = $1 WHERE image_id = $2', [personId, other.current])
  },
  'the template is another image’s': (db, { old, current }) => db.execute('UPDATE face_template SET image_id = $2 WHERE image_id = $1', [old, current]),
  'the template is another person’s': (db, { current }, other) =>
    db.execute('UPDATE face_template SET sealed = (SELECT sealed FROM face_template WHERE image_id = $2) WHERE image_id = $1', [current, other.current]),
  'the template is said to be of another model': (db, { current }) => db.execute(`UPDATE face_template SET model_id = 'model-b' WHERE image_id = $1`, [current]),
  'the template is said to be from before tags': (db, { current }) => db.execute('UPDATE face_template SET seal_version = 1 WHERE image_id = $1', [current]),
  'the newest image is deleted': async (db, { current }) => {
    await db.execute('DELETE FROM face_template WHERE image_id = $1', [current])
    await db.execute('DELETE FROM image_original WHERE image_id = $1', [current])
    await db.execute('DELETE FROM stored_image WHERE id = $1', [current])
  },
  'the newest template is deleted': (db, { current }) => db.execute('DELETE FROM face_template WHERE image_id = $1', [current]),
  'a row is made up': (db, { personId }) =>
    db.execute(
      `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, in_person, content_type, width, height, sealed, captured_at, created_at)
       VALUES ($1, $2, 'face', 'counter', 'camera', true, true, 'image/jpeg', 1, 1, $3, now(), now())`,
      [randomUUID(), personId, Buffer.alloc(64)],
    ),
  'the head is gone': (db, { personId }) => db.execute('DELETE FROM image_head WHERE person_id = $1', [personId]),
  'the head is an earlier one': (db, { personId }) => db.execute('UPDATE image_head SET generation = generation - 1 WHERE person_id = $1', [personId]),
  'the evidence is another’s': (db, { current, old }) =>
    db.execute('UPDATE image_original SET sealed = (SELECT sealed FROM image_original WHERE image_id = $2) WHERE image_id = $1', [current, old]),
  'the evidence’s sum is another': (db, { current }) => db.execute('UPDATE image_original SET sha256 = $2 WHERE image_id = $1', [current, Buffer.alloc(32)]),
  'the evidence is deleted': (db, { current }) => db.execute('DELETE FROM image_original WHERE image_id = $1', [current]),
  'the key is another person’s': (db, { personId }, other) =>
    db.execute('UPDATE person SET data_key = (SELECT data_key FROM person WHERE id = $2) WHERE id = $1', [personId, other.personId]),
  'the key is gone': (db, { personId }) => db.execute('UPDATE person SET data_key = NULL WHERE id = $1', [personId]),
}

for (const { label, open } of testDatabases()) {
  test(`tampering on ${label}`, async (t) => {
    const scene = await openImageScene(await open())
    after(() => scene.close())
    const { db, store, put, custody } = scene
    const check = createIntegrityCheck(scene.deps)
    const other = await enrol(scene)

    for (const [name, attack] of Object.entries(ATTACKS)) {
      await t.test(`${name}: no reference, no further image, and the check names the person`, async () => {
        const victim = await enrol(scene)
        assert.equal((await store.findReference(victim.personId, MODEL))?.imageId, victim.current)
        // What belongs to another person is taken from somebody who is needed no more.
        await attack(db, victim, name.includes('given to another person') ? await enrol(scene) : other)
        await assert.rejects(store.findReference(victim.personId, MODEL), BROKEN)
        await assert.rejects(put(face(victim.personId)), BROKEN)
        for (const id of [victim.old, victim.current]) {
          await assert.rejects(store.open(id), ({ code }: { code: string }) => code === BROKEN.code || code === 'biometrics/image-not-found')
        }
        const report = await check.person(victim.personId)
        assert.ok(report.faults.length > 0)
      })
    }

    await t.test('a row put back as it was before its withdrawal is found', async () => {
      const { personId } = await enrol(scene)
      const [before] = await db.query<{ tag: Buffer }>('SELECT tag FROM stored_image WHERE person_id = $1 AND in_person', [personId])
      await db.transaction((tx) => store.withdrawFaces(tx, personId, 'counter'))
      await db.execute('UPDATE stored_image SET withdrawn_at = NULL, tag = $2 WHERE person_id = $1 AND in_person', [personId, before?.tag])
      await assert.rejects(store.findReference(personId, MODEL), BROKEN)
    })

    await t.test('a state put back whole, head and all, is contradicted by the audit record', async () => {
      const { personId } = await enrol(scene)
      const tables = ['stored_image', 'image_head'] as const
      const saved = await Promise.all(tables.map((table) => db.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${table} t WHERE person_id = $1`, [personId])))
      await db.transaction((tx) => store.withdrawFaces(tx, personId, 'counter'))
      const columns = { stored_image: ['withdrawn_at', 'tag'], image_head: ['generation', 'tag'] }
      for (const [at, table] of tables.entries()) {
        const key = table === 'image_head' ? 'person_id' : 'id'
        const set = columns[table].map((column) => `${column} = r.${column}`).join(', ')
        for (const { row } of saved[at] ?? []) {
          await db.execute(`UPDATE ${table} t SET ${set} FROM jsonb_populate_record(NULL::${table}, $1::jsonb) r WHERE t.${key} = r.${key}`, [row])
        }
      }
      assert.deepEqual((await check.person(personId)).faults, [], 'by itself the state is sound')
      const report = await check.all()
      assert.equal(report.contradictions.filter((found) => found.personId === personId).length, 2)
    })

    await t.test('an operator drops what was changed, and the rest serves again', async () => {
      const { personId, old, current } = await enrol(scene)
      await db.execute('UPDATE stored_image SET trusted = false WHERE id = $1', [current])
      const by = { kind: 'operator', id: 'op-1' } as const
      assert.equal(await custody.mend(personId, [], by), 1)
      assert.equal((await store.findReference(personId, MODEL))?.imageId, old)
      await put(face(personId), 0.25)
      assert.deepEqual((await check.person(personId)).faults, [])
      const [event] = (await scene.events('biometrics/images-removed')).slice(-1)
      assert.deepEqual(event, { subject_id: personId, actor_id: 'op-1', data: { personId, reason: 'tampered', imageIds: [current] } })
      assert.equal(await custody.mend(personId, [], by), 0, 'nothing is wrong any more')
    })

    await t.test('rows from before tags still open, serve, and are sealed anew with the next image or by the job', async () => {
      const [one, two] = [await addLegacy(scene), await addLegacy(scene)]
      for (const { personId, imageId } of [one, two]) {
        assert.deepEqual((await store.open(imageId)).bytes, PICTURE)
        assert.deepEqual((await store.findReference(personId, MODEL))?.descriptor, [0.5])
      }
      await put(face(one.personId, { inPerson: false }))
      assert.deepEqual((await store.findReference(one.personId, MODEL))?.imageId, one.imageId)
      await db.execute('UPDATE stored_image SET in_person = false WHERE id = $1', [one.imageId])
      await assert.rejects(store.findReference(one.personId, MODEL), BROKEN)
      // Some of those attacked above have a row that says it is from before tags: nothing raises them.
      const { people, unsound } = await check.raiseAll()
      assert.equal(people, 1)
      assert.deepEqual(await check.raiseAll(), { people: 0, unsound })
      assert.deepEqual((await store.open(two.imageId)).bytes, PICTURE)
      await db.execute('UPDATE stored_image SET seal_version = 1, tag = NULL WHERE id = $1', [two.imageId])
      await assert.rejects(store.findReference(two.personId, MODEL), BROKEN, 'there is no way back')
    })

    await t.test('the check walks everybody and says what it found', async () => {
      const report = await check.all()
      const attacked = Object.keys(ATTACKS).length
      assert.ok(report.people >= attacked && report.unsound.length >= attacked, `${report.people} ${report.unsound.length}`)
      assert.ok(!report.unsound.some(({ personId }) => personId === other.personId))
    })
  })
}

/** As the first release wrote it. */
async function addLegacy({ db, keyring, addPerson }: ImageScene) {
  const [personId, imageId, templateId] = [await addPerson(), randomUUID(), randomUUID()]
  const { key, wrapped } = keyring.dataKey(personId)
  await db.execute('UPDATE person SET data_key = $2 WHERE id = $1', [personId, wrapped])
  await db.execute(
    `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, in_person, content_type, width, height, sealed, captured_at, created_at)
     VALUES ($1, $2, 'face', 'counter', 'camera', true, true, 'image/jpeg', 1, 1, $3, $4, $4)`,
    [imageId, personId, sealWith(key, PICTURE, `stored_image:${imageId}:${personId}:face`), NOW],
  )
  const descriptor = Buffer.alloc(4)
  descriptor.writeFloatLE(0.5)
  await db.execute('INSERT INTO face_template (id, image_id, person_id, model_id, k, sealed, created_at) VALUES ($1, $2, $3, $4, 1, $5, $6)', [
    templateId, imageId, personId, MODEL, sealWith(key, descriptor, `face_template:${templateId}:${personId}:${MODEL}`), NOW,
  ])
  return { personId, imageId }
}
