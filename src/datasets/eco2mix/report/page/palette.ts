import { FRAME_TONES, STATUS_TONES, tone, tonesCss } from '../../../kit/page/index.ts';
import type { Tone } from '../../../kit/page/index.ts';
import type { Border, ComparisonName, Source, Storage } from '../../metrics-model.ts';

/**
 * Colours of the page. The hues of the sources are those of RTE's own charts, moved in lightness
 * until neighbours in the stack stay apart for the three common forms of colour blindness. Charts
 * are drawn with the `light` values, each used for one meaning only, so that the style sheet can
 * give every mark its colour of the dark scheme by attribute (`[fill="#e4a701"]`).
 */
export const TONES = {
  ...FRAME_TONES,
  load: tone('#16365d', '#a9c9f2'),
  forecast_j1: tone('#b4500a', '#f2a45c'),
  forecast_j: tone('#0f7670', '#35b8ac'),
  carbon: tone('#5b4a42', '#c9b5a8'),
  nucleaire: tone('#e4a701', '#dca51c'),
  hydraulique: tone('#2470b0', '#3579bb'),
  eolien: tone('#74ccb8', '#84d3c0'),
  solaire: tone('#dd6f12', '#e57e28'),
  bioenergies: tone('#14634f', '#1a7358'),
  gaz: tone('#ee4b3f', '#ff8073'),
  charbon: tone('#5d4037', '#7d5b49'),
  fioul: tone('#8257a6', '#a177c2'),
  pompage: tone('#0d3f73', '#4a66b5'),
  stockage_batterie: tone('#a04f95', '#cf8fc4'),
  destockage_batterie: tone('#c273b4', '#e6bfe0'),
  ech_physiques: tone('#c0c8cf', '#717d89'),
  angleterre: tone('#1d4a94', '#4f7fd6'),
  espagne: tone('#e6a117', '#e3a52c'),
  italie: tone('#4dbd97', '#62caa6'),
  suisse: tone('#b02a48', '#d8506c'),
  allemagne_belgique: tone('#a78fd8', '#c3b1ea'),
  previous_day: tone('#1f5f99', '#5c9fdc'),
  previous_week: tone('#d98a1f', '#e0a04a'),
  previous_year: tone('#8b97a3', '#8996a3'),
  ...STATUS_TONES,
} as const satisfies Readonly<Record<string, Tone>> &
  Readonly<Record<Source | Storage | Border | ComparisonName, Tone>>;
/** A meaning that has a colour. */
export type ToneName = keyof typeof TONES;

/** The value that charts draw with. */
export function ink(name: ToneName): string {
  return TONES[name].light;
}

/** The custom property that pages style with. */
export function toneVariable(name: ToneName): string {
  return `var(--${name})`;
}

/**
 * Both schemes as custom properties, and the mapping of the charts' marks onto them. Paper is
 * always light.
 */
export function paletteCss(): string {
  const names = Object.keys(TONES) as ToneName[];
  const marks = names.map((name) => {
    const value = TONES[name].light;
    return `.plot [fill="${value}"]{fill:var(--${name})}.plot [stroke="${value}"]{stroke:var(--${name})}`;
  });
  return [tonesCss(TONES), ...marks].join('\n');
}
