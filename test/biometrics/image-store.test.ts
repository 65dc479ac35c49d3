import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { testDatabases } from '../support/database.ts'
import { face, MODEL, openImageScene, PICTURE, template } from '../support/image-scene.ts'

for (const { label, open } of testDatabases()) {
  test(`image store on ${label}`, async (t) => {
    const scene = await openImageScene(await open())
    after(() => scene.close())
    const { db, store, put, addPerson, told, events } = scene

    await t.test('gives back the very bytes and no trace of them lies in the table', async () => {
      const id = await put(face(await addPerson(), {}, { original: { bytes: PICTURE, contentType: 'image/png' } }))
      assert.deepEqual((await store.open(id)).bytes, PICTURE)
      const [row] = await db.query<{ sealed: Buffer; evidence: Buffer }>(
        'SELECT i.sealed, o.sealed AS evidence FROM stored_image i JOIN image_original o ON o.image_id = i.id WHERE i.id = $1', [id],
      )
      for (const bytes of [row?.sealed, row?.evidence]) assert.equal(bytes?.includes(PICTURE.subarray(0, 8)), false)
    })

    await t.test('the reference is the newest trusted face of the model, one taken in person first', async () => {
      const personId = await addPerson()
      assert.equal(await store.findReference(personId, MODEL), undefined)
      await put(face(personId, { trusted: false }), 0.1)
      assert.equal(await store.findReference(personId, MODEL), undefined, 'nobody vouches for it')
      const inPerson = await put(face(personId, { capturedAt: new Date('2020-01-01') }), 0.5)
      await put(face(personId, { inPerson: false }), 0.75)
      assert.deepEqual(await store.findReference(personId, MODEL), {
        imageId: inPerson, modelId: MODEL, k: 3, descriptor: [0.5, 0.25, -0.5], inPerson: true,
      })
      assert.equal(await store.findReference(personId, 'model-b'), undefined, "another model's template is not comparable")
      await db.transaction((tx) => store.putTemplate(tx, inPerson, template(0.25, 'model-b')))
      assert.deepEqual((await store.findReference(personId, 'model-b'))?.descriptor, [0.25, 0.25, -0.5])
      assert.deepEqual((await store.findReference(personId, MODEL))?.descriptor, [0.5, 0.25, -0.5], 'the old one serves whoever still has that model')
    })

    await t.test('a new capture of a kind is the next version and takes the place of what is worth no more; the history stays', async () => {
      const personId = await addPerson()
      const shown = async () => (await store.list(personId)).map(({ kind, slot, version, superseded }) => `${kind}${slot} ${version}${superseded ? ' superseded' : ''}`)
      await put(face(personId, { capturedAt: new Date('2020-01-01') }), 0.5)
      const second = await put(face(personId, { capturedAt: new Date('2024-01-01'), source: 'demo' }), 0.5)
      await put(face(personId, { inPerson: false }))
      await put(face(personId, {}, { kind: 'fingerprint', slot: 'right-index' }))
      await put(face(personId, {}, { kind: 'fingerprint', slot: 'left-index' }))
      const all = ['face 1 superseded', 'face 2', 'face 3', 'fingerprintright-index 1', 'fingerprintleft-index 1']
      assert.deepEqual((await shown()).sort(), all.sort(), 'a later selfie does not take the place of a capture in person')
      await db.transaction((tx) => store.withdrawFaces(tx, personId, 'demo'))
      assert.ok((await shown()).includes('face 1'), 'what a withdrawn image had replaced counts again')
      await assert.rejects(store.open(second), { code: 'biometrics/image-not-found' })
    })

    await t.test('a withdrawn face is no longer a reference, and others are told', async () => {
      const personId = await addPerson()
      const id = await put(face(personId, { source: 'demo', inPerson: false }), 0.5)
      assert.ok(told.includes(`stored ${id} ${MODEL}`))
      assert.equal(await db.transaction((tx) => store.withdrawFaces(tx, personId, 'demo')), 1)
      assert.equal(await store.findReference(personId, MODEL), undefined)
      await assert.rejects(store.open(id), { code: 'biometrics/image-not-found' })
      assert.ok(told.includes(`removed ${id}`))
      assert.equal(await db.transaction((tx) => store.withdrawFaces(tx, personId, 'demo')), 0)
    })

    await t.test('provenance is kept whole', async () => {
      const personId = await addPerson()
      const more = { capturePoint: 'ganha-tempo-cpa', operatorId: 'op-7', device: 'Canon EOS', sourceId: 'IIMT-99', method: 'import' } as const
      await put(face(personId, more, { original: { bytes: PICTURE, contentType: 'image/webp' } }))
      const [image] = await store.list(personId)
      const { capturePoint, operatorId, device, sourceId, method, original } = image ?? {}
      assert.deepEqual({ capturePoint, operatorId, device, sourceId, method }, more)
      assert.deepEqual([original?.contentType, original?.size], ['image/webp', PICTURE.length])
    })

    await t.test('an original waits for its copy, and is itself shown to staff only, in the ledger', async () => {
      const personId = await addPerson()
      const { bytes: _, contentType: __, ...facts } = face(personId)
      const id = await db.transaction((tx) => store.putOriginal(tx, { ...facts, original: { bytes: PICTURE, contentType: 'image/png' } }))
      assert.ok(told.includes(`original ${id}`))
      await assert.rejects(store.open(id), { code: 'biometrics/image-not-ready' })
      const copy = { bytes: Buffer.from('upright'), contentType: 'image/jpeg', width: 3, height: 4 } as const
      await db.transaction((tx) => store.putCopy(tx, id, copy))
      assert.deepEqual((await store.open(id)).bytes, copy.bytes)
      const opened = await store.openFor(id, { actor: { kind: 'operator', id: 'op-7' }, purpose: 'court-order', original: true })
      assert.deepEqual([opened.bytes, opened.contentType], [PICTURE, 'image/png'])
      const [event] = (await events('biometrics/image-opened')).slice(-1)
      assert.deepEqual(event, { subject_id: personId, actor_id: 'op-7', data: { imageId: id, personId, kind: 'face', original: true, purpose: 'court-order' } })
    })

    await t.test('the same record of a source and the same file are taken once', async () => {
      const personId = await addPerson()
      const original = (text: string) => ({ original: { bytes: Buffer.from(text), contentType: 'image/jpeg' as const } })
      const putNew = (sourceId: string, text: string, source = 'base') =>
        db.transaction((tx) => store.putNew(tx, face(personId, { source, sourceId }, original(text))))
      const first = await putNew('1', 'a')
      assert.equal(first.isNew, true)
      assert.deepEqual(await putNew('1', 'b'), { imageId: first.imageId, isNew: false })
      assert.deepEqual(await putNew('2', 'a'), { imageId: first.imageId, isNew: false })
      assert.equal((await putNew('1', 'c', 'another base')).isNew, true)
      const parallel = await Promise.all([putNew('9', 'x'), putNew('9', 'x'), putNew('9', 'x')])
      assert.equal(parallel.filter(({ isNew }) => isNew).length, 1)
    })

    await t.test('storing stands in the ledger of the person, with who did it', async () => {
      const personId = await addPerson()
      const imageId = await put(face(personId, { operatorId: 'op-1' }))
      const [event] = (await events('biometrics/image-stored')).slice(-1)
      const data = { imageId, personId, kind: 'face', version: 1, method: 'camera', trusted: true, inPerson: true }
      assert.deepEqual(event, { subject_id: personId, actor_id: 'op-1', data })
    })

    await t.test('an image of nobody is refused and leaves nothing behind', async () => {
      await assert.rejects(put(face(randomUUID())), { code: 'biometrics/person-not-found' })
    })

    await t.test('two first images at the same time share one key', async () => {
      const personId = await addPerson()
      const ids = await Promise.all([put(face(personId)), put(face(personId))])
      for (const id of ids) assert.deepEqual((await store.open(id)).bytes, PICTURE)
    })

    await t.test('a reader beside writers never takes a half-seen state for tampering', async () => {
      const personId = await addPerson()
      await put(face(personId), 0.5)
      let writing = true
      const writer = (async () => {
        for (let n = 0; n < 15; n++) await put(face(personId, { inPerson: false }), 0.1)
        writing = false
      })()
      while (writing) assert.equal((await store.findReference(personId, MODEL))?.descriptor[0], 0.5)
      await writer
    })
  })
}
