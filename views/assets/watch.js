// Reads the page again as soon as what it shows has changed on the server; without this script a link does.
const watched = document.querySelector('[data-watch]')
const { watch, state, page } = watched?.dataset ?? {}
const EVERY_MS = 1500
// What a form of this page did changes what is watched too: its answer, which may be shown once, comes by itself.
let isLeaving = false
document.addEventListener('submit', () => {
  isLeaving = true
})

async function ask() {
  try {
    const answer = document.hidden ? undefined : await fetch(watch, { headers: { Accept: 'application/json' }, redirect: 'manual' })
    if (isLeaving) return
    // The sign-in is over, or there is nothing to see any more: the page says which.
    if (answer?.type === 'opaqueredirect' || answer?.status === 403 || answer?.status === 404) return location.assign(page.split('?')[0])
    const now = answer?.ok ? (await answer.json()).state : state
    if (now !== state) return location.assign(page.replace('#state', now))
  } catch {
    // The net is away: what was shown last stays.
  }
  setTimeout(ask, EVERY_MS)
}
if (watched) setTimeout(ask, EVERY_MS)
