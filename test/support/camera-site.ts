/** The camera's page with the real protocol and nets behind it, for a browser; without accounts and sign-in. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Router from '@koa/router'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Faces } from '../../src/biometrics/faces.ts'
import { createFaces } from '../../src/biometrics/faces.ts'
import type { LivenessCaller } from '../../src/biometrics/liveness/session.ts'
import { createLiveness } from '../../src/biometrics/liveness/session.ts'
import type { LivenessVerdict } from '../../src/biometrics/liveness/verdict.ts'
import { chooseFaceModels } from '../../src/biometrics/model-choice.ts'
import { createFaceCheckRoutes } from '../../src/oidc/interactions/step-up/face-check.routes.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { Database } from '../../src/platform/db.ts'
import { guard } from '../../src/platform/http/guard.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { openWith, sealWith } from '../../src/platform/keyring.ts'
import { openProfile, PHONE, type Watched } from './browser.ts'
import { pacedClock } from './clock.ts'
import { openPgliteTestDatabase } from './database.ts'
import { standardModelsDir } from './face-models.ts'
import { startSite, type TestSite } from './http-app.ts'
import { browserCameraScript, type CameraMode } from './reactive-camera/browser-camera.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from './reactive-camera/face-views.ts'

const VIEWS = new URL('../../views', import.meta.url).pathname
const PAGE = `<% layout('/layout', { title: 'Câmera', scripts: ['camera.js'] }) -%>
<h1>Câmera</h1>
<%= ui['face-check']({ base: '/rosto' }) %>`
const LONGEST = { timeout: 150_000 }
/** The machine's seconds for one of a check that has to get through all its steps: a busy machine is fast enough for it. */
const SLOW_MOTION = 3

export type Who = 'one' | 'two'

export interface CameraVisit {
  readonly who?: Who
  readonly context?: BrowserContextOptions
  /** In the camera's place: a script of one's own. */
  readonly script?: string
  readonly options?: { readonly noFlash?: boolean; readonly slow?: boolean }
  /** Page, camera, person and server live in slow motion, so that how fast this machine is decides nothing. */
  readonly slowMotion?: boolean
  /** Before the page begins, to watch it. */
  readonly onOpen?: (page: Page) => void
}

export interface CameraSite {
  readonly url: string
  readonly port: number
  readonly db: Database
  /** Whether the fetched nets are on this machine; the built-in ones are used otherwise. */
  readonly standard: boolean
  /** Tries that are left, as the page's server counts them. */
  readonly state: { caller: LivenessCaller; template: readonly number[]; attempts: number }
  logged(): string
  /** Opens the page before a camera, ready to begin. */
  open(browser: Browser, mode: CameraMode, visit?: CameraVisit): Promise<Watched>
  /** A whole check, from the button to its end. */
  attempt(browser: Browser, mode: CameraMode, visit?: CameraVisit): Promise<CameraAttempt>
  close(): Promise<void>
}

export interface CameraAttempt extends Watched {
  readonly passed: boolean
  readonly advice: readonly string[]
  readonly row: { readonly verdict: LivenessVerdict; readonly frame_count: number; readonly extended: boolean } | undefined
}

