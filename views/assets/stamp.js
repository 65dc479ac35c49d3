// Where the stamp goes, by a finger or a mouse. The nine places above do the same for the keyboard, and without this file.
const stage = document.querySelector('[data-stamp]')
const box = stage?.querySelector('[data-stamp-box]')
const page = box?.parentElement
const form = stage?.closest('form')

if (stage && box && page && form) {
  const fields = { x: form.elements.namedItem('x'), y: form.elements.namedItem('y') }
  const places = [...form.querySelectorAll('input[name="lugar"]')]
  const clamp = (value) => Math.min(1, Math.max(0, value))
  const room = () => ({ width: page.clientWidth - box.offsetWidth, height: page.clientHeight - box.offsetHeight })
  const show = (left, top) => {
    const free = room()
    box.style.left = `${left * free.width}px`
    box.style.top = `${top * free.height}px`
  }
  const current = () => {
    const chosen = places.find((place) => place.checked)?.value ?? '1 1'
    const [left, top] = chosen.split(' ').map(Number)
    return fields.x.value === '' ? [left, top] : [Number(fields.x.value), Number(fields.y.value)]
  }
  const redraw = () => show(...current())

  stage.hidden = false
  new ResizeObserver(redraw).observe(page)
  for (const place of places) {
    place.addEventListener('change', () => {
      fields.x.value = ''
      fields.y.value = ''
      redraw()
    })
  }
  box.addEventListener('pointerdown', (start) => {
    const begin = { x: start.clientX - box.offsetLeft, y: start.clientY - box.offsetTop }
    box.setPointerCapture(start.pointerId)
    const move = (event) => {
      const free = room()
      const [left, top] = [clamp((event.clientX - begin.x) / free.width), clamp((event.clientY - begin.y) / free.height)]
      fields.x.value = left.toFixed(3)
      fields.y.value = top.toFixed(3)
      show(left, top)
    }
    box.addEventListener('pointermove', move)
    box.addEventListener('pointerup', () => box.removeEventListener('pointermove', move), { once: true })
  })
}
