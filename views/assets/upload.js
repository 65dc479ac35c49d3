// How far a large file has come. Without this file the form is sent as any other, and the browser shows it by itself.
const form = document.querySelector('form[data-upload]')
const meter = form?.querySelector('[data-upload-meter]')
const bar = meter?.querySelector('progress')
const said = meter?.querySelector('p')

if (form && meter && bar && said) {
  const sayShare = (share) => {
    bar.value = Math.round(share * 100)
    said.textContent = share < 1 ? meter.dataset.sending.replace('{share}', String(Math.round(share * 100))) : meter.dataset.reading
  }
  const again = (text) => {
    said.textContent = text
    delete form.dataset.sent
    for (const button of form.querySelectorAll('[data-label]')) {
      button.innerHTML = button.dataset.label
      button.removeAttribute('aria-disabled')
    }
  }
  const show = (request) => {
    const here = new URL(form.action)
    const to = new URL(request.responseURL || here)
    if (request.status < 400 && to.href !== here.href) return location.assign(to)
    document.open()
    document.write(request.responseText)
    document.close()
  }
  form.addEventListener('submit', (event) => {
    if (event.defaultPrevented || !form.querySelector('input[type="file"]')?.files?.length) return
    event.preventDefault()
    meter.hidden = false
    const request = new XMLHttpRequest()
    request.open('POST', form.action)
    request.setRequestHeader('Accept', 'text/html')
    request.upload.addEventListener('progress', ({ loaded, total }) => sayShare(total > 0 ? loaded / total : 0))
    request.addEventListener('load', () => show(request))
    for (const end of ['error', 'timeout', 'abort']) request.addEventListener(end, () => again(meter.dataset.failed))
    sayShare(0)
    request.send(new FormData(form))
  })
}
