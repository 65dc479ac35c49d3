// Small comforts. Every page works without this file.
const each = (selector, use) => document.querySelectorAll(selector).forEach(use)
const digits = (text) => text.replace(/\D/g, '')

// Show what is being typed in a password field.
each('[data-show]', (button) => {
  const input = document.getElementById(button.dataset.show)
  const labels = [button.getAttribute('aria-label'), button.dataset.showOn]
  button.hidden = false
  button.addEventListener('click', () => {
    const isShown = input.type === 'password'
    input.type = isShown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(isShown))
    button.setAttribute('aria-label', labels[isShown ? 1 : 0])
  })
  input.form?.addEventListener('submit', () => {
    input.type = 'password'
  })
})

// Punctuation while typing. Only when the caret is at the end and only digits were typed: it never fights the hand.
const MASKS = {
  cpf: (d) =>
    d.length <= 11 && [d.slice(0, 3), d.slice(3, 6), d.slice(6, 9)].filter(Boolean).join('.') + (d.length > 9 ? `-${d.slice(9)}` : ''),
  date: (d) => d.length <= 8 && [d.slice(0, 2), d.slice(2, 4), d.slice(4)].filter(Boolean).join('/'),
  phone: (d) =>
    d.length <= 11 &&
    (d.length < 3
      ? d
      : `(${d.slice(0, 2)}) ${d.slice(2, d.length > 10 ? 7 : 6)}${d.length > 6 ? `-${d.slice(d.length > 10 ? 7 : 6)}` : ''}`),
}
each('[data-mask]', (input) => {
  const mask = MASKS[input.dataset.mask]
  input.addEventListener('input', (event) => {
    const isTyping = event.inputType?.startsWith('insert') && input.selectionEnd === input.value.length
    if (!isTyping || /[^\d\s./()+-]/.test(input.value) || input.value.startsWith('+')) return
    const masked = mask?.(digits(input.value))
    if (masked) input.value = masked
  })
})

// One press, one request: a second press while the answer is on its way does nothing.
each('form', (form) =>
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) return event.preventDefault()
    form.dataset.sent = '1'
    const button = event.submitter
    if (!button?.dataset.busy) return
    button.dataset.label = button.innerHTML
    button.setAttribute('aria-disabled', 'true')
    button.textContent = button.dataset.busy
  }),
)
// Coming back with the browser's arrow finds a usable form again.
addEventListener('pageshow', () =>
  each('form[data-sent]', (form) => {
    delete form.dataset.sent
    form.querySelectorAll('[data-label]').forEach((button) => {
      button.innerHTML = button.dataset.label
      button.removeAttribute('aria-disabled')
    })
  }),
)

each('[data-copy]', (button) => {
  if (!navigator.clipboard) return
  const label = button.querySelector('span')
  const before = label.textContent
  button.hidden = false
  label.setAttribute('role', 'status')
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.copy)
    const lines = [...source.querySelectorAll('li')].map((item) => item.textContent.trim())
    await navigator.clipboard.writeText(lines.length > 0 ? lines.join('\n') : source.textContent.trim())
    label.textContent = button.dataset.copied
    setTimeout(() => {
      label.textContent = before
    }, 4000)
  })
})

each('[data-print]', (button) => {
  button.hidden = false
  button.addEventListener('click', () => print())
})

// After a refused form the list of what is wrong is read first.
document.getElementById('erros')?.focus()
