// The screen of calls: asks every few seconds and changes only what is new, so that a reader says each call once.
const panel = document.getElementById('panel')
const EVERY_MS = 3000
const put = (selector, text) => {
  const place = panel.querySelector(selector)
  if (place.textContent !== text) place.textContent = text
}
const deskText = (desk) => panel.dataset.desk.replace('#', desk)
let last

function show({ calls, waiting }) {
  const [now, ...before] = calls
  put('.panel-word', now ? panel.dataset.number : panel.dataset.nobody)
  put('.panel-number', now?.label ?? '')
  put('.panel-desk', now ? deskText(now.desk) : '')
  put('.panel-waiting', panel.dataset.waiting.replace('#', waiting))
  panel.querySelector('.panel-before').replaceChildren(
    ...before.map(({ label, desk }) => {
      const [item, strong, span] = ['li', 'strong', 'span'].map((name) => document.createElement(name))
      strong.textContent = label
      span.textContent = deskText(desk)
      item.append(strong, ' ', span)
      return item
    }),
  )
  const call = now && `${now.label} ${now.at} ${now.calls}`
  const box = panel.querySelector('.panel-now')
  // The same number again: emptied and filled anew, or a screen reader would keep silent.
  if (last !== undefined && call !== last && now) {
    box.classList.remove('is-new')
    box.replaceChildren(...[...box.children].map((child) => child.cloneNode(true)))
    requestAnimationFrame(() => box.classList.add('is-new'))
  }
  last = call ?? ''
}

async function ask() {
  try {
    const answer = await fetch(panel.dataset.src, { headers: { Accept: 'application/json' } })
    if (answer.ok) show(await answer.json())
  } catch {
    // The net is away: what was called last stays on the screen.
  }
  setTimeout(ask, EVERY_MS)
}
ask()
