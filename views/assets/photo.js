// Takes one photo with the camera, or from a file, and sends it. The server judges it.
const root = document.querySelector('[data-photo]')
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''
const find = (name) => root.querySelector(`[data-${name}]`)
const video = root.querySelector('video')
const button = find('photo-take')
const say = (text) => {
  find('say').textContent = text
}

async function send(blob) {
  const wrong = find('photo-wrong')
  wrong.hidden = true
  button.disabled = true
  say(root.dataset.sending)
  try {
    const response = await fetch(root.dataset.photo, {
      method: 'POST',
      body: blob,
      headers: { 'Content-Type': blob.type, 'X-CSRF-Token': token, Accept: 'application/json' },
    })
    const { stored, reasons = [root.dataset.failed] } = await response.json()
    if (stored) return done()
    wrong.querySelector('ul').replaceChildren(...reasons.map((text) => Object.assign(document.createElement('li'), { textContent: text })))
    wrong.hidden = false
    say('')
  } catch {
    say(root.dataset.failed)
  }
  button.disabled = !video.srcObject
}

function done() {
  video.srcObject?.getTracks().forEach((track) => track.stop())
  root.hidden = true
  document.querySelector('[data-photo-done]').hidden = false
}

function still() {
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight })
  canvas.getContext('2d').drawImage(video, 0, 0)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9))
}

button.addEventListener('click', async () => send(await still()))
find('photo-file').addEventListener('change', ({ target }) => target.files[0] && send(target.files[0]))

try {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: 1280, height: 960 } })
  await video.play()
  say(root.dataset.look)
  button.disabled = false
} catch {
  say(root.dataset.cameraRefused)
}
