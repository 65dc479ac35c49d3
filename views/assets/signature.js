// A signature by finger, pen or mouse; sent as a picture. Without this script, or a pointer, a file does.
const root = document.querySelector('[data-signature]')
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''
const canvas = root.querySelector('canvas')
const context = canvas.getContext('2d')
const save = root.querySelector('[data-save]')
let isDrawing = false

function clear() {
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  Object.assign(context, { strokeStyle: '#111', lineWidth: 5, lineCap: 'round', lineJoin: 'round' })
  save.disabled = true
}

function at(event) {
  const box = canvas.getBoundingClientRect()
  return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height]
}

canvas.addEventListener('pointerdown', (event) => {
  isDrawing = true
  canvas.setPointerCapture(event.pointerId)
  context.beginPath()
  context.moveTo(...at(event))
})
canvas.addEventListener('pointermove', (event) => {
  if (!isDrawing) return
  context.lineTo(...at(event))
  context.stroke()
  save.disabled = false
})
for (const end of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(end, () => {
    isDrawing = false
  })
}
root.querySelector('[data-clear]').addEventListener('click', clear)
save.addEventListener('click', async () => {
  save.disabled = true
  const body = new FormData()
  body.append('_csrf', token)
  body.append('kind', 'signature')
  body.append('file', await new Promise((resolve) => canvas.toBlob(resolve, 'image/png')), 'assinatura.png')
  const response = await fetch(root.dataset.signature, { method: 'POST', body })
  if (response.ok) location.assign(response.url)
  else root.querySelector('[data-failed]').hidden = false
})
clear()
