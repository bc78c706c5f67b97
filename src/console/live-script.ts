/**
 * The one script of the console: parts of a page that are marked `data-live` (the pipeline they
 * show, or nothing for all) follow what is committed, and are asked for again every three seconds
 * while something in them is `data-busy`. The page itself is asked for again, so the server stays
 * the only one that knows how things look. A part in which somebody has typed is left alone.
 * Without the script a page is as it was when it was opened.
 */
export const LIVE_SCRIPT = `
const QUIET_MS = 200;
const BUSY_MS = 3000;
const parts = () => [...document.querySelectorAll('[data-live]')];
let asking = false;
let again = false;
let waiting;

function isTouched(part) {
  return [...part.querySelectorAll('input, select')].some((field) =>
    field.type === 'checkbox'
      ? field.checked !== field.defaultChecked
      : field.matches('select')
        ? field === document.activeElement
        : field.value !== field.defaultValue || field === document.activeElement,
  );
}

function replace(old, fresh) {
  if (fresh === null || fresh.isEqualNode(old) || isTouched(old)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  old.replaceWith(fresh);
  if (focused !== null) [...fresh.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
}

async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const old of parts()) replace(old, page.getElementById(old.id));
  } catch {
    // The server is away: the next event or the next turn asks again.
  } finally {
    asking = false;
    if (again) {
      again = false;
      soon();
    }
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, QUIET_MS);
}

if (parts().length > 0) {
  const pipeline = parts()[0].dataset.live;
  const events = new EventSource('/api/v1/events' + (pipeline === '' ? '' : '?pipeline=' + encodeURIComponent(pipeline)));
  events.addEventListener('change', soon);
  addEventListener('pagehide', () => events.close());
  setInterval(() => {
    if (document.visibilityState === 'visible' && document.querySelector('[data-busy]') !== null) soon();
  }, BUSY_MS);
}
`;
