/** Who floods people with requests, or asks in order to learn who represents whom. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseCpf } from '../../src/accounts/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import type { Acting, MandateId, Power, RequestTerms } from '../../src/proxies/index.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import { openScene, type Person, type ProxyScene } from './support/scene.ts'

const DAY_MS = 86_400_000
/** Of one asker in a day; open to one person; of one person in a day. */
const [BY_ASKER, OPEN, TO_PERSON] = [10, 20, 40]

let scene: ProxyScene
let ipva: Power
before(async () => {
  scene = await openScene(await openPgliteTestDatabase())
  ipva = await scene.addRole('ipva.consultar')
})
after(() => scene.close())

const wish = ({ ref, name }: Pick<Person, 'ref' | 'name'>): RequestTerms => ({ represented: { ref, name }, powers: [ipva], validThrough: scene.terms([], ipva).validThrough })

/** What a request comes to, as far as whoever asks can tell. */
async function answerTo(by: Acting, terms: RequestTerms): Promise<string> {
  try {
    await scene.proxies.requests.ask(by, terms)
    return 'asked'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return JSON.stringify([error.code, error.kind.status, error.detail, error.retryAfterSeconds])
  }
}
const countTo = async ({ cpf }: Person) =>
  (await scene.db.query<{ n: number }>('SELECT count(*)::int AS n FROM proxy_request q JOIN proxy_party p ON p.id = q.represented_id WHERE p.document = $1', [cpf]))[0]?.n

test('one asker in a day: ten requests, however many are sent, one after another or at once', async () => {
  const asker = await scene.addPerson()
  const people = await Promise.all(Array.from({ length: 30 }, () => scene.addPerson()))
  const answers = await Promise.all(people.map((person) => answerTo(asker.by, wish(person))))
  assert.equal(answers.filter((answer) => answer === 'asked').length, BY_ASKER)
  assert.ok(answers.filter((answer) => answer !== 'asked').every((answer) => answer.includes('proxies/too-many-requests')))
  for (let count = 0; count < 40; count += 1) await answerTo(asker.by, wish(people[0] ?? asker))
  // The tries of the day are spent: nothing is looked up any more, not even a number without a name.
  Object.assign(scene.register, { get: () => assert.fail('the register was asked') })
  assert.match(await answerTo(asker.by, wish(people[1] ?? asker)), /too-many-requests/)
  Reflect.deleteProperty(scene.register, 'get')
})

test('many askers of one person: twenty are open and forty a day at most, whoever asks; what is too much looks like every refusal', async () => {
  const target = await scene.addPerson()
  const refused = await answerTo((await scene.addPerson()).by, wish({ ...target, name: 'Outra Pessoa Qualquer' }))
  const flood = async (size: number) => {
    const askers = await Promise.all(Array.from({ length: size }, () => scene.addPerson()))
    return Promise.all(askers.map(({ by }) => answerTo(by, wish(target))))
  }
  const first = await flood(OPEN + 10)
  assert.equal(first.filter((answer) => answer === 'asked').length, OPEN)
  assert.deepEqual(new Set(first.filter((answer) => answer !== 'asked')), new Set([refused]))
  for (let round = 0; round < 3; round += 1) {
    for (const { id } of await scene.proxies.requests.listReceived(target.by)) await scene.proxies.requests.refuse(target.by, id)
    await flood(OPEN)
  }
  assert.equal(await countTo(target), TO_PERSON)
  assert.equal(scene.told.filter(({ accountId, notice }) => accountId === target.accountId && notice === 'requested').length, TO_PERSON)
  scene.clock.advance(DAY_MS + 1)
  assert.equal(await answerTo((await scene.addPerson()).by, wish(target)), 'asked')
  scene.clock.advance(-DAY_MS - 1)
})

test('nobody learns who exists, who blocked whom or who represents whom: every refusal is the same', async () => {
  const { requests, mandates } = scene.proxies
  const [asker, blocking, deaf, other] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
  await requests.ask(asker.by, wish(blocking))
  const [open] = await requests.listReceived(blocking.by)
  assert.ok(open)
  await requests.refuse(blocking.by, open.id, { block: 'delegate' })
  await requests.ask(other.by, wish(deaf))
  const [second] = await requests.listReceived(deaf.by)
  assert.ok(second)
  await requests.refuse(deaf.by, second.id, { block: 'everybody' })
  const nobody = { ref: { kind: 'person', cpf: parseCpf('52998224725') as never }, name: 'Ninguem Aqui' } as const
  const refusals = await Promise.all([
    answerTo(asker.by, wish(blocking)), answerTo(asker.by, wish(deaf)), answerTo(asker.by, wish(nobody)),
    answerTo(asker.by, wish({ ...other, name: 'Nome Errado' })), answerTo(asker.by, wish(asker)),
  ])
  assert.equal(new Set(refusals).size, 1, refusals.join('\n'))
  const held = await scene.active(blocking, other, ipva)
  const codeOf = (work: Promise<unknown>) => work.then(() => 'found', (error: unknown) => (error instanceof Problem ? `${error.code} ${error.detail}` : 'defect'))
  const missing = '00000000-0000-4000-8000-000000000000' as MandateId
  for (const ask of [mandates.get, mandates.history, mandates.revoke, mandates.accept, mandates.sign, scene.proxies.uses.listOf, scene.proxies.instruments.get]) {
    assert.equal(await codeOf(ask(asker.by, held.id)), await codeOf(ask(asker.by, missing)))
  }
  const decide = (represented: Person['ref']) => scene.proxies.decide({ actor: asker.ref, represented, role: ipva })
  assert.deepEqual(await decide(blocking.ref), await decide(nobody.ref), 'a stranger to a mandate hears what he hears of nobody')
})
