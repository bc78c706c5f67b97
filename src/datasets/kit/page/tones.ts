/**
 * Colours that the report pages of all pipelines share; each has a value for light and for dark
 * paper.
 */

/** One colour, as CSS has it, for light and for dark paper. */
export interface Tone {
  readonly light: string;
  readonly dark: string;
}

/** Light paper first. */
export function tone(light: string, dark: string): Tone {
  return { light, dark };
}

/** Paper, text and rules. */
export const FRAME_TONES = {
  paper: tone('#ffffff', '#11161c'),
  ink: tone('#18222d', '#e9eef3'),
  muted: tone('#4b5866', '#a7b3bf'),
  rule: tone('#cfd6dd', '#36424e'),
  grid: tone('#e4e8ec', '#27313b'),
  zero: tone('#87939f', '#74818d'),
} as const;

/** What is bad, good and doubtful. */
export const STATUS_TONES = {
  alert: tone('#a3260f', '#ff9c85'),
  good: tone('#1c6b3c', '#7fd19c'),
  warn: tone('#8a5300', '#f0b869'),
} as const;

/** Both schemes as custom properties. Paper is always light. */
export function tonesCss(tones: Readonly<Record<string, Tone>>): string {
  const values = (scheme: keyof Tone): string =>
    Object.entries(tones)
      .map(([name, value]) => `--${name}:${value[scheme]}`)
      .join(';');
  return [
    `:root{color-scheme:light;${values('light')}}`,
    `@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${values('dark')}}}`,
  ].join('\n');
}
