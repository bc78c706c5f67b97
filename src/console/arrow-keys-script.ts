/**
 * The arrow keys in a calendar: left and right go to the day (or month) before and after, up and
 * down to the same weekday of another week, or the same month of another year. Without it the
 * tabulator goes through the days one by one.
 */
export const ARROW_KEYS_SCRIPT = `
const WEEK = 7;

function inTable(link, way) {
  const cell = link.closest('td');
  const row = cell.closest('table').rows[cell.parentElement.rowIndex + way];
  return row?.cells[cell.cellIndex]?.querySelector('a');
}

function next(link, calendar, key) {
  const links = [...calendar.querySelectorAll('li a, td a')];
  const at = links.indexOf(link);
  if (key === 'ArrowLeft') return links[at - 1];
  if (key === 'ArrowRight') return links[at + 1];
  const way = key === 'ArrowUp' ? -1 : 1;
  return calendar.matches('.years') ? inTable(link, way) : links[at + way * WEEK];
}

addEventListener('keydown', (event) => {
  if (!/^Arrow/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
  const link = document.activeElement;
  const calendar = link?.closest('.months, .years');
  if (!calendar || !link.closest('li, td')) return;
  const other = next(link, calendar, event.key);
  if (!other) return;
  event.preventDefault();
  other.focus();
});
`;
