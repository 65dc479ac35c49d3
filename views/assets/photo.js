// Takes one photo with the camera, or from a file, and sends it. The server judges it.
const root = document.querySelector('[data-photo]')
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''
const find = (name) => root.querySelector(`[data-${name}]`)
const video = root.querySelector('video')
const button = find('photo-take')
const wrong = find('photo-wrong')
const say = (text) => {
  find('say').textContent = text
}

async function send(blob) {
  wrong.hidden = true
  button.disabled = true
  say(root.dataset.sending)
  const reasons = blob.size > Number(root.dataset.maxBytes) ? [root.dataset.tooLarge] : await judged(blob)
  if (reasons.length === 0) return done()
  wrong.querySelector('ul').replaceChildren(...reasons.map((text) => Object.assign(document.createElement('li'), { textContent: text })))
  wrong.hidden = false
  say('')
  button.disabled = !video.srcObject
}

// What the server finds wrong with the picture. Its bytes say what it is, not its name.
async function judged(blob) {
  try {
    const response = await fetch(root.dataset.photo, {
      method: 'POST',
      body: blob,
      headers: { 'Content-Type': 'application/octet-stream', 'X-CSRF-Token': token, Accept: 'application/json' },
    })
    const { reasons = [root.dataset.failed] } = await response.json()
    return reasons
  } catch {
    return [root.dataset.failed]
  }
}

function done() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop()
  root.hidden = true
  document.querySelector('[data-photo-done]').hidden = false
}

function still() {
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight })
  canvas.getContext('2d').drawImage(video, 0, 0)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9))
}

button.addEventListener('click', async () => send(await still()))
find('photo-file').addEventListener('change', async ({ target }) => {
  if (target.files[0]) await send(target.files[0])
  // The same file may be chosen again.
  target.value = ''
})
find('progress').hidden = true

try {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: 1280, height: 960 } })
  await video.play()
  say(root.dataset.look)
  button.disabled = false
} catch {
  root.querySelector('.camera-stage').hidden = true
  say(root.dataset.cameraRefused)
}
