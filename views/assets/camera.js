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

// Pictures, the best first; the next one down when a picture takes the link too long. The last still shows a face of 120 pixels in the oval.
const PICTURES = [
  { side: 480, quality: 0.7 },
  { side: 480, quality: 0.5 },
  { side: 360, quality: 0.45 },
]
const UPLOAD_MS = 250
const EVERY_MS = 250
const FIRST_AFTER_MS = 300
// A colour has to reach the camera: its exposure follows within this time.
const COLOUR_MS = 300
const HINT_MS = 1200
const SPEAK_MS = 3000
// Where many pictures are wanted, or the link is slow: so that it is busy while answers are on their way.
const IN_FLIGHT = 2
const SLOW_ANSWER_MS = 250
const WARN_MS = 25_000
const RETRIES_MS = [500, 1000, 2000, 4000, 4000]

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
// What is shown changes faster than anyone can listen to, so it is spoken apart: what is asked interrupts, advice waits its turn.
const line = find('say')
line.removeAttribute('role')
line.removeAttribute('aria-live')
line.setAttribute('aria-hidden', 'true')
const [asked, advised] = ['assertive', 'polite'].map((live) => {
  const voice = frame.appendChild(Object.assign(document.createElement('p'), { className: 'hidden' }))
  voice.setAttribute('aria-live', live)
  return voice
})

function speak(text, urgent) {
  advised.textContent = urgent ? '' : text
  if (urgent) asked.textContent = text
  speakAfter = performance.now() + SPEAK_MS
}

let check // the check that runs now: { id, key, since, sequence, ended, link }
let hintUntil = 0
let speakAfter = 0
let speaking

/** Shows a text at once and has it spoken by a screen reader: what is asked at once, advice not oftener than one can listen to. */
function say(text, state, { urgent = true } = {}) {
  if (text && line.textContent !== text) {
    line.textContent = text
    clearTimeout(speaking)
    speaking = setTimeout(speak, urgent ? 0 : Math.max(0, speakAfter - performance.now()), text, urgent)
  }
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

/** A JPEG of what the camera shows, as large as the link carries. */
async function takePicture() {
  const { side, quality } = PICTURES[check.link.picture]
  const scale = Math.min(1, side / Math.min(video.videoWidth, video.videoHeight))
  canvas.width = Math.round(video.videoWidth * scale)
  canvas.height = Math.round(video.videoHeight * scale)
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height)
  const capturedAt = performance.now() - check.since
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))
  return { bytes: new Uint8Array(await blob.arrayBuffer()), capturedAt }
}

async function sign(sequence, bytes) {
  const message = new Uint8Array(36)
  new DataView(message.buffer).setUint32(0, sequence)
  message.set(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), 4)
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', check.key, message))
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Takes a picture now; answers what sends it. A lost one is not sent again, the next one takes its place. */
async function preparePicture(step) {
  const { bytes, capturedAt } = await takePicture()
  check.sequence += 1
  const headers = {
    'Content-Type': 'image/jpeg',
    'X-Step': step.index,
    'X-Sequence': check.sequence,
    'X-Captured-At': Math.round(capturedAt),
    'X-Signature': await sign(check.sequence, bytes),
  }
  return (alone) => timed(bytes.length, alone, () => call('POST', `/sessao/${check.id}/quadro`, { headers, body: bytes }))
}

