// The camera at the counter: says what to change while it looks, and takes shots. The server judges both.
const root = document.querySelector('[data-counter-camera]')
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''
const video = root.querySelector('video')
const button = root.querySelector('[data-take]')
const say = root.querySelector('[data-say]')
const progress = root.querySelector('[data-progress]')
const { page, failed, ready, kept, done, cameraRefused } = root.dataset
const least = Number(root.dataset.least)
let shots = Number(root.dataset.shots)
let isTaking = false

async function send(path, blob) {
  const response = await fetch(`${page}/${path}`, {
    method: 'POST',
    body: blob,
    redirect: 'manual',
    headers: { 'Content-Type': 'image/jpeg', 'X-CSRF-Token': token, Accept: 'application/json' },
  })
  // The sign-in is over, or the case is somebody else's by now: the page says which.
  if (response.type === 'opaqueredirect' || response.status === 409) return location.reload()
  return response.json()
}

/** Longest side of what guides, and of what is kept. */
const FRAME = 640
const SHOT = 1600
const scaleTo = (longest) => Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight))
const widthOf = (longest) => Math.round(video.videoWidth * scaleTo(longest))

function still(longest, quality) {
  const canvas = Object.assign(document.createElement('canvas'), {
    width: widthOf(longest),
    height: Math.round(video.videoHeight * scaleTo(longest)),
  })
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))
}

function tell(text) {
  if (say.textContent !== text) say.textContent = text
}

function show() {
  progress.value = Math.min(100, (100 * shots) / least)
  root.dataset.shots = String(shots)
  root.querySelector('[data-shots-left]').hidden = shots >= least
  document.querySelector('[data-enough]').hidden = shots < least
}

// One question at a time: the next frame goes when the last one was answered, up to seven a second.
const EVERY_MS = 150
async function guide() {
  while (video.srcObject) {
    const begun = performance.now()
    if (!isTaking && !document.hidden) {
      try {
        const { reasons = [] } = (await send(`quadro?largura=${widthOf(SHOT)}`, await still(FRAME, 0.85))) ?? {}
        if (!isTaking) tell(reasons[0] ?? ready)
      } catch {
        tell(failed)
      }
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(20, EVERY_MS - (performance.now() - begun))))
  }
}

button.addEventListener('click', async () => {
  isTaking = true
  button.disabled = true
  try {
    const answer = await send('foto', await still(SHOT, 0.95))
    const reasons = answer?.reasons ?? [failed]
    shots = answer?.shots ?? shots
    tell(reasons.length > 0 ? reasons.join(' ') : shots >= least ? done : kept)
    show()
  } catch {
    tell(failed)
  }
  button.disabled = false
  // Time to read what was wrong before the guidance speaks again.
  setTimeout(() => {
    isTaking = false
  }, 2500)
})

show()
try {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 }, height: { ideal: 1080 } } })
  await video.play()
  button.disabled = false
  guide()
} catch {
  root.querySelector('.camera-stage').hidden = true
  tell(cameraRefused)
}
