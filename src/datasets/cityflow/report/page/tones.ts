import { FRAME_TONES, STATUS_TONES, tone, tonesCss } from '../../../kit/page/index.ts';
import type { Tone } from '../../../kit/page/index.ts';
import type { SectionName } from '../../definition.ts';
import type { TrafficState } from '../../thresholds.ts';

/**
 * Colours and words of this page, beside those that all reports share. Each colour has a light and
 * a dark value.
 */

/**
 * From calm to blocked: lightness falls with congestion, so that the order is seen without colour
 * too.
 */
export const STATE_TONES: Readonly<Record<TrafficState, Tone & { readonly name: string }>> = {
  Inconnu: { name: 'state-unknown', light: '#c3cad1', dark: '#3c4853' },
  Fluide: { name: 'state-fluid', light: '#7fb98f', dark: '#4f8a62' },
  'Pré-saturé': { name: 'state-dense', light: '#e0a92e', dark: '#d9a93f' },
  Saturé: { name: 'state-saturated', light: '#d1551f', dark: '#ee8250' },
  Bloqué: { name: 'state-blocked', light: '#8e1230', dark: '#ff6f8f' },
};

const OTHER_TONES: Readonly<Record<string, Tone>> = {
  load: tone('#16365d', '#a9c9f2'),
  city: tone('#f3f5f7', '#171e26'),
  work: tone('#6b3fa0', '#bd9bea'),
  bike: tone('#1f6f8b', '#62b6d2'),
  usual: tone('#87939f', '#74818d'),
  heat: tone('#b3341b', '#ff8b66'),
};

/** What a reader of the page calls each section. */
export const SECTION_TITLES: Readonly<Record<SectionName, string>> = {
  bikes: 'Vélos',
  traffic: 'Transports en commun',
  weather: 'Météo',
  comptages: 'Trafic routier',
  chantiers: 'Chantiers',
  referentiel: 'Réseau routier',
};

/** Shown beside the title of a section. */
export const STATUS_WORDS = { ok: 'complet', degraded: 'partiel', no_data: 'rien reçu' } as const;

/** All colours of the page as custom properties. */
export function cityTones(): string {
  const states = Object.fromEntries(
    Object.values(STATE_TONES).map(({ name, light, dark }) => [name, { light, dark }]),
  );
  return tonesCss({ ...FRAME_TONES, ...STATUS_TONES, ...OTHER_TONES, ...states });
}

/** Rules of this page alone, below those that all reports share. */
export function cityCss(): string {
  return `.map{width:100%;height:auto;display:block}
.map .district{fill:var(--city);stroke:var(--rule);stroke-width:1}
.map .arc{fill:none;stroke-linecap:round;stroke-linejoin:round}
.map .work{fill:var(--work);fill-opacity:.35;stroke:var(--work);stroke-width:1.2}
.map text{font-size:15px;fill:var(--muted);text-anchor:middle}
.map .hits{fill:none;stroke:transparent;stroke-width:9}
.map .scale path{fill:none;stroke:var(--muted);stroke-width:2}
.map .scale text{text-anchor:start}
.map .rank{fill:var(--ink);font-size:13px;font-weight:650;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
${Object.values(STATE_TONES)
  .map(
    ({ name }) => `.map .${name}{stroke:var(--${name})}.swatch.${name}{background:var(--${name})}`,
  )
  .join('\n')}
.status.gaps{color:var(--muted)}
.swatch.work{background:var(--work)}
.swatch.bike{background:var(--bike)}
.swatch.usual{--tone:var(--usual)}
.swatch.heat{background:var(--heat)}
.swatch.heat.least{opacity:.06;outline:1px solid var(--ink)}
.swatch.absent{border:1px solid var(--zero)}
.swatch.CRITIQUE{background:var(--state-blocked)}
.swatch.ELEVEE{background:var(--state-saturated)}
.swatch.MOYENNE{background:var(--state-dense)}
.swatch.FAIBLE{background:var(--state-unknown)}
.heat text,.bars text,.timeline text{font-size:12px;fill:var(--muted)}
.heat rect{fill:var(--heat)}
.heat .none{fill:none;stroke:var(--grid)}
.bars .own{fill:var(--bike)}
.bars .usual{fill:none;stroke:var(--usual);stroke-width:2}
.bars .axis,.timeline .axis{stroke:var(--grid)}
.timeline .CRITIQUE{fill:var(--state-blocked)}
.timeline .ELEVEE{fill:var(--state-saturated)}
.timeline .MOYENNE{fill:var(--state-dense)}
.timeline .FAIBLE{fill:var(--state-unknown)}
.timeline .name{fill:var(--ink)}
.lists{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:24px 32px}
.lists td,.lists th{white-space:normal}
.plot+h3,.plot+.lists,.plot+.table,.note+h3,.note+.table,.note+.lists{margin-top:14px}
.kpis.five{grid-template-columns:repeat(5,minmax(0,1fr))}
.kpis.five .value{font-size:24px}
.words td{text-align:left;white-space:normal}
.words th{white-space:nowrap}
${SMALL}
${PRINT}`;
}

const SMALL = `@media (max-width:680px){
.lists{grid-template-columns:minmax(0,1fr)}
.kpis.five{grid-template-columns:repeat(2,minmax(0,1fr))}
.lists table{font-size:12px}
.lists td,.lists th{padding-left:6px}
.lists th:first-child{padding-left:0}
.lists tbody th{overflow-wrap:anywhere}
.evolution table{font-size:12px}
.evolution th,.evolution td{white-space:normal;padding-left:6px}
.evolution th:first-child{padding-left:0}
.map text{font-size:40px}
.map .rank{font-size:40px;stroke-width:9px}
}`;

/** Headings stay with what they head, and rows and lines stay whole. */
const PRINT = `@media print{
.map text,.map .rank{font-size:20px}
.map{break-inside:avoid}
tr,li,p{break-inside:avoid}
p,li{orphans:3;widows:3}
h3,caption,.legend,.section-head+.note{break-after:avoid}
.lists table{font-size:10px}
.lists td,.lists th{padding:2px 0 2px 6px}
.lists th:first-child{padding-left:0}
.lists .table,.plot{break-inside:avoid}
}`;