/** Learns from a picture that travelled alone how long one of its size is under way, beyond the answer's own time. */
async function timed(size, alone, send) {
  const { link } = check
  const sentAt = performance.now()
  const answer = await send()
  if (!alone) return answer
  link.uploadMs = Math.max(0, performance.now() - sentAt - link.answerMs)
  if (link.uploadMs > UPLOAD_MS && link.picture < link.smallest) {
    link.picture += 1
    link.uploadMs /= 1.5
  }
  return answer
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

function enlarge(link) {
  link.smallest = Math.max(0, link.picture - 1)
  link.picture = link.smallest
}

function report({ step, progress, remainingMs, canExtend, hint, accepted }) {
  find('progress').value = Math.round(progress * 100)
  find('face-more-time').hidden = !(canExtend && remainingMs < WARN_MS)
  if (performance.now() <= hintUntil) return
  if (hint) {
    // Too small to see at this size: a larger picture may do before the person has to move.
    if (hint.code === 'face/too-far') enlarge(check.link)
    say(hint.text, 'bad', { urgent: false })
    hintUntil = performance.now() + HINT_MS
  } else if (accepted && step) say(texts[step.kind], 'good', { urgent: false })
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

/** Whether pictures of this step may follow each other before the first is answered. */
const overlaps = ({ kind, index, total }) => check.link.slow || kind !== 'flash' || index === total - 1

/** How long after the step was shown its first picture is due. The server counts from the moment when it told the step. */
function firstAfter({ kind, holdMs }) {
  if (kind !== 'flash') return FIRST_AFTER_MS
  return Math.max(COLOUR_MS, holdMs - check.link.answerMs - check.link.uploadMs)
}

/** Shows what is asked and sends pictures until every step is done or the check is over. */
async function follow(answer) {
  let newest = answer
  let [shown, shownAt, takenAt, trouble] = ['', 0, 0]
  const flying = new Set()

  const isNewer = ({ step, state }) => state !== 'going' || newest.state !== 'going' || (step?.index ?? 0) >= (newest.step?.index ?? 0)
  function send(step, picture) {
    const flight = picture(flying.size === 0)
      .then((got) => {
        if (isNewer(got)) newest = got
      })
      .catch((refusal) => {
        // Of pictures under way together some come too late or out of turn: only a step that still stands has a trouble.
        const stands = newest.state === 'going' && newest.step?.index === step.index
        if (stands && !(refusal.code === 'bad-sequence' && flying.size > 1)) trouble = refusal
      })
      .finally(() => flying.delete(flight))
    flying.add(flight)
  }

  while (newest.state === 'going' && !check.ended) {
    if (trouble) {
      const refusal = trouble
      await Promise.all(flying)
      trouble = undefined
      newest = (await recover(refusal)) ?? { ...newest, accepted: false, hint: undefined }
      continue
    }
    const { step } = newest
    const key = JSON.stringify(step)
    if (key !== shown) {
      shown = key
      show(step)
      // Two paints: the colour is on the glass, and only then does its time begin.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      shownAt = performance.now()
    }
    report(newest)
    if (flying.size >= (overlaps(step) ? IN_FLIGHT : 1)) {
      await Promise.race(flying)
      continue
    }
    const due = Math.max(shownAt + firstAfter(step), takenAt + EVERY_MS)
    if (due > performance.now()) {
      await Promise.race([sleep(due - performance.now()), ...flying])
      if (due > performance.now()) continue
    }
    await visible()
    if (check.ended) break
    takenAt = performance.now()
    send(step, await preparePicture(step))
  }
  return newest
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
  const askedAt = performance.now()
  const started = await persist(() => call('POST', '/sessao', { headers, body }))
  const nonce = Uint8Array.from(started.nonce.match(/../g), (pair) => Number.parseInt(pair, 16))
  const key = await crypto.subtle.importKey('raw', nonce, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const smallest = PICTURES.length - 1
  const slow = option('slow')
  const link = { answerMs: performance.now() - askedAt, uploadMs: 0, picture: slow ? smallest : 0, smallest, slow }
  check = { id: started.id, key, since: performance.now(), sequence: 0, ended: false, link }
  await follow(started.first)
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
// How long this page's own files were waited for says it in every browser; what the browser knows of the link, in some.
const waits = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter(({ requestStart, transferSize }) => requestStart > 0 && transferSize > 0)
  .map(({ requestStart, responseStart }) => responseStart - requestStart)
const { saveData, effectiveType = '' } = navigator.connection ?? {}
const isFar = waits.length > 0 && Math.min(...waits) > SLOW_ANSWER_MS
if (slow && (saveData || /2g|3g/.test(effectiveType) || isFar)) slow.checked = true
root.dataset.ready = ''
