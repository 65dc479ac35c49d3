import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import type { NewImage } from '../../src/biometrics/images/image.ts'
import { createImageStore } from '../../src/biometrics/images/image-store.ts'
import type { Database } from '../../src/platform/db.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const PICTURE = Buffer.from('the bytes of a picture, which only its person\'s key opens')

function face(personId: string, more: Partial<NewImage['provenance']> = {}): NewImage {
  return {
    personId, kind: 'face', bytes: PICTURE, contentType: 'image/jpeg', width: 480, height: 640,
    provenance: { source: 'counter', method: 'camera', trusted: true, inPerson: true, capturedAt: NOW, ...more },
  }
}

const template = (first: number) => ({ modelId: 'model-a', k: 3, descriptor: [first, 0.25, -0.5] })

async function addPerson(db: Database, cpf: string): Promise<string> {
  const id = randomUUID()
  await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5)', [id, cpf, 'Fulana', '1980-01-01', NOW])
  return id
}

for (const { label, open } of testDatabases()) {
  test(`image store on ${label}`, async (t) => {
    const db = await open()
    const clock = fixedClock(NOW)
    const keyring = await openKeyring({ db, clock, dataDir: 'memory' })
    after(async () => {
      await keyring.close()
      await db.close()
    })
    const store = createImageStore({ db, keyring, clock })
    const put = (image: NewImage, first?: number) => db.transaction((tx) => store.put(tx, image, first === undefined ? undefined : template(first)))

    await t.test('gives back the very bytes and no trace of them lies in the table', async () => {
      const personId = await addPerson(db, '00000000001')
      const id = await put(face(personId))
      assert.deepEqual((await store.open(id)).bytes, PICTURE)
      const [row] = await db.query<{ sealed: Buffer }>('SELECT sealed FROM stored_image WHERE id = $1', [id])
      assert.equal(row?.sealed.includes(PICTURE.subarray(0, 8)), false)
    })

    await t.test('a ciphertext that was swapped with another row does not open', async () => {
      const personId = await addPerson(db, '00000000002')
      const [one, other] = [await put(face(personId)), await put(face(personId))]
      await db.execute('UPDATE stored_image SET sealed = (SELECT sealed FROM stored_image WHERE id = $2) WHERE id = $1', [one, other])
      await assert.rejects(store.open(one), { code: 'platform/seal-broken' })
    })

    await t.test('the reference is the newest trusted face of the model, one taken in person first', async () => {
      const personId = await addPerson(db, '00000000003')
      assert.equal(await store.findReference(personId, 'model-a'), undefined)
      await put(face(personId, { trusted: false }), 0.1)
      assert.equal(await store.findReference(personId, 'model-a'), undefined, 'nobody vouches for it')
      const inPerson = await put(face(personId, { capturedAt: new Date('2020-01-01') }), 0.5)
      await put(face(personId, { inPerson: false }), 0.75)
      assert.deepEqual(await store.findReference(personId, 'model-a'), {
        imageId: inPerson, modelId: 'model-a', k: 3, descriptor: [0.5, 0.25, -0.5], inPerson: true,
      })
      assert.equal(await store.findReference(personId, 'model-b'), undefined, 'another model\'s template is not comparable')
    })

    await t.test('a withdrawn face is no longer a reference', async () => {
      const personId = await addPerson(db, '00000000004')
      const id = await put(face(personId, { source: 'demo', inPerson: false }), 0.5)
      assert.equal(await db.transaction((tx) => store.withdrawFaces(tx, personId, 'demo')), 1)
      assert.equal(await store.findReference(personId, 'model-a'), undefined)
      await assert.rejects(store.open(id), { code: 'biometrics/image-not-found' })
    })

    await t.test('destroying the person\'s key makes images and templates unreadable and touches nobody else', async () => {
      const [erased, kept] = [await addPerson(db, '00000000005'), await addPerson(db, '00000000006')]
      const [gone, stays] = [await put(face(erased), 0.5), await put(face(kept), 0.5)]
      await db.transaction((tx) => store.destroyKey(tx, erased))
      await assert.rejects(store.open(gone), { code: 'biometrics/image-not-found' })
      assert.equal(await store.findReference(erased, 'model-a'), undefined)
      assert.deepEqual((await store.open(stays)).bytes, PICTURE)
    })

    await t.test('an image of nobody is refused and leaves nothing behind', async () => {
      await assert.rejects(put(face(randomUUID())), { code: 'biometrics/person-not-found' })
    })

    await t.test('two first images at the same time share one key', async () => {
      const personId = await addPerson(db, '00000000007')
      const ids = await Promise.all([put(face(personId)), put(face(personId))])
      for (const id of ids) assert.deepEqual((await store.open(id)).bytes, PICTURE)
    })
  })
}