/** Opens the site with the best nets that this machine has; `publicUrl` where browsers come by another door. */
export async function openCameraSite({ publicUrl }: { publicUrl?: string } = {}): Promise<CameraSite> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-camera-'))
  cpSync(VIEWS, folder, { recursive: true })
  writeFileSync(path.join(folder, 'camera-page.eta'), PAGE)
  const modelsDir = standardModelsDir() ?? path.join(folder, 'models')
  const { models } = await chooseFaceModels('auto', modelsDir)
  const faces = createFaces({ modelsDir, models, workers: 1, maxQueue: 20 })
  const [one, two, db] = await Promise.all([
    loadFaceViews(SAMPLE_FACES.one),
    loadFaceViews(SAMPLE_FACES.two),
    openPgliteTestDatabase(),
    faces.ready(),
  ])
  const people: Record<Who, FaceViews> = { one, two }
  const template = (await faces.observe(await one.jpeg({ yawDegrees: 0, moment: 77 }))).faces[0]?.descriptor ?? []
  const state = { caller: callerOf(), template, attempts: 3 }
  const clock = pacedClock()
  const site = await startCameraPages({ faces, db, state, folder, publicUrl, clock })
  const url = publicUrl ?? site.url

  async function open(
    browser: Browser,
    mode: CameraMode,
    { who = 'one', context = PHONE, script, options = {}, slowMotion = false, onOpen }: CameraVisit = {},
  ) {
    clock.setPace(slowMotion ? SLOW_MOTION : 1)
    Object.assign(state, { caller: callerOf(), attempts: 3 })
    const watched = await openProfile(browser, context)
    const { page } = watched
    onOpen?.(page)
    if (slowMotion) await page.addInitScript(slowDown, SLOW_MOTION)
    await page.addInitScript(
      script ?? (await browserCameraScript({ mode, views: people[who], other: people[who === 'one' ? 'two' : 'one'] })),
    )
    await page.goto(`${url}/camera`)
    await page.waitForSelector('[data-face-check][data-ready]')
    if (options.noFlash) await page.check('[name=no-flash]')
    if (options.slow !== undefined) await page.setChecked('[name=slow]', options.slow)
    return watched
  }

  return {
    url,
    port: Number(new URL(site.url).port),
    db,
    standard: models.set === 'standard',
    state,
    logged: site.logged,
    open,
    async attempt(browser, mode, visit) {
      const watched = await open(browser, mode, visit)
      const { page } = watched
      await page.click('[data-face-start]')
      const passed = await Promise.any([
        page.waitForURL('**/passou', LONGEST).then(() => true),
        page.waitForSelector('[data-result]:not([data-result=passed]) [data-face-wrong]', LONGEST).then(() => false),
      ])
      const advice = passed ? [] : await page.locator('[data-face-wrong] li').allTextContents()
      const [row] = await db.query<NonNullable<CameraAttempt['row']>>(
        'SELECT verdict, frame_count, extended FROM liveness_session WHERE account_id = $1',
        [state.caller.accountId],
      )
      assert.doesNotMatch(advice.join(), /Algo deu errado/, site.logged().slice(-2000))
      return { ...watched, passed, advice, row }
    },
    async close() {
      await site.stop()
      await Promise.all([faces.close(), db.close()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs in the page, before its own scripts. */
function slowDown(pace: number): void {
  const [now, later] = [performance.now.bind(performance), setTimeout]
  const again = setInterval
  performance.now = () => now() / pace
  Object.assign(globalThis, {
    setTimeout: (work: () => void, milliseconds = 0, ...rest: []) => later(work, milliseconds * pace, ...rest),
    setInterval: (work: () => void, milliseconds = 0, ...rest: []) => again(work, milliseconds * pace, ...rest),
  })
}

const callerOf = (): LivenessCaller => ({ accountId: randomUUID(), bindingHash: 'b', purpose: 'p' })

interface CameraPages {
  readonly faces: Faces
  readonly db: Database
  readonly state: CameraSite['state']
  readonly folder: string
  readonly publicUrl: string | undefined
  readonly clock: Clock
}

async function startCameraPages({ faces, db, state, folder, publicUrl, clock }: CameraPages): Promise<TestSite> {
  const key = randomBytes(32)
  const liveness = createLiveness({
    db,
    clock,
    keyring: { seal: (plain, context) => sealWith(key, plain, context), open: (sealed, context) => openWith(key, sealed, context) },
    engine: faces,
    people: {
      findReference: async (_, modelId) => ({ modelId, template: state.template, inPerson: false }),
      claimAttempt: async () => {
        state.attempts -= 1
      },
      attemptsLeft: async () => state.attempts,
    },
  })
  const open = async () => ({
    caller: state.caller,
    prepare: async () => ({ occasion: { boundDevice: false, attended: false }, settle: async () => {} }),
    conclude: async () => '/passou',
  })
  const messages = loadMessages({ folder: `${VIEWS}/messages`, strict: true })
  return startSite(
    (http) => {
      const pages = new Router()
      pages.get(
        '/camera',
        guard({}, (ctx) => http.views.render(ctx, 'camera-page')),
      )
      pages.get(
        '/passou',
        guard({}, (ctx) => {
          ctx.body = 'passou'
        }),
      )
      return [pages.routes(), createFaceCheckRoutes({ liveness, messages, base: '/rosto', open }).routes()]
    },
    { viewsFolder: folder, ...(publicUrl && { publicUrl }) },
  )
}
