// Sends the page's one form; whoever has no scripts presses its button.
const form = document.getElementById('self-post')
if (form instanceof HTMLFormElement) form.submit()
