/** Twenty at once for each thing that works once: exactly one gets it, through the whole server, on every store. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from '../support/browser-client.ts'
import { agree, begin, type Journey, newBrowser, typePassword } from '../support/citizen-journey.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { faceEndpoints, playPictures } from '../support/face-check-client.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addCitizen, addRelyingParty, addTotp, people, type Person, setReferenceFace, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'
import { hasRedis, startRedis } from '../oidc/redis.ts'

const AT_ONCE = 20
const hasPostgres = Boolean(process.env['MT_TEST_POSTGRES_URL'] ?? findPostgresBinaries())

/** What a store needs to be there, and how it is taken away again. */
const STORES: readonly { label: string; skip: boolean; open: () => Promise<{ env: Record<string, string>; close: () => Promise<void> }> }[] = [
  { label: 'PGlite', skip: false, open: async () => ({ env: {}, close: async () => {} }) },
  { label: 'PostgreSQL', skip: !hasPostgres, open: openPostgres },
  {
    label: 'PostgreSQL and Redis', skip: !hasPostgres || !hasRedis(),
    async open() {
      const [postgres, redis] = await Promise.all([openPostgres(), startRedis()])
      const close = async () => void (await Promise.all([postgres.close(), redis.stop()]))
      return { env: { ...postgres.env, REDIS_URL: redis.url.reveal() }, close }
    },
  },
]

async function openPostgres() {
  const { url, drop } = await createPostgresDatabase()
  return { env: { DATABASE_URL: url.reveal() }, close: drop }
}

const all = <T>(work: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(index)))
const count = (statuses: readonly number[], wanted: number): number => statuses.filter((status) => status === wanted).length

