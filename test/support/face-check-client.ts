import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Liveness, LivenessCaller, Started } from '../../src/biometrics/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import type { BrowserClient, Page } from './browser-client.ts'
import { withDrawnChallenge } from './challenges.ts'
import type { FixedClock } from './clock.ts'
import { type Capture, driveSession, willingYaw } from './reactive-camera/browser-driver.ts'
import { createSimulatedCamera, type Persona } from './reactive-camera/simulated-person.ts'
import type { Scene } from './sign-in-scene.ts'

const NOBODY: LivenessCaller = { accountId: '', bindingHash: '', purpose: '' }
let days = 0

export interface FaceCheckOutcome {
  readonly passed: boolean
  readonly reasons: readonly { code: string; text: string }[]
  readonly attemptsLeft: number
  readonly next: string
}

/** The camera page's endpoints, as a script of that page would call them; a refusal is a Problem with the server's code. */
export interface FaceEndpoints {
  call(
    method: 'GET' | 'POST',
    path: string,
    init?: { json?: unknown; body?: Uint8Array<ArrayBuffer>; headers?: Record<string, string> },
  ): Promise<Response>
  read<T>(response: Promise<Response>): Promise<T>
}

export function faceEndpoints(browser: BrowserClient, page: Page): FaceEndpoints {
  const base = /data-face-check="([^"]+)"/.exec(page.html)?.[1]
  const token = /name="csrf-token" content="([^"]+)"/.exec(page.html)?.[1]
  assert.ok(base !== undefined && token !== undefined, `no camera on ${page.url.pathname}: ${page.text.slice(0, 300)}`)
  return {
    call: (method, path, { json, body, headers = {} } = {}) =>
      browser.fetch(new URL(base + path, page.url), {
        method,
        headers: {
          Accept: 'application/json',
          'X-CSRF-Token': token,
          ...(json !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined ? { body: JSON.stringify(json) } : body && { body }),
      }),
    async read<T>(response: Promise<Response>): Promise<T> {
      const answer = await response
      const data = answer.status === 204 ? {} : await answer.json()
      if (answer.ok) return data
      const code = String(data.type).split('/').slice(-2).join('/') as `${string}/${string}`
      throw new Problem({ code, status: answer.status, title: String(data.title) })
    },
  }
}

/** Shows a simulated person to the camera page, from its start to the answer of `fim`. */
export async function showFace(
  scene: Pick<Scene, 'see' | 'clock'>,
  browser: BrowserClient,
  page: Page,
  persona: Partial<Persona> = {},
): Promise<FaceCheckOutcome> {
  const { call, read } = faceEndpoints(browser, page)
  const started = await read<Started>(call('POST', '/sessao', { json: { flashes: true, slowLink: false } }))
  await play(scene, { call, read }, { ...started, expiresAt: new Date(started.expiresAt) }, persona)
  return read<FaceCheckOutcome>(call('POST', `/sessao/${started.id}/fim`))
}

/** Plays the frames of a session that was started. */
export async function play(scene: Pick<Scene, 'see' | 'clock'>, { call, read }: FaceEndpoints, started: Started, persona: Partial<Persona>) {
  days += 1
  const camera = createSimulatedCamera({ seed: 1, day: days, padScore: 0.8, ...persona })
  const capture = (view: Parameters<typeof camera>[0]): Buffer => {
    const picture = tinyJpeg()
    scene.see(picture, camera(view))
    return picture
  }
  return driveSession({ liveness: livenessOver({ call, read }), clock: scene.clock, caller: NOBODY, capture, yawFor: willingYaw }, started)
}

/** Shows a face that a real camera could have seen (`capture`) to the camera page of a whole server. */
export async function showPictures(
  browser: BrowserClient,
  page: Page,
  camera: { clock: FixedClock; capture: Capture },
): Promise<FaceCheckOutcome> {
  const id = await playPictures(browser, page, camera)
  const { call, read } = faceEndpoints(browser, page)
  const answer = await call('POST', `/sessao/${id}/fim`)
  return answer.status === 409
    ? read<FaceCheckOutcome>(call('GET', `/sessao/${id}/resultado`))
    : read<FaceCheckOutcome>(Promise.resolve(answer))
}

/**
 * The same without the end: answers the check's id, every step shown.
 *
 * Neither chance nor the machine's speed decides: a server in this process asks what a seed drew, and its time passes by the frames alone.
 */
export function playPictures(browser: BrowserClient, page: Page, camera: { clock: FixedClock; capture: Capture }): Promise<string> {
  return camera.clock.stand(() => withDrawnChallenge(() => showSteps(browser, page, camera)))
}

async function showSteps(browser: BrowserClient, page: Page, camera: { clock: FixedClock; capture: Capture }): Promise<string> {
  const { call, read } = faceEndpoints(browser, page)
  const started = await read<Started>(call('POST', '/sessao', { json: { flashes: true, slowLink: false } }))
  const dated = { ...started, expiresAt: new Date(started.expiresAt) }
  const { problem } = await driveSession({ liveness: livenessOver({ call, read }), caller: NOBODY, yawFor: willingYaw, ...camera }, dated)
  if (problem) throw problem
  return started.id
}

/** The endpoints in the shape that the driver of the liveness tests knows. */
function livenessOver({ call, read }: FaceEndpoints): Liveness {
  const liveness: Pick<Liveness, 'next' | 'addFrame'> = {
    next: (_caller, id, after) => read(call('GET', `/sessao/${id}/passo?depois=${after}`)),
    addFrame: (_caller, id, { step, sequence, capturedMs, signature, jpeg }) =>
      read(
        call('POST', `/sessao/${id}/quadro`, {
          body: new Uint8Array(jpeg),
          headers: {
            'Content-Type': 'image/jpeg',
            'X-Step': String(step),
            'X-Sequence': String(sequence),
            'X-Captured-At': String(Math.round(capturedMs)),
            'X-Signature': signature,
          },
        }),
      ),
  }
  // The driver calls these two only.
  return liveness as Liveness
}

/** The header of a 640×480 JPEG with random insides: what it shows is what the scene says. */
export function tinyJpeg(): Buffer {
  const frame = [0xff, 0xc0, 0, 17, 8, 480 >> 8, 480 & 255, 640 >> 8, 640 & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]
  const body = Buffer.from(randomBytes(64).map((byte) => (byte === 0xff ? 1 : byte)))
  return Buffer.concat([Buffer.from([0xff, 0xd8, ...frame, ...scan]), body, Buffer.from([0xff, 0xd9])])
}
