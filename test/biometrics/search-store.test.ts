/** The 1:N search on both databases; where PostgreSQL has no pgvector, only that it is off there and in nobody's way. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createFaceCloud, STANDARD_SHAPE } from '../../bench/rig/synthetic-faces.ts'
import { createAudit } from '../../src/audit/index.ts'
import type { Reference } from '../../src/biometrics/images/image.ts'
import { createFaceCandidates, type FaceCandidates } from '../../src/biometrics/search/candidates.ts'
import { faceSearchEvents } from '../../src/biometrics/search/events.ts'
import { type FaceSearch, openFaceSearch } from '../../src/biometrics/search/face-search.ts'
import { describeFaceSearch } from '../../src/biometrics/search/ports.ts'
import type { Database } from '../../src/platform/db.ts'
import { type Keyring, openKeyring } from '../../src/platform/keyring.ts'
import type { Log } from '../../src/platform/log.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const MODEL = 'standard-256-v1'
const operator = { kind: 'operator', id: 'cli:ana' } as const
const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }
const cloud = createFaceCloud({ ...STANDARD_SHAPE, mostSimilar: 0.95, genuineMean: 0.94, genuineDeviation: 0.005 }, 11)

/** A database of people with faces, whose image store is a map. */
async function createScene(db: Database) {
  const clock = fixedClock(NOW)
  const keyring = await openKeyring({ db, clock, dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: quiet, settings: { catalogs: [faceSearchEvents] } })
  const references = new Map<string, Reference>()
  const warnings: string[] = []
  const log: Log = { ...quiet, warn: (text) => void warnings.push(text) }
  const findReference = async (personId: string) => references.get(personId)
  const open = (over: { db?: Database; keyring?: Pick<Keyring, 'hash'>; record?: typeof audit.record } = {}) =>
    openFaceSearch({
      db: over.db ?? db,
      platform: { clock, keyring: over.keyring ?? keyring, log },
      audit: { record: over.record ?? audit.record },
      findReference,
      modelIds: [MODEL, 'builtin-128-v1', 'never-measured'],
    })
  let people = 0
  const addPerson = async () => {
    const id = randomUUID()
    people += 1
    await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5)', [id, String(people).padStart(11, '0'), 'Fulana', '1980-01-01', NOW])
    return id
  }
  const addImage = async (personId: string) => {
    const id = randomUUID()
    await db.execute(
      `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, in_person, content_type, width, height, sealed, captured_at, created_at)
       VALUES ($1, $2, 'face', 'counter', 'camera', true, true, 'image/jpeg', 480, 640, '\\x00', $3, $3)`,
      [id, personId, NOW],
    )
    return id
  }
  const enrol = async (search: FaceSearch, descriptor: ArrayLike<number>, personId?: string) => {
    const owner = personId ?? (await addPerson())
    const imageId = await addImage(owner)
    const template = { modelId: MODEL, k: 1, descriptor: Array.from(descriptor) }
    await db.transaction((tx) => search.add(tx, { personId: owner, imageId, template }))
    references.set(owner, { imageId, ...template, inPerson: true })
    return { personId: owner, imageId }
  }
  const candidates = createFaceCandidates({ db, clock, audit })
  return { db, clock, keyring, audit, references, warnings, open, addPerson, addImage, enrol, candidates }
}

type Scene = Awaited<ReturnType<typeof createScene>>

/** As the database would answer without the extension. */
function withoutExtension(db: Database): Database {
  return {
    ...db,
    query: async <Row extends object>(text: string, values?: readonly unknown[]) =>
      text.includes('pg_available_extensions') ? await db.query<Row>('SELECT NULL AS available, NULL AS installed') : db.query<Row>(text, values),
  }
}

const countOf = async (db: Database, table: string) => Number((await db.query<{ count: number }>(`SELECT count(*) AS count FROM ${table}`))[0]?.count)
const pairsOf = async (candidates: FaceCandidates) => (await candidates.list('pending', 1000)).map((pair) => [pair.leftPersonId, pair.rightPersonId].join(' '))
const pairName = (a: string, b: string) => [a, b].sort().join(' ')

