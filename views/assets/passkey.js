// Passkeys (WebAuthn). The form stays hidden where the browser has none; everything works without it.
// data-passkey: address that answers { id, options } of a sign-in; data-passkey-new: of a new passkey.
// The form has hidden fields `ceremony` and `credential`, and [data-passkey-says] for what went wrong.
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''

async function start(address) {
  const response = await fetch(address, { method: 'POST', redirect: 'manual', headers: { 'X-CSRF-Token': token, Accept: 'application/json' } })
  // The sign-in is too old by now: the page leads to a new one and back.
  if (response.type === 'opaqueredirect') location.reload()
  if (!response.ok) throw new Error(`ceremony: ${response.status}`)
  return response.json()
}

async function ceremony({ elements, dataset: { passkey, passkeyNew } }) {
  const { id, options } = await start(passkeyNew ?? passkey)
  elements.ceremony.value = id
  if (passkeyNew) return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
}

// Passkeys belong to a name; a site that is called by a bare address can have none.
const isAddress = /^[\d.]+$|^\[/.test(location.hostname)

for (const form of document.querySelectorAll('[data-passkey], [data-passkey-new]')) {
  const says = form.querySelector('[data-passkey-says]')
  form.hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON || isAddress
  const none = document.querySelector('[data-passkey-none]')
  if (none) none.hidden = !form.hidden
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const button = event.submitter
    const label = button?.dataset.label
    says.hidden = true
    try {
      form.elements.credential.value = JSON.stringify(await ceremony(form))
      form.submit()
    } catch {
      delete form.dataset.sent
      if (button && label) {
        button.innerHTML = label
        button.removeAttribute('aria-disabled')
      }
      says.textContent = form.dataset.passkeyFailed
      says.hidden = false
    }
  })
}
