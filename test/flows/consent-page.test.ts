import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from '../support/browser-client.ts'
import { agree, begin, redeem, typePassword } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addCitizen, addRelyingParty, people, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all } = people(1)
let app: WatchedApp
let rp: TestRelyingParty

before(async () => {
  app = await startWatchedApp({ register })
  rp = await addRelyingParty(app)
})
after(() => app.stop())

const listed = ({ html }: Page): number => [...html.matchAll(/class="consents-what"/g)].length

test('prompt=consent lists everything again, also in the session that has given it', async () => {
  const person = all[0] ?? assert.fail()
  await addCitizen(app, person)
  const first = await typePassword(await begin(rp), person)
  const asked = listed(first.page)
  assert.ok(asked >= 3, `${asked} lines`)
  await redeem(await agree(first))
  const again = await begin(rp, { prompt: 'consent' }, first.browser)
  assert.equal(listed(again.page), asked)
  await redeem(await agree(again))
  assert.ok(await redeem(await begin(rp, {}, first.browser)), 'not asked where nobody wants it')
})
