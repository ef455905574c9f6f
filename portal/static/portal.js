import { initAll } from './govuk-frontend.min.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()

// A form with data-save keeps what is typed on the server, a few seconds after the last key.
for (const form of document.querySelectorAll('form[data-save]')) {
  const told = form.querySelector('[data-saved]')
  let waiting = null
  const save = async () => {
    waiting = null
    const fields = new URLSearchParams(new FormData(form))
    try {
      const answer = await fetch(form.dataset.save, { method: 'POST', body: fields, redirect: 'manual' })
      if (answer.status === 204) told.textContent = `Draft saved at ${new Date().toLocaleTimeString('en-GB')}`
      else told.textContent = 'Not saved: you may be signed out. Sign in again in another tab, then go on here.'
    } catch {
      told.textContent = 'Not saved: the hub does not answer. What you typed is still here.'
    }
  }
  form.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(save, 3000)
  })
}

// A part of a page with data-live is fetched anew every ten seconds while somebody can see it.
for (const part of document.querySelectorAll('[data-live]')) {
  setInterval(async () => {
    if (document.hidden) return
    try {
      const answer = await fetch(part.dataset.live, { redirect: 'manual' })
      if (answer.ok) part.replaceChildren(...new DOMParser().parseFromString(await answer.text(), 'text/html').body.childNodes)
      else if (answer.type === 'opaqueredirect') location.reload()
    } catch {
      // The next round tries again.
    }
  }, 10000)
}