for (const store of STORES) {
  describe(store.label, { skip: store.skip }, () => {
    const { register, all: citizens } = people(8)
    const person = (index: number): Person => citizens[index] ?? assert.fail()
    let app: WatchedApp
    let rp: TestRelyingParty
    let close: () => Promise<void>

    before(async () => {
      const opened = await store.open()
      close = opened.close
      app = await startWatchedApp({ env: opened.env, register })
      rp = await addRelyingParty(app)
    })
    after(async () => {
      await app.stop()
      await close()
    })

    const at = (path: string): URL => new URL(path, app.publicUrl)
    const token = (body: Record<string, string>): Promise<Response> => {
      const { client_id: id = '', client_secret: secret = '' } = rp.config.clientMetadata() as Record<string, string>
      const headers = { Authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}` }
      return fetch(at('/token'), { method: 'POST', headers, body: new URLSearchParams(body) })
    }

    test('a code is redeemed once, a refresh token rotated once', async () => {
      await addCitizen(app, person(0))
      const { page, pending } = await signInAs(0, { scope: 'openid offline_access', prompt: 'consent' })
      const code = page.url.searchParams.get('code') ?? ''
      const answers = await all(() => token({ grant_type: 'authorization_code', code, code_verifier: pending.verifier, redirect_uri: `${page.url.origin}${page.url.pathname}` }))
      assert.deepEqual([count(answers.map(({ status }) => status), 200), count(answers.map(({ status }) => status), 400)], [1, AT_ONCE - 1])
      const again = await signInAs(0, { scope: 'openid offline_access', prompt: 'consent' })
      const { refresh_token: refresh = '' } = await rp.finish(again.page.url, again.pending)
      const rotated = await all(() => token({ grant_type: 'refresh_token', refresh_token: refresh }))
      assert.deepEqual([count(rotated.map(({ status }) => status), 200), count(rotated.map(({ status }) => status), 400)], [1, AT_ONCE - 1])
    })

    async function signInAs(index: number, extra: Record<string, string> = {}): Promise<Journey> {
      const { cpf, password } = person(index)
      return agree(await typePassword(await begin(rp, extra), { cpf, password }))
    }

    test('the link of a registration opens one account', async () => {
      const form = person(1)
      const journey = await begin(rp)
      const page = await journey.browser.get(journey.page.links.find(({ text }) => text === 'Criar conta')?.href ?? '')
      await journey.browser.submit(page, { ...form }, { action: '/cadastro' })
      const link = await linkTo(form.email)
      const pages = await all(async () => {
        const browser = newBrowser()
        const opened = await browser.get(link)
        return () => browser.submit(opened, {})
      })
      const ends = await Promise.all(pages.map((confirm) => confirm()))
      assert.deepEqual([count(ends.map(({ status }) => status), 200), count(ends.map(({ status }) => status), 410)], [1, AT_ONCE - 1])
      await oneAccount(form.cpf)
    })

    async function linkTo(address: string): Promise<string> {
      const text = (await app.messages()).find(({ to }) => to === address)?.text
      return /https?:\/\/\S+\?t=[\w-]+/.exec(text ?? '')?.[0] ?? assert.fail(`no link to ${address}`)
    }

    async function oneAccount(cpf: string): Promise<void> {
      const [row] = await app.foundation.db.query<{ people: number; accounts: number; told: number }>(
        `SELECT count(DISTINCT p.id) AS people, count(DISTINCT a.id) AS accounts,
           (SELECT count(*) FROM audit_event e WHERE e.type = 'accounts/registered' AND e.subject_id = min(a.id::text)::uuid) AS told
         FROM person p LEFT JOIN account a ON a.person_id = p.id WHERE p.cpf = $1`, [cpf])
      assert.deepEqual(row, { people: 1, accounts: 1, told: 1 })
    }

    test('of parallel registrations of one CPF one becomes an account', async () => {
      const form = person(2)
      const waiting = await Promise.all(Array.from({ length: 5 }, async (_, index) => {
        const journey = await begin(rp)
        const page = await journey.browser.get(journey.page.links.find(({ text }) => text === 'Criar conta')?.href ?? '')
        const email = `${index}-${form.email}`
        const sent = await journey.browser.submit(page, { ...form, email }, { action: '/cadastro' })
        return { journey, sent, code: await app.lastCode(email) }
      }))
      const ends = await Promise.all(waiting.map(({ journey, sent, code }) => journey.browser.submit(sent, { code }, { action: '/confirmar' })))
      assert.deepEqual([count(ends.map(({ status }) => status), 200), count(ends.map(({ status }) => status), 422)], [1, 4])
      await oneAccount(form.cpf)
    })

    test('a code of the authenticator, and one on paper, let one browser in', async () => {
      const account = await addCitizen(app, person(3))
      const { codeAt, recoveryCodes } = await addTotp(app, account)
      const proofs = [['code', () => codeAt(0), '/codigo'], ['recovery', () => recoveryCodes[0] ?? '', '/codigo-de-recuperacao']] as const
      for (const [field, proof, action] of proofs) {
        const owed: Journey[] = []
        // One after the other: more right passwords at once than one account may try are refused like wrong ones.
        for (let browser = 0; browser < AT_ONCE; browser += 1) owed.push(await signInAs(3))
        const shown = proof()
        const ends = await Promise.all(owed.map(({ browser, page }) => browser.submit(page, { [field]: shown }, { action })))
        assert.equal(ends.filter(isIn).length, 1, `${field}: ${ends.map(({ status }) => status).join(' ')}`)
        assert.ok(ends.every((page) => isIn(page) || page.status === 422 || page.status === 429))
        app.clock.advance(600_000)
      }
      const [sessions] = await app.foundation.db.query<{ n: number }>('SELECT count(*) AS n FROM sign_in_session WHERE account_id = $1', [account.id])
      assert.equal(sessions?.n, 2)
    })

    const isIn = (page: Page): boolean => page.status === 0 || page.forms.some(({ action }) => action.pathname.endsWith('/consentir'))

    test('the link of a recovery opens in one browser, and one new password is set', async () => {
      await addCitizen(app, person(4))
      const starter = newBrowser()
      await starter.submit(await starter.get(at('/recuperar')), { cpf: person(4).cpf, way: 'email' }, { action: '/recuperar' })
      const link = await linkTo(person(4).email)
      const opened = await all(async () => {
        const browser = newBrowser()
        const page = await browser.get(link)
        return { browser, open: () => browser.submit(page, {}) }
      })
      const ends = await Promise.all(opened.map(async ({ browser, open }) => ({ browser, page: await open() })))
      assert.deepEqual([count(ends.map(({ page }) => page.status), 200), count(ends.map(({ page }) => page.status), 410)], [1, AT_ONCE - 1])
      const winner = ends.find(({ page }) => page.status === 200) ?? assert.fail()
      const set = await all((index) => winner.browser.submit(winner.page, { password: `nova-senha-cerrado-${index}` }, { action: '/senha' }))
      assert.deepEqual([set.filter(({ text }) => text.includes('Senha nova salva')).length, count(set.map(({ status }) => status), 500)], [1, 0])
      const index = set.findIndex(({ text }) => text.includes('Senha nova salva'))
      assert.ok(isIn((await typePassword(await begin(rp), { cpf: person(4).cpf, password: `nova-senha-cerrado-${index}` })).page))
    })

    test('an agreement that is sent twenty times is one agreement and one answer', async () => {
      await addCitizen(app, person(5))
      const { browser, page } = await typePassword(await begin(rp), { cpf: person(5).cpf, password: person(5).password })
      const ends = await all(() => browser.submit(page, {}, { button: 'Autorizar' }))
      const codes = new Set(ends.flatMap(({ url }) => url.searchParams.get('code') ?? []))
      assert.ok(codes.size >= 1 && ends.every(({ status }) => [0, 400, 410].includes(status)), ends.map(({ status }) => status).join(' '))
      const [consents] = await app.foundation.db.query<{ n: number }>('SELECT count(*) AS n FROM consent')
      assert.ok((consents?.n ?? 0) >= 1)
    })

    test('a face check is judged once', { skip: store.label.includes('Redis') ? 'the same tables as without Redis' : false }, async () => {
      const account = await addCitizen(app, person(6))
      const views = await loadFaceViews(SAMPLE_FACES.one)
      await setReferenceFace(app, account, await views.jpeg({ yawDegrees: 0, moment: 7000 }))
      const asked = await signInAs(6, { acr_values: 'urn:mt-login:face', max_age: '0' })
      const page = await asked.browser.submit(asked.page, { agree: 'sim' }, { action: '/concordo' })
      let moment = 0
      const capture = ({ yaw = 0, colour }: { yaw?: number; colour?: { red: number; green: number; blue: number } | undefined }) => {
        moment += 1
        return views.jpeg({ yawDegrees: yaw, colour, moment })
      }
      const id = await playPictures(asked.browser, page, { clock: app.clock, capture })
      const answers = await all(async () => (await faceEndpoints(asked.browser, page).call('POST', `/sessao/${id}/fim`)).status)
      assert.deepEqual([count(answers, 200), count(answers, 409)], [1, AT_ONCE - 1])
      const [evidence] = await app.foundation.db.query<{ n: number }>("SELECT count(*) AS n FROM evidence WHERE person_id = $1 AND method = 'face-match'", [account.personId])
      assert.equal(evidence?.n, 1)
    })
  })
}
