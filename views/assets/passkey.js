// Passkeys (WebAuthn). The form stays hidden where the browser has none; everything works without it.
// data-passkey: address that answers the options of a sign-in; data-passkey-new: of a new passkey.
const token = document.querySelector('meta[name=csrf-token]')?.content ?? ''

async function options(address) {
  const response = await fetch(address, { method: 'POST', headers: { 'X-CSRF-Token': token, Accept: 'application/json' } })
  if (!response.ok) throw new Error(`options: ${response.status}`)
  return response.json()
}

async function ceremony({ passkey, passkeyNew }) {
  if (passkeyNew) return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(await options(passkeyNew)) })
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(await options(passkey)) })
}

for (const form of document.querySelectorAll('[data-passkey], [data-passkey-new]')) {
  const says = form.querySelector('[data-passkey-says]')
  form.hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const button = event.submitter
    const label = button?.dataset.label
    says.hidden = true
    try {
      form.elements.credential.value = JSON.stringify(await ceremony(form.dataset))
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
