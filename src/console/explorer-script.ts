/**
 * The island of the explorer: uPlot in place of the drawing of the server, over the same numbers,
 * with the values under the pointer or under a cursor that the arrow keys move; a drag or `+` looks
 * closer, `-` further away, Escape shows all. Without scripts, and when the numbers cannot be had,
 * the drawing of the server stays.
 */
export const EXPLORER_SCRIPT = `
const DAY_S = 86400;
const figure = document.getElementById('explorer');

function colours() {
  const style = getComputedStyle(document.documentElement);
  return {
    ink: style.getPropertyValue('--ink').trim(),
    line: style.getPropertyValue('--line').trim(),
    series: Array.from({ length: 10 }, (_, index) => style.getPropertyValue('--c' + index).trim()),
  };
}

function timesOf(language) {
  const form = (given) => new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', { timeZone: 'UTC', ...given });
  const [day, year] = [form({ day: 'numeric', month: 'short' }), form({ month: 'short', year: 'numeric' })];
  const hour = form({ hour: '2-digit', minute: '2-digit' });
  return (_, splits, __, ___, step) =>
    splits.map((at) => {
      const date = new Date(at * 1000);
      if (step > 27 * DAY_S) return year.format(date);
      return at % DAY_S === 0 ? day.format(date) : hour.format(date);
    });
}

function optionsOf(data, kind, language, size, told) {
  const { ink, line, series } = colours();
  const tell = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    ...size,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
    legend: { show: false },
    scales: { x: { time: data.isTime } },
    axes: [
      { ...axis, values: data.isTime ? timesOf(language) : (_, splits) => splits.map((place) => data.places[place] || '') },
      { ...axis, size: 80, values: (_, splits) => splits.map((value) => tell.format(value)) },
    ],
    series: [
      {},
      ...data.series.map(({ name }, index) => ({
        label: name,
        stroke: series[index % 10],
        width: 2,
        ...(kind === 'bar' ? { fill: series[index % 10], paths: uPlot.paths.bars({ size: [0.8, 100] }) } : {}),
      })),
    ],
    hooks: { setCursor: [(plot) => told(plot, plot.cursor.idx)] },
  };
}

function draw(data) {
  const language = figure.dataset.language;
  const tell = new Intl.NumberFormat(language === 'fr' ? 'fr-FR' : 'en-GB', { maximumFractionDigits: 3 });
  const xs = data.isTime ? data.places.map((at) => Date.parse(at) / 1000) : data.places.map((_, index) => index);
  const values = [xs, ...data.series.map((one) => one.values)];
  const box = document.createElement('div');
  box.tabIndex = 0;
  box.setAttribute('role', 'group');
  const old = figure.querySelector('svg');
  box.setAttribute('aria-label', old.getAttribute('aria-label') + '. ' + figure.dataset.help);
  const out = figure.querySelector('output');
  const told = (plot, index) => {
    if (index === null || index === undefined) return;
    const rows = data.series.map(({ name, values: own }) => name + ': ' + (own[index] === null ? '–' : tell.format(own[index])));
    out.textContent = data.places[index] + ' · ' + rows.join(', ') + (data.unit === null ? '' : ' ' + data.unit);
  };
  const frame = old.parentElement;
  const height = frame.clientHeight;
  old.replaceWith(box);
  let plot;
  const make = () => {
    plot?.destroy();
    plot = new uPlot(optionsOf(data, figure.dataset.kind, language, { width: box.clientWidth, height }, told), values, box);
    for (const canvas of box.querySelectorAll('canvas')) canvas.setAttribute('aria-hidden', 'true');
  };
  make();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', make);
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (box.clientWidth === width) return;
    width = box.clientWidth;
    plot.setSize({ width, height });
  }).observe(box);
  let at = 0;
  const show = () => {
    const { min, max } = plot.scales.x;
    if (xs[at] < min || xs[at] > max) zoom(1, xs[at]);
    plot.setCursor({ left: plot.valToPos(xs[at], 'x'), top: plot.bbox.height / 3 / devicePixelRatio });
    told(plot, at);
  };
  const zoom = (factor, around = xs[at]) => {
    const { min, max } = plot.scales.x;
    const half = ((max - min) * factor) / 2;
    plot.setScale('x', { min: Math.max(xs[0], around - half), max: Math.min(xs.at(-1), around + half) });
  };
  const KEYS = {
    ArrowLeft: () => { at = Math.max(0, at - 1); show(); },
    ArrowRight: () => { at = Math.min(xs.length - 1, at + 1); show(); },
    Home: () => { at = 0; show(); },
    End: () => { at = xs.length - 1; show(); },
    '+': () => { zoom(0.5); show(); },
    '-': () => { zoom(2); show(); },
    Escape: () => plot.setScale('x', { min: xs[0], max: xs.at(-1) }),
  };
  box.addEventListener('keydown', (event) => {
    const act = KEYS[event.key];
    if (act === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
}

const address = figure?.dataset.chart;
if (address !== undefined && figure.querySelector('svg') !== null) {
  const answer = await fetch(address).catch(() => undefined);
  if (answer?.ok) draw(await answer.json());
}
`;
