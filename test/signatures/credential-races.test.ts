/** Certificates to keep beside what ends them, on PostgreSQL: the answer to a statement of one is held until the other is over or waits. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isProblem } from '../../src/platform/problem.ts'
import { MOST_CREDENTIALS, SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { testDatabases } from '../support/database.ts'
import { beside, holdable } from '../support/held-statements.ts'
import { documentOf, openSigningScene, type SceneCitizen, SIGNING_PASSWORD, type SigningScene } from '../support/signing-scene.ts'

const [postgres] = testDatabases().filter(({ label }) => label === 'PostgreSQL')

describe('certificates and what ends them at the same moment', { skip: postgres === undefined }, () => {
  const held = holdable(postgres ?? assert.fail())
  let scene: SigningScene
  before(async () => {
    scene = await openSigningScene({ open: held.open })
  })
  after(() => scene.close())
  const at = () => ({ hold: held.hold, db: scene.db })
  const SYSTEM = { kind: 'system' } as const

  /** As "não fui eu" does it: the account's lock, its state, and the end of its certificates. */
  const stop = (citizen: SceneCitizen) => () =>
    scene.db.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM account WHERE id = $1 FOR UPDATE', [citizen.accountId])
      await tx.execute("UPDATE account SET status = 'suspended' WHERE id = $1", [citizen.accountId])
      await scene.signing.credentials.revokeAll(tx, { ...citizen, cause: 'not-me', actor: SYSTEM })
    })
  async function begun(citizen: SceneCitizen): Promise<() => Promise<unknown>> {
    const { id, nonce } = await scene.signing.credentials.begin({ accountId: citizen.accountId })
    const idToken = await scene.proof(citizen, nonce)
    return () => scene.signing.credentials.finish({ id, idToken, password: SIGNING_PASSWORD })
  }
  const countActive = async ({ accountId }: SceneCitizen) => (await scene.signing.credentials.list(accountId)).filter(({ state }) => state === 'active').length

  test('whoever stops an account leaves no certificate that was being made', async () => {
    const [stoppedFirst, stoppedLater] = [await scene.addCitizen(), await scene.addCitizen()]
    const [, refused] = await beside(at(), /^UPDATE account SET status = 'suspended'/, stop(stoppedFirst), await begun(stoppedFirst))
    assert.ok(refused.status === 'rejected' && isProblem(refused.reason, SIGNATURE_PROBLEMS.notEntitled))
    const ends = await beside(at(), /^INSERT INTO signature_credential/, await begun(stoppedLater), stop(stoppedLater))
    assert.deepEqual(ends.map(({ status }) => status), ['fulfilled', 'fulfilled'])
    assert.deepEqual([await countActive(stoppedFirst), await countActive(stoppedLater)], [0, 0])
  })

  test('one that is suspended by itself while all are ended is ended', async () => {
    const citizen = await scene.addCitizen()
    const id = await scene.keep(citizen)
    const suspend = () => scene.signing.credentials.suspend({ id, accountId: citizen.accountId, cause: 'citizen', actor: SYSTEM })
    const ends = await beside(at(), /FROM signature_credential WHERE id = \$1 AND account_id = \$2 FOR UPDATE/, suspend, stop(citizen))
    assert.deepEqual(ends.map(({ status }) => status), ['fulfilled', 'fulfilled'])
    assert.equal((await scene.signing.credentials.get(id, citizen.accountId)).state, 'revoked')
  })

  test('of more than may be kept, made at once, no more are made', async () => {
    const citizen = await scene.addCitizen()
    const finishes = await Promise.all(Array.from({ length: MOST_CREDENTIALS + 2 }, () => begun(citizen)))
    const ends = await Promise.allSettled(finishes.map((finish) => finish()))
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, MOST_CREDENTIALS)
    assert.equal(await countActive(citizen), MOST_CREDENTIALS)
  })

  test('two wrong passwords at once, in two processes, are two in the record', async () => {
    const citizen = await scene.addCitizen()
    const id = await scene.keep(citizen)
    const tryIn = async ({ activations }: Pick<SigningScene['signing'], 'activations'>) => {
      const opened = await scene.open(citizen, { credential: { kind: 'kept', credentialId: id }, documents: [documentOf('b')] })
      const idToken = await scene.proof(citizen, opened.nonce)
      return () => activations.confirm({ id: opened.id, idToken, password: 'errada' })
    }
    const ends = await beside(at(), /AS highest/, await tryIn(scene.signing), await tryIn(scene.another()))
    assert.deepEqual(ends.map(({ status }) => status), ['rejected', 'rejected'])
    const rows = await scene.db.query<{ total: number }>("SELECT (data->>'total')::int AS total FROM audit_event WHERE type = 'signatures/wrong-password' AND subject_id = $1", [id])
    assert.deepEqual(rows.map(({ total }) => total).sort(), [1, 2])
  })
})
