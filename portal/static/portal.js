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

// Where the keyboard is in a part of a page that is about to be replaced: found again by its id, or where it leads to.
const held = (part) => {
  const at = part.contains(document.activeElement) ? document.activeElement : null
  if (at?.id) return `#${CSS.escape(at.id)}`
  return at?.hasAttribute('href') ? `[href="${CSS.escape(at.getAttribute('href'))}"]` : null
}

// A part of a page with data-live is fetched anew every ten seconds while somebody can see it.
for (const part of document.querySelectorAll('[data-live]')) {
  setInterval(async () => {
    if (document.hidden) return
    try {
      const mark = part.dataset.mark
      const answer = await fetch(part.dataset.live, { redirect: 'manual', headers: mark ? { 'If-None-Match': mark } : {} })
      if (answer.ok && mark) part.dataset.mark = answer.headers.get('ETag')
      if (answer.ok) {
        const anew = new DOMParser().parseFromString(await answer.text(), 'text/html').body.childNodes
        const place = held(part)
        part.replaceChildren(...anew)
        if (place) part.querySelector(place)?.focus({ preventScroll: true })
      } else if (answer.type === 'opaqueredirect') location.reload()
    } catch {
      // The next round tries again.
    }
  }, 10000)
}

// Who is signed in is warned some minutes before they are signed out, and stays with one press.
const idle = document.getElementById('idle')
if (idle) {
  const warning = 300
  const words = document.getElementById('idle-words')
  const token = document.querySelector('input[name="form_token"]').value
  let ends = 0
  let timer = null
  const left = async (options) => {
    const answer = await fetch('/stay', { redirect: 'manual', ...options })
    return answer.ok ? Number(await answer.text()) : 0
  }
  const say = () => {
    const minutes = Math.ceil((ends - Date.now()) / 60000)
    if (minutes > 0) words.textContent = `You have not used the hub for a while. You will be signed out in ${minutes} minute${minutes === 1 ? '' : 's'}.`
    else words.textContent = 'You are signed out. Send your form all the same: it is kept for you, and is here again when you have signed in.'
    idle.querySelector('[data-stay]').textContent = minutes > 0 ? 'Stay signed in' : 'Go back to the page'
    if (minutes > 0) timer = setTimeout(say, 20000)
  }
  const wait = (seconds) => {
    clearTimeout(timer)
    ends = Date.now() + seconds * 1000
    timer = setTimeout(look, Math.max(0, seconds - warning) * 1000)
  }
  // Another window, or a draft that was saved, may have kept this person signed in meanwhile.
  const look = async () => {
    const seconds = await left({}).catch(() => (ends - Date.now()) / 1000)
    if (seconds > warning) return wait(seconds)
    ends = Date.now() + seconds * 1000
    if (!idle.open) idle.showModal()
    say()
  }
  idle.addEventListener('close', async () => {
    if (ends <= Date.now()) return
    const seconds = await left({ method: 'POST', headers: { 'X-Form-Token': token } }).catch(() => 0)
    if (seconds) wait(seconds)
    else look()
  })
  idle.querySelector('[data-stay]').addEventListener('click', () => idle.close())
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() > ends - warning * 1000) look()
  })
  left({}).then(wait).catch(() => wait(warning + 60))
}
