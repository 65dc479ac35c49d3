import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import type { Database } from '../../src/platform/db.ts'
import {
  createPageSessions,
  destroyPageSessionsByAccount,
  destroyPageSessionsBySid,
  type PageSession,
  purgeEndedPageSessions,
} from '../../src/platform/http/page-session.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { startSite, type TestSite } from '../support/http-app.ts'

const MARIA = '00000000-0000-4000-8000-000000000001'
const data = z.object({ step: z.string(), name: z.string().optional() })
type Data = z.infer<typeof data>
const clock = fixedClock()

for (const { label, open } of testDatabases()) {
  describe(`page sessions on ${label}`, () => {
    let db: Database
    let site: TestSite
    let last: PageSession<Data> | undefined

    before(async () => {
      db = await open()
      const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
      const portal = createPageSessions({ db, keyring, clock }, { area: 'portal', data, idleSeconds: 3600, absoluteSeconds: 86_400 })
      const admin = createPageSessions({ db, keyring, clock }, { area: 'admin', data, idleSeconds: 900, absoluteSeconds: 43_200 })
      const actions: Record<string, (ctx: Parameters<typeof portal.read>[0]) => Promise<unknown>> = {
        '/begin': (ctx) => portal.begin(ctx, { data: { step: 'before' } }),
        '/sign-in': (ctx) => portal.begin(ctx, { accountId: MARIA, sid: 'sid-1', data: { step: 'in', name: 'Maria Aparecida' } }),
        '/read': async (ctx) => {
          last = await portal.read(ctx)
        },
        '/read-admin': async (ctx) => {
          last = await admin.read(ctx)
        },
        '/update': (ctx) => portal.update(ctx, { step: 'changed' }),
        '/end': (ctx) => portal.end(ctx),
      }
      site = await startSite(({ app }) => {
        app.use(async (ctx) => {
          ctx.body = String((await actions[ctx.path]?.(ctx)) ?? 'done')
        })
        return []
      })
    })
    after(async () => {
      await site.stop()
      await db.close()
    })

    /** Calls and gives the cookie that the browser has afterwards. */
    async function call(path: string, cookie = ''): Promise<string> {
      const answer = await fetch(site.url + path, { headers: { cookie } })
      assert.equal(answer.status, 200)
      return answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    }

    async function read(cookie: string, path = '/read'): Promise<PageSession<Data> | undefined> {
      last = undefined
      await call(path, cookie)
      return last
    }

    test('signing in gives a new id and kills the one from before', async () => {
      const before = await call('/begin')
      assert.match(before, /^mt_portal=[\w-]{43}$/)
      assert.equal((await read(before))?.accountId, undefined)
      const signedIn = await call('/sign-in', before)
      assert.notEqual(signedIn, before)
      assert.equal(await read(before), undefined)
      const session = await read(signedIn)
      assert.equal(session?.accountId, MARIA)
      assert.equal(session?.sid, 'sid-1')
      assert.deepEqual(session?.data, { step: 'in', name: 'Maria Aparecida' })
    })

    test('an id that we did not make starts nothing', async () => {
      for (const cookie of ['mt_portal=x', `mt_portal=${'a'.repeat(43)}`, 'mt_portal=', "mt_portal='; DROP TABLE page_session--"]) {
        assert.equal(await read(cookie), undefined)
      }
    })

    test('the cookie of one area opens no other', async () => {
      const cookie = await call('/sign-in')
      assert.equal(await read(cookie.replace('portal', 'admin'), '/read-admin'), undefined)
    })

    test('the database has neither the id nor the data in clear', async () => {
      const cookie = await call('/sign-in')
      const [row] = await db.query<{ text: string }>(
        "SELECT encode(id_hash, 'escape') || encode(data, 'escape') AS text FROM page_session ORDER BY created_at DESC LIMIT 1",
      )
      assert.doesNotMatch(row?.text ?? '', /Maria|step/)
      assert.ok(!row?.text.includes(cookie.split('=')[1] ?? ''))
    })

    test('data of one row moved into another does not open', async () => {
      const [mine, other] = [await call('/sign-in'), await call('/begin')]
      await db.execute('UPDATE page_session SET data = (SELECT data FROM page_session WHERE sid IS NOT NULL LIMIT 1)')
      const answers = await Promise.all([mine, other].map((cookie) => fetch(`${site.url}/read`, { headers: { cookie } })))
      assert.ok(answers.some((answer) => answer.status === 500))
      await db.execute('DELETE FROM page_session')
    })

    test('ends after an hour without use, is kept by use, and after a day in any case', async () => {
      const idle = await call('/sign-in')
      clock.advance(3_600_000)
      assert.equal(await read(idle), undefined)
      clock.advance(-3_600_000)
      assert.equal(await read(idle), undefined, 'an ended session does not come back')
      const used = await call('/sign-in')
      for (let hours = 0; hours < 47; hours += 1) {
        assert.ok(await read(used))
        clock.advance(1_800_000)
      }
      assert.ok(await read(used))
      clock.advance(1_800_000)
      assert.equal(await read(used), undefined)
    })

    test('data can be changed, until the session ends', async () => {
      const cookie = await call('/sign-in')
      await call('/update', cookie)
      assert.deepEqual((await read(cookie))?.data, { step: 'changed' })
      assert.match(await call('/end', cookie), /^mt_portal=$/)
      assert.equal(await read(cookie), undefined)
      assert.equal(await (await fetch(`${site.url}/update`, { headers: { cookie } })).text(), 'false')
    })

    test('ends with the protocol session or the account, for all browsers', async () => {
      const [first, second] = [await call('/sign-in'), await call('/sign-in')]
      assert.ok((await destroyPageSessionsBySid(db, 'sid-1')) >= 2)
      assert.equal(await read(first), undefined)
      assert.equal(await read(second), undefined)
      const third = await call('/sign-in')
      assert.equal(await destroyPageSessionsByAccount(db, MARIA), 1)
      assert.equal(await read(third), undefined)
    })

    test('the purge removes what nobody can use and nothing else', async () => {
      await call('/sign-in')
      clock.advance(86_400_000)
      const live = await call('/sign-in')
      assert.ok((await purgeEndedPageSessions(db, clock.now())) >= 1)
      assert.ok(await read(live))
      assert.equal(await purgeEndedPageSessions(db, clock.now()), 0)
    })
  })
}
