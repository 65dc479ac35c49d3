// The face check's camera: shows what the server asks for, takes pictures, sends them. It judges nothing.
// Page: views/partials/face-check.eta. Requests: the head of src/biometrics/liveness/session.ts.
const root = document.querySelector('[data-face-check]')
const base = root.dataset.faceCheck
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''
const find = (name) => root.querySelector(`[data-${name}]`)
const texts = JSON.parse(find('face-texts').textContent)
const frame = root.querySelector('.camera')
const video = root.querySelector('video')
const canvas = document.createElement('canvas')
// The coloured screen lies over the page but under the check and what follows it, so that the way out stays in reach.
const screen = document.body.appendChild(document.createElement('div'))
Object.assign(screen.style, { position: 'fixed', inset: '0', zIndex: '50', display: 'none', transition: 'none' })
const above = [...root.parentElement.children].slice([...root.parentElement.children].indexOf(root))

const FRAME_SHORT_SIDE = 480
const QUALITY = 0.7
const EVERY_MS = 250
const FIRST_AFTER_MS = 300
const HINT_MS = 1200
const WARN_MS = 25_000
const RETRIES_MS = [500, 1000, 2000, 4000, 4000]

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
let check // the check that runs now: { id, nonce, since, sequence, ended }
let hintUntil = 0

function say(text, state) {
  const line = find('say')
  if (text && line.textContent !== text) line.textContent = text
  if (state) frame.dataset.state = state
}

/** A refusal of the server, by the last part of its type; `0` when there was no answer at all. */
class Refusal extends Error {
  constructor(status, code, retryAfter) {
    super(code)
    Object.assign(this, { status, code, retryAfter })
  }
}

async function call(method, path, { headers = {}, body, ...rest } = {}) {
  let response
  try {
    const all = { Accept: 'application/json', 'X-CSRF-Token': token, ...headers }
    response = await fetch(base + path, { method, headers: all, body, cache: 'no-store', signal: AbortSignal.timeout?.(20_000), ...rest })
  } catch {
    throw new Refusal(0, 'network')
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}))
  if (response.ok) return answer
  throw new Refusal(
    response.status,
    String(answer.type ?? '')
      .split('/')
      .pop(),
    Number(response.headers.get('Retry-After')),
  )
}

/** The same, again and again while the network is down or the server is full. */
async function persist(work) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work()
    } catch (refusal) {
      const passing = refusal.status === 0 || refusal.status === 502 || refusal.status === 503
      if (!passing || tries >= RETRIES_MS.length || check?.ended) throw refusal
      say(texts.network, 'bad')
      await sleep(Math.max(RETRIES_MS[tries], Math.min(8, refusal.retryAfter || 0) * 1000))
    }
  }
}

async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia || !crypto.subtle) throw new Refusal(-1, 'missing')
  try {
    const wanted = { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } }
    video.srcObject = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted })
    await video.play()
  } catch ({ name }) {
    const reasons = { NotAllowedError: 'denied', SecurityError: 'denied', NotReadableError: 'busy', AbortError: 'busy' }
    throw new Refusal(-1, reasons[name] ?? 'missing')
  }
}

function closeCamera() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop()
  video.srcObject = null
  shine('')
}

/** Fills the screen with a colour; texts keep a ground of their own, to be read on any. */
function shine(colour) {
  Object.assign(screen.style, { display: colour ? 'block' : 'none', backgroundColor: colour })
  for (const part of above) Object.assign(part.style, colour ? { position: 'relative', zIndex: '51' } : { position: '', zIndex: '' })
  for (const part of [find('say'), ...above.slice(1)]) part.style.background = colour ? 'var(--surface)' : ''
}

/** A JPEG of what the camera shows, its short side 480 pixels. */
async function takePicture() {
  const scale = Math.min(1, FRAME_SHORT_SIDE / Math.min(video.videoWidth, video.videoHeight))
  canvas.width = Math.round(video.videoWidth * scale)
  canvas.height = Math.round(video.videoHeight * scale)
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height)
  const capturedAt = performance.now() - check.since
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  return { bytes: new Uint8Array(await blob.arrayBuffer()), capturedAt }
}

async function sign(sequence, bytes) {
  const message = new Uint8Array(36)
  new DataView(message.buffer).setUint32(0, sequence)
  message.set(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), 4)
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', check.key, message))
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Takes and sends one picture; a lost one is not sent again, the next one takes its place. */
async function sendPicture(step) {
  const { bytes, capturedAt } = await takePicture()
  check.sequence += 1
  const headers = {
    'Content-Type': 'image/jpeg',
    'X-Step': step.index,
    'X-Sequence': check.sequence,
    'X-Captured-At': Math.round(capturedAt),
    'X-Signature': await sign(check.sequence, bytes),
  }
  return call('POST', `/sessao/${check.id}/quadro`, { headers, body: bytes })
}

const currentStep = () => call('GET', `/sessao/${check.id}/passo?depois=-1`)
const moreTime = () => call('POST', `/sessao/${check.id}/mais-tempo`)

/** Shows a step. The page's own data say what is asked, for styles and for tests. */
function show(step) {
  Object.assign(root.dataset, { step: step.kind, index: step.index, colour: step.colour ?? '' })
  shine(step.colour ?? '')
  say(texts[step.kind], 'ask')
  hintUntil = performance.now() + HINT_MS
}