for (const { label, open } of testDatabases()) {
  describe(`face search on ${label}`, async () => {
    let db: Database
    let scene: Scene
    let search: FaceSearch
    before(async () => {
      db = await open()
      scene = await createScene(db)
      search = await scene.open()
      if (label === 'PGlite') assert.equal(search.state.on, true)
    })
    after(async () => {
      await search.close()
      await scene.keyring.close()
      await db.close()
    })
    /** What needs the extension; told as skipped where the server has none. */
    const searching = (name: string, work: (skip: (why: string) => void) => Promise<void>) =>
      test(name, (t) => (search.state.on ? work((why) => t.skip(why)) : t.skip(describeFaceSearch(search.state))))

    test('without the extension it is off, says why, and nothing else fails', async () => {
      const off = await scene.open({ db: withoutExtension(db) })
      assert.deepEqual(off.state, { on: false, fault: 'extension-missing' })
      assert.match(describeFaceSearch(off.state), /off .*pgvector.*nothing else depends/)
      const { personId, imageId } = await scene.enrol(off, cloud.identity())
      await assert.rejects(off.find(Array.from(cloud.identity()), { modelId: MODEL }), { code: 'biometrics/search-off' })
      assert.deepEqual(await off.sweep(), { filled: 0, searched: 0, found: 0 })
      assert.equal(await off.startSweeps(operator), 0)
      assert.deepEqual(await off.status(), [])
      await db.transaction((tx) => off.remove(tx, imageId))
      await db.transaction((tx) => off.removePerson(tx, personId))
      scene.references.delete(personId)
    })

    searching('every column of the tables it makes is labelled, and the vectors as sensitive', async () => {
      const labels = await db.query<{ column: string; label: string | null }>(
        `SELECT c.relname || '.' || a.attname AS column, col_description(c.oid, a.attnum) AS label FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
          WHERE c.relname LIKE 'face_vector_%' AND c.relkind = 'r' AND a.attnum > 0`,
      )
      assert.equal(labels.length, 4)
      for (const { column, label: text } of labels) assert.match(text ?? '', column.endsWith('embedding') ? /^sensitive: yes/ : /^sensitive: no/)
    })

    searching('is opened again as it is, by several processes at once', async () => {
      const opened = await Promise.all([scene.open(), scene.open()])
      for (const again of opened) assert.equal(again.state.on, true)
      assert.ok(scene.warnings.some((text) => text.includes('without a false match curve')))
    })

    searching('finds a person by another picture of theirs, and nobody else', async () => {
      const [ana, bia] = [cloud.identity(), cloud.identity()]
      const { personId, imageId } = await scene.enrol(search, ana)
      await scene.enrol(search, bia)
      const found = await search.find(Array.from(cloud.picture(ana)), { modelId: MODEL })
      assert.deepEqual(found.map((face) => [face.personId, face.imageId]), [[personId, imageId]])
      const distance = found[0]?.distance ?? 0
      assert.ok(distance > 0.2 && distance < 0.5, `${distance}`)
      assert.deepEqual(await search.find(Array.from(cloud.identity()), { modelId: MODEL }), [], 'a stranger')
    })

    searching('a template twice as long is the same template', async () => {
      const face = cloud.identity()
      const { personId } = await scene.enrol(search, face.map((value) => value * 2))
      assert.deepEqual((await search.find(Array.from(face), { modelId: MODEL })).map((hit) => hit.personId), [personId])
    })

    searching("a person's own images are never a hit", async () => {
      const face = cloud.identity()
      const { personId } = await scene.enrol(search, face)
      await scene.enrol(search, cloud.picture(face), personId)
      assert.equal((await search.find(Array.from(face), { modelId: MODEL })).length, 2)
      assert.deepEqual(await search.find(Array.from(face), { modelId: MODEL, exceptPersonId: personId }), [])
      await search.sweep()
      assert.equal((await pairsOf(scene.candidates)).some((pair) => pair.includes(personId)), false)
    })

    searching('nothing beyond the threshold is told, and the limit holds', async () => {
      const face = cloud.identity()
      for (let copy = 0; copy < 5; copy++) await scene.enrol(search, cloud.picture(face))
      const all = await search.find(Array.from(face), { modelId: MODEL })
      assert.equal(all.length, 5)
      assert.deepEqual(all.map((hit) => hit.distance), all.map((hit) => hit.distance).sort((a, b) => a - b))
      const middle = all[2]?.distance ?? 0
      assert.equal((await search.find(Array.from(face), { modelId: MODEL, withinDistance: middle })).length, 3)
      assert.deepEqual(await search.find(Array.from(face), { modelId: MODEL, limit: 2 }), all.slice(0, 2))
    })

    searching('what is stored is not the template', async () => {
      const face = cloud.identity()
      const { imageId } = await scene.enrol(search, face)
      const [row] = await db.query<{ text: string }>(
        'SELECT v.embedding::text AS text FROM face_vector_standard_256_v1 v JOIN face_search_entry e ON e.id = v.entry_id WHERE e.image_id = $1', [imageId],
      )
      const stored: number[] = JSON.parse(row?.text ?? '[]')
      assert.equal(stored.length, 256)
      assert.ok(Math.abs(stored.reduce((sum, value, index) => sum + value * (face[index] ?? 0), 0)) < 0.5)
    })

    searching('a withdrawn image is gone from the search in the same transaction, and not if that fails', async () => {
      const face = cloud.identity()
      const { imageId } = await scene.enrol(search, face)
      await assert.rejects(
        db.transaction(async (tx) => {
          await search.remove(tx, imageId)
          throw new Error('something else went wrong')
        }),
      )
      assert.equal((await search.find(Array.from(face), { modelId: MODEL })).length, 1)
      await db.transaction((tx) => search.remove(tx, imageId))
      assert.deepEqual(await search.find(Array.from(face), { modelId: MODEL }), [])
    })

    searching('adding the same image again replaces its vector', async () => {
      const [old, young] = [cloud.identity(), cloud.identity()]
      const { personId, imageId } = await scene.enrol(search, old)
      await db.transaction((tx) => search.add(tx, { personId, imageId, template: { modelId: MODEL, k: 3, descriptor: Array.from(young) } }))
      assert.deepEqual(await search.find(Array.from(old), { modelId: MODEL }), [])
      assert.deepEqual((await search.find(Array.from(young), { modelId: MODEL, k: 3 })).map((hit) => [hit.imageId, hit.k]), [[imageId, 3]])
    })

    searching('a face that cannot be taken in does not stop the enrolment around it', async () => {
      const personId = await scene.addPerson()
      const imageId = await scene.addImage(personId)
      await db.transaction(async (tx) => {
        await search.add(tx, { personId, imageId, template: { modelId: MODEL, k: 1, descriptor: [1, 2, 3] } })
        await tx.execute("UPDATE stored_image SET source = 'kept' WHERE id = $1", [imageId])
      })
      assert.equal((await db.query('SELECT 1 FROM stored_image WHERE id = $1 AND source = $2', [imageId, 'kept'])).length, 1)
      assert.ok(scene.warnings.some((text) => text.includes('not taken in')))
      await db.transaction((tx) => search.add(tx, { personId, imageId, template: { modelId: 'unknown-512', k: 1, descriptor: [1] } }))
    })

    searching('a new face that is near to another person becomes one pair to judge, with its event', async () => {
      await search.sweep()
      const face = cloud.identity()
      const one = await scene.enrol(search, face)
      const other = await scene.enrol(search, cloud.picture(face))
      const outcome = await search.sweep()
      assert.equal(outcome.found, 1, 'both were searched, the pair is one')
      assert.equal(outcome.searched, 2)
      const pair = (await scene.candidates.list('pending', 100)).find(({ leftPersonId, rightPersonId }) => pairName(leftPersonId, rightPersonId) === pairName(one.personId, other.personId))
      assert.ok(pair)
      assert.equal(pair.origin, 'enrolment')
      assert.ok(pair.distance <= pair.threshold)
      assert.equal(pair.modelId, MODEL)
      const events = await db.query<{ data: { candidateId: string } }>("SELECT data FROM audit_event WHERE type = 'biometrics/candidate-found'")
      assert.equal(events.filter(({ data }) => data.candidateId === pair.id).length, 1)
      await scene.candidates.judge(pair.id, 'twins', operator)
      await search.find(Array.from(face), { modelId: MODEL, actor: operator })
      for (const personId of [one.personId, other.personId]) {
        const ledger = await db.query<{ type: string; actor_kind: string }>('SELECT type, actor_kind FROM audit_event WHERE subject_id = $1 ORDER BY id', [personId])
        const lines = ledger.map(({ type, actor_kind: by }) => `${type} ${by}`)
        const expected = ['biometrics/face-found operator', 'biometrics/face-match-judged operator', 'biometrics/face-matched system', 'biometrics/face-searched system']
        assert.deepEqual(lines.sort(), expected)
      }
    })

    searching('a pair is judged once: of two at the same moment one is told', async () => {
      const [pair] = await scene.candidates.list('pending', 1)
      assert.ok(pair)
      const judged = await Promise.allSettled([
        scene.candidates.judge(pair.id, 'same-person', operator),
        scene.candidates.judge(pair.id, 'twins', { kind: 'operator', id: 'cli:bia' }),
      ])
      assert.equal(judged.filter(({ status }) => status === 'fulfilled').length, 1)
      const refused = judged.find((result) => result.status === 'rejected')
      assert.equal(refused?.reason.code, 'biometrics/candidate-decided')
      await assert.rejects(scene.candidates.judge(randomUUID(), 'twins', operator), { code: 'biometrics/candidate-unknown' })
      const events = await db.query<{ data: { candidateId: string } }>("SELECT data FROM audit_event WHERE type = 'biometrics/candidate-judged'")
      assert.equal(events.filter(({ data }) => data.candidateId === pair.id).length, 1)
    })

    searching('a judged pair stays judged when it is seen again', async () => {
      const face = cloud.identity()
      const one = await scene.enrol(search, face)
      const other = await scene.enrol(search, cloud.picture(face))
      await search.sweep()
      const name = pairName(one.personId, other.personId)
      const pair = (await scene.candidates.list('pending', 100)).find((each) => pairName(each.leftPersonId, each.rightPersonId) === name)
      assert.ok(pair)
      const judged = await scene.candidates.judge(pair.id, 'twins', operator)
      assert.deepEqual([judged.state, judged.reason, judged.decidedBy], ['dismissed', 'twins', 'cli:ana'])
      await scene.enrol(search, cloud.picture(face), one.personId)
      assert.equal((await search.sweep()).found, 0)
      assert.equal((await pairsOf(scene.candidates)).includes(name), false)
    })

    searching('erasure takes the vectors and the pairs that nobody confirmed', async () => {
      const face = cloud.identity()
      const one = await scene.enrol(search, face)
      await scene.enrol(search, cloud.picture(face))
      await search.sweep()
      assert.ok((await pairsOf(scene.candidates)).some((pair) => pair.includes(one.personId)))
      const vectors = await countOf(db, 'face_vector_standard_256_v1')
      await db.transaction((tx) => search.removePerson(tx, one.personId))
      scene.references.delete(one.personId)
      assert.equal(await countOf(db, 'face_vector_standard_256_v1'), vectors - 1)
      assert.equal(await countOf(db, 'face_search_entry'), vectors - 1)
      assert.equal((await pairsOf(scene.candidates)).some((pair) => pair.includes(one.personId)), false)
    })

    searching('a sweep that died goes on where it was, and nothing is found twice', async () => {
      const faces = Array.from({ length: 12 }, () => cloud.identity())
      const pairs: string[] = []
      for (const face of faces) {
        const [one, other] = [await scene.enrol(search, face), await scene.enrol(search, cloud.picture(face))]
        pairs.push(pairName(one.personId, other.personId))
      }
      await search.sweep()
      await db.execute('DELETE FROM face_candidate')
      let records = 0
      const dying = await scene.open({
        record: async (tx, event) => {
          if (event.type === 'biometrics/candidate-found' && ++records === 16) throw new Error('killed')
          await scene.audit.record(tx, event)
        },
      })
      assert.equal(await dying.startSweeps(operator), 2, 'one for each model')
      assert.equal(await dying.startSweeps(operator), 0, 'they are running')
      await assert.rejects(dying.sweep(), /killed/)
      const found = await pairsOf(scene.candidates)
      assert.ok(found.length > 0 && pairs.some((pair) => !found.includes(pair)), `${found.length}`)
      const half = (await search.status()).find(({ modelId }) => modelId === MODEL)?.sweep
      assert.ok(half && half.finishedAt === undefined && half.afterEntry > 0)
      assert.equal(half.found, found.length, 'what was counted is what was committed')
      await search.sweep()
      const all = await pairsOf(scene.candidates)
      for (const pair of pairs) assert.equal(all.filter((each) => each === pair).length, 1)
      const status = (await search.status()).find(({ modelId }) => modelId === MODEL)
      assert.ok(status?.sweep?.finishedAt)
      assert.equal(status.sweep.searched, status.faces, 'everybody once')
      assert.equal(status.sweep.found, all.length)
    })

    searching('two processes that sweep at once share the work', async () => {
      await db.execute('DELETE FROM face_candidate')
      const other = await scene.open()
      await search.startSweeps(operator)
      await Promise.all([search.sweep(), other.sweep()])
      const status = (await search.status()).find(({ modelId }) => modelId === MODEL)
      assert.equal(status?.sweep?.searched, status?.faces)
    })

    searching('rebuilding makes the same base from the image store, and leaves out who is gone', async () => {
      const before = new Set((await db.query<{ image_id: string }>('SELECT image_id FROM face_search_entry')).map((row) => row.image_id))
      const gone = [...scene.references.values()].at(-1)
      for (const [personId, reference] of scene.references) {
        if (!before.has(reference.imageId)) scene.references.delete(personId)
        else {
          await db.execute(
            'INSERT INTO face_template (id, image_id, person_id, model_id, k, sealed, created_at) VALUES ($1, $2, $3, $4, 1, $5, $6)',
            [randomUUID(), reference.imageId, personId, MODEL, Buffer.from('x'), NOW],
          )
        }
      }
      assert.ok(gone)
      await db.execute('UPDATE stored_image SET withdrawn_at = $2 WHERE id = $1', [gone.imageId, NOW])
      const faces = await search.rebuild(MODEL, operator)
      assert.equal(faces, [...scene.references.values()].filter(({ imageId }) => before.has(imageId) && imageId !== gone.imageId).length)
      const [first] = scene.references.values()
      assert.ok(first)
      assert.ok((await search.find(first.descriptor, { modelId: MODEL })).some(({ imageId }) => imageId === first.imageId))
      const [index] = await db.query<{ count: number }>("SELECT count(*) AS count FROM pg_indexes WHERE indexname = 'face_vector_standard_256_v1_near'")
      assert.equal(index?.count, 1)
    })

    searching('an index of an earlier kind is replaced by the one that is searched', async () => {
      const name = 'face_vector_standard_256_v1_near'
      const definition = async () => (await db.query<{ indexdef: string }>('SELECT indexdef FROM pg_indexes WHERE indexname = $1', [name]))[0]?.indexdef
      const before = await definition()
      if (db.kind === 'pglite') {
        await db.execute(`DROP INDEX ${name}; CREATE INDEX ${name} ON face_vector_standard_256_v1 USING hnsw (embedding vector_l2_ops)`)
      }
      const again = await scene.open()
      assert.equal(await definition(), before)
      const [first] = scene.references.values()
      assert.ok((await again.find(first?.descriptor ?? [], { modelId: MODEL })).some(({ imageId }) => imageId === first?.imageId))
      await again.close()
    })

    searching('rows that another keyring turned are let go and filled in again', async () => {
      const [first] = scene.references.values()
      assert.ok(first)
      const other = await scene.open({ keyring: { hash: (value, purpose) => scene.keyring.hash(value, `other:${purpose}`) } })
      assert.deepEqual(await other.find(first.descriptor, { modelId: MODEL }), [])
      assert.ok((await other.sweep()).filled > 0)
      assert.ok((await other.find(first.descriptor, { modelId: MODEL })).some(({ imageId }) => imageId === first.imageId))
    })
  })
}
