/** Random lives of a tree of mandates over the real store: whatever was done, no decision permits beyond what every link above allows. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../src/platform/problem.ts'
import type { Mandate, Power } from '../../src/proxies/index.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import { openScene, type Person, type ProxyScene } from './support/scene.ts'

const PEOPLE = 5
let scene: ProxyScene
let power: Power
before(async () => {
  scene = await openScene(await openPgliteTestDatabase())
  power = await scene.addRole('ipva', { subDepth: 3, acceptance: false })
})
after(() => scene.close())

const step = fc.record({ what: fc.constantFrom('grant', 'sub', 'sub', 'revoke', 'suspend', 'resume', 'renounce'), who: fc.nat(PEOPLE - 1), whom: fc.nat(PEOPLE - 1), which: fc.nat(20) })
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What is refused is refused; anything but a Problem is a defect. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error
  })
}

async function act(people: readonly Person[], made: Mandate[], { what, who, whom, which }: Step): Promise<void> {
  const { mandates } = scene.proxies
  const [from, to] = [people[who], people[whom]]
  const mandate = made[which % Math.max(1, made.length)]
  if (!from || !to) return
  if (what === 'grant') return attempt(async () => void made.push(...(await mandates.grant(from.by, scene.terms(to, power, { subDepth: 2 })))))
  if (!mandate) return
  const subDepth = Math.max(0, mandate.subDepth - 1)
  if (what === 'sub') return attempt(async () => void made.push(await mandates.subdelegate(from.by, mandate.id, scene.terms(to, power, { subDepth }))))
  if (what === 'suspend') return attempt(() => mandates.suspend(from.by, mandate.id, 'citizen'))
  return attempt(() => mandates[what as 'revoke' | 'resume' | 'renounce'](from.by, mandate.id))
}

test('no sequence of grants, links, stops and revocations leaves a decision that permits too much', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 16 }), async (steps) => {
      const people: Person[] = []
      while (people.length < PEOPLE) people.push(await scene.addPerson())
      const made: Mandate[] = []
      for (const one of steps) await act(people, made, one)
      const now = new Map(await Promise.all(made.map(async ({ id }) => [id, await scene.proxies.mandates.find(id)] as const)))
      for (const mandate of made) {
        const path = mandate.path.map((id) => now.get(id) ?? assert.fail('a link is missing'))
        const own = path.at(-1) ?? assert.fail()
        // The cascade is complete: nothing open hangs below an end.
        if (path.some(({ endedAt }) => endedAt !== undefined)) assert.notEqual(own.endedAt, undefined)
        const cpfs = [mandate.represented.document, ...path.map(({ delegate }) => delegate.document)]
        assert.equal(new Set(cpfs).size, cpfs.length, 'no cycle')
        assert.ok(path.every(({ subDepth }, index) => subDepth >= path.length - 1 - index), 'within the depth')
        if (own.endedAt !== undefined) assert.ok(scene.ended.includes(own.id) || own.state === 'refused')
      }
      for (const actor of people) {
        for (const represented of people.filter((one) => one !== actor)) {
          const bearing = made.filter(({ delegate, represented: party }) => delegate.document === actor.cpf && party.document === represented.cpf)
          const mayAct = bearing.some(({ path }) => path.every((id) => now.get(id)?.state === 'active'))
          const { permit } = await scene.proxies.decide({ actor: actor.ref, represented: represented.ref, role: power })
          assert.equal(permit, mayAct)
        }
      }
    }),
    { numRuns: 8, seed: 7 },
  )
})