function report({ progress, remainingMs, canExtend, hint, accepted }) {
  find('progress').value = Math.round(progress * 100)
  find('face-more-time').hidden = !(canExtend && remainingMs < WARN_MS)
  if (hint && performance.now() > hintUntil) {
    say(hint.text, 'bad')
    hintUntil = performance.now() + HINT_MS
  } else if (accepted && !hint) frame.dataset.state = 'good'
}

/** What to do when a picture was refused: look where the check stands, have more time, or give up. */
async function recover(refusal) {
  if (refusal.code === 'too-early') {
    await sleep(EVERY_MS)
    return undefined
  }
  if (refusal.code === 'too-late' || refusal.code === 'expired') {
    const { canExtend } = await persist(currentStep).catch(() => ({ canExtend: true }))
    if (!canExtend) return { state: 'complete' }
    say(texts['more-time'], 'bad')
    return moreTime().catch(() => ({ state: 'complete' }))
  }
  if (refusal.code === 'too-many-frames') return { state: 'complete' }
  if (refusal.status === 0 || refusal.status === 409 || refusal.status === 422 || refusal.status === 503) return persist(currentStep)
  throw refusal
}

async function visible() {
  if (!document.hidden) return
  say(texts.hidden, 'bad')
  await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
}

async function follow(answer) {
  let shown
  let shownAt = 0
  while (answer.state === 'going' && !check.ended) {
    const { step } = answer
    const key = JSON.stringify(step)
    if (key !== shown) {
      shown = key
      show(step)
      // Two paints: the colour is on the glass, and only then does its time begin.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      shownAt = performance.now()
    }
    report(answer)
    const first = step.kind === 'flash' ? step.holdMs : FIRST_AFTER_MS
    await sleep(Math.max(performance.now() - shownAt < first ? shownAt + first - performance.now() : 0, answer.accepted ? EVERY_MS : 0))
    await visible()
    if (check.ended) break
    try {
      answer = await sendPicture(step)
    } catch (refusal) {
      answer = (await recover(refusal)) ?? { ...answer, accepted: false, hint: undefined }
    }
  }
  return answer
}

async function judge() {
  say(texts.judging, 'done')
  shine('')
  find('progress').value = 100
  try {
    return await persist(() => call('POST', `/sessao/${check.id}/fim`))
  } catch (refusal) {
    if (refusal.status !== 409) throw refusal
    return persist(() => call('GET', `/sessao/${check.id}/resultado`))
  }
}

async function run() {
  const option = (name) => root.querySelector(`[name=${name}]`)?.checked ?? false
  const body = JSON.stringify({ flashes: !option('no-flash'), slowLink: option('slow') })
  say(texts.starting, 'ask')
  await openCamera()
  const headers = { 'Content-Type': 'application/json' }
  const started = await persist(() => call('POST', '/sessao', { headers, body }))
  const nonce = Uint8Array.from(started.nonce.match(/../g), (pair) => Number.parseInt(pair, 16))
  const key = await crypto.subtle.importKey('raw', nonce, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  check = { id: started.id, key, since: performance.now(), sequence: 0, ended: false }
  await follow(await persist(currentStep))
  if (!check.ended) finish(await judge())
}

function finish({ passed, reasons = [], attemptsLeft, next }) {
  check.ended = true
  closeCamera()
  root.dataset.result = passed ? 'passed' : 'refused'
  if (passed) {
    say(texts.passed, 'done')
    location.assign(next)
    return
  }
  refuse(
    reasons.map(({ text }) => text),
    attemptsLeft,
  )
}

function refuse(advice, attemptsLeft = 1) {
  const box = find('face-wrong')
  box.querySelector('ul').replaceChildren(...advice.map((text) => Object.assign(document.createElement('li'), { textContent: text })))
  find('face-left').textContent = texts.left.replace('{count}', attemptsLeft)
  find('face-again').hidden = attemptsLeft < 1
  find('face-live').hidden = true
  box.hidden = false
  box.focus()
}

async function begin() {
  find('face-form').hidden = true
  find('face-wrong').hidden = true
  find('face-live').hidden = false
  delete root.dataset.result
  try {
    await run()
  } catch (refusal) {
    if (check) check.ended = true
    closeCamera()
    if (!(refusal instanceof Refusal)) throw refusal
    root.dataset.result = refusal.code
    refuse([texts[refusal.code] ?? (refusal.status === 429 ? texts.wait : texts.failed)], refusal.status === 429 ? 0 : undefined)
  }
}

find('face-start').addEventListener('click', begin)
find('face-again').addEventListener('click', begin)
find('face-more-time').addEventListener('click', () => {
  find('face-more-time').hidden = true
  moreTime().catch(() => {})
})
addEventListener('pagehide', () => {
  if (!check || check.ended) return
  check.ended = true
  closeCamera()
  fetch(`${base}/sessao/${check.id}/cancelar`, { method: 'POST', headers: { 'X-CSRF-Token': token }, keepalive: true })
})

const noFlash = root.querySelector('[name=no-flash]')
if (noFlash && matchMedia('(prefers-reduced-motion: reduce)').matches) noFlash.checked = true
const slow = root.querySelector('[name=slow]')
if (slow && (navigator.connection?.saveData || /2g/.test(navigator.connection?.effectiveType ?? ''))) slow.checked = true
root.dataset.ready = ''
