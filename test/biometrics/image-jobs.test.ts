import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import sharp from 'sharp'
import { normalisePhoto } from '../../src/biometrics/image.ts'
import { createFaceJobs } from '../../src/biometrics/images/remake.ts'
import { testDatabases } from '../support/database.ts'
import { face, MODEL, openImageScene } from '../support/image-scene.ts'

const NEW_MODEL = 'model-b'
const picture = (green: number) => sharp({ create: { width: 60, height: 80, channels: 3, background: { r: 200, g: green, b: 9 } } }).jpeg().withMetadata({ orientation: 6 }).toBuffer()

/** Sees one face in every picture but in black ones. */
function lookingFaces() {
  const state = { looked: 0, busyFor: 0 }
  return {
    state,
    async describe(photo: Uint8Array) {
      state.looked++
      const { data } = await sharp(photo).raw().toBuffer({ resolveWithObject: true })
      const [red = 0, green = 0] = data
      const seen = red > 50 ? [{ box: { x: 0, y: 0, width: 400, height: 400 }, descriptor: [green / 255, 0, 1] }] : []
      return { modelId: NEW_MODEL, width: 60, height: 80, faces: seen } as never
    },
    normalise: (photo: Uint8Array) => normalisePhoto(photo),
    stats: () => ({ size: 1, busy: 0, queued: state.busyFor-- > 0 ? 1 : 0, done: 0, failed: 0, refused: 0, replaced: 0 }),
  }
}

for (const { label, open } of testDatabases()) {
  test(`jobs on stored faces on ${label}`, async (t) => {
    const scene = await openImageScene(await open())
    after(() => scene.close())
    const { db, store, put, addPerson, clock } = scene
    const faces = lookingFaces()
    const jobs = createFaceJobs({ images: scene.deps, store, faces, modelId: NEW_MODEL })

    await t.test('templates for another model are made image by image, on from where a run stopped; the old ones stay for a week', async () => {
      const people = [await addPerson(), await addPerson(), await addPerson()]
      for (const [at, personId] of people.entries()) await put(face(personId, {}, { bytes: await picture(50 * (at + 1)) }), 0.5)
      const [first = ''] = people
      assert.equal(await store.findReference(first, NEW_MODEL), undefined, 'another model’s numbers are never compared')
      assert.equal(await jobs.missing(), 3)
      const stop = new AbortController()
      const begun = await jobs.remake({ signal: stop.signal, onProgress: ({ made }) => made === 1 && stop.abort() })
      assert.deepEqual([begun.made, begun.left], [1, 2])
      faces.state.busyFor = 3
      assert.deepEqual(await jobs.remake(), { made: 2, refused: 0, left: 0 })
      assert.ok(faces.state.busyFor <= 0, 'it waited for the public')
      assert.equal(faces.state.looked, 3)
      for (const personId of people) {
        assert.ok(await store.findReference(personId, NEW_MODEL))
        assert.ok(await store.findReference(personId, MODEL))
      }
      assert.equal(await jobs.dropOutdated(), 0)
      clock.advance(7 * 86_400_000 + 1)
      assert.equal(await jobs.dropOutdated(), 3)
      assert.equal(await store.findReference(first, MODEL), undefined)
      assert.ok(await store.findReference(first, NEW_MODEL), 'the head follows')
      assert.deepEqual(await jobs.remake(), { made: 0, refused: 0, left: 0 })
    })

    await t.test('a face that the model cannot find is tried once', async () => {
      await put(face(await addPerson(), {}, { bytes: await sharp({ create: { width: 9, height: 9, channels: 3, background: '#000' } }).jpeg().toBuffer() }))
      assert.deepEqual(await jobs.remake(), { made: 0, refused: 1, left: 0 })
      const { looked } = faces.state
      await jobs.remake()
      assert.equal(faces.state.looked, looked)
      const [fault] = await db.query('SELECT reason FROM face_template_fault')
      assert.deepEqual(fault, { reason: 'face/none' })
    })

    await t.test('an original gets an upright copy without EXIF, and a face its template', async () => {
      const personId = await addPerson()
      const { bytes: _, contentType: __, ...facts } = face(personId)
      const original = await picture(99)
      const id = await db.transaction((tx) => store.putOriginal(tx, { ...facts, original: { bytes: original, contentType: 'image/jpeg' } }))
      assert.equal(await jobs.makeCopies(id), 1)
      const { width, height, exif } = await sharp((await store.open(id)).bytes).metadata()
      assert.deepEqual([width, height, exif], [80, 60, undefined])
      assert.deepEqual((await store.openOriginal(id)).bytes, original)
      assert.equal((await store.findReference(personId, NEW_MODEL))?.imageId, id)
      assert.equal(await jobs.makeCopies(id), 0, 'twice does no harm')
    })

    await t.test('an original that is no picture is given up on once, and the rest goes on', async () => {
      const [bad, good] = [await addPerson(), await addPerson()]
      const { bytes: _, contentType: __, ...facts } = face(bad)
      const putOriginal = (personId: string, bytes: Buffer) => db.transaction((tx) => store.putOriginal(tx, { ...facts, personId, original: { bytes, contentType: 'image/jpeg' } }))
      const broken = await putOriginal(bad, Buffer.from('not a picture'))
      await putOriginal(good, await picture(70))
      assert.equal(await jobs.makeCopies(), 1)
      assert.equal(await jobs.makeCopies(), 0)
      await assert.rejects(store.open(broken), { code: 'biometrics/image-not-ready' })
      assert.ok(await store.findReference(good, NEW_MODEL))
    })

    await t.test('standing faces are walked by id', async () => {
      const all = await jobs.forEachFace(undefined, 100)
      const [firstTwo, rest] = [await jobs.forEachFace(undefined, 2), await jobs.forEachFace(all[1]?.id, 100)]
      assert.deepEqual([...firstTwo, ...rest], all)
    })
  })
}
