// Reads a text aloud by the browser's own voice; the button stays hidden where there is none.
for (const button of document.querySelectorAll('[data-speak]')) {
  if (!('speechSynthesis' in window)) continue
  button.hidden = false
  button.addEventListener('click', () => {
    if (speechSynthesis.speaking) return speechSynthesis.cancel()
    const text = document.querySelector(button.dataset.speak)?.innerText ?? ''
    speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(text), { lang: document.documentElement.lang }))
  })
}
