import { describe, expect, it } from 'vitest';
import type { ToneName } from '../../../src/datasets/eco2mix/report/page/palette.ts';
import { TONES } from '../../../src/datasets/eco2mix/report/page/palette.ts';

type Linear = readonly [number, number, number];
type Matrix = readonly [Linear, Linear, Linear];

function linear(hex: string): Linear {
  const channel = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function luminance(hex: string): number {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio of WCAG 2. */
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Full protanopia, deuteranopia and tritanopia by Machado, Oliveira and Fernandes (2009). */
const VISIONS: Readonly<Record<string, Matrix>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b*, D65. */
function lab([r, g, b]: Linear): Linear {
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function difference(a: string, b: string, vision: Matrix): number {
  const seen = (hex: string): Linear => {
    const from = linear(hex);
    const at = (row: Linear): number =>
      Math.min(1, Math.max(0, row[0] * from[0] + row[1] * from[1] + row[2] * from[2]));
    return lab([at(vision[0]), at(vision[1]), at(vision[2])]);
  };
  const [p, q] = [seen(a), seen(b)];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

/** What touches in a chart, also when the layers between have no height. */
const NEIGHBOURS: readonly (readonly [ToneName, ToneName])[] = [
  ['nucleaire', 'hydraulique'],
  ['hydraulique', 'eolien'],
  ['eolien', 'solaire'],
  ['eolien', 'bioenergies'],
  ['solaire', 'bioenergies'],
  ['bioenergies', 'gaz'],
  ['gaz', 'charbon'],
  ['charbon', 'fioul'],
  ['gaz', 'fioul'],
  ['fioul', 'destockage_batterie'],
  ['destockage_batterie', 'ech_physiques'],
  ['gaz', 'ech_physiques'],
  ['fioul', 'ech_physiques'],
  ['pompage', 'ech_physiques'],
  ['pompage', 'stockage_batterie'],
  ['stockage_batterie', 'ech_physiques'],
  ['angleterre', 'espagne'],
  ['angleterre', 'italie'],
  ['angleterre', 'suisse'],
  ['angleterre', 'allemagne_belgique'],
  ['espagne', 'italie'],
  ['espagne', 'suisse'],
  ['espagne', 'allemagne_belgique'],
  ['italie', 'suisse'],
  ['italie', 'allemagne_belgique'],
  ['suisse', 'allemagne_belgique'],
  ['previous_day', 'previous_week'],
  ['previous_week', 'previous_year'],
  ['previous_day', 'previous_year'],
  ['load', 'forecast_j1'],
  ['load', 'forecast_j'],
  ['forecast_j1', 'forecast_j'],
];

describe.each(['light', 'dark'] as const)('the palette, %s', (scheme) => {
  it('writes with a contrast of at least 4.5', () => {
    const texts: readonly ToneName[] = ['ink', 'muted', 'good', 'warn', 'alert'];
    for (const name of texts)
      expect(contrast(TONES[name][scheme], TONES.paper[scheme]), name).toBeGreaterThan(4.5);
  });

  it('draws lines with a contrast of at least 3', () => {
    const lines: readonly ToneName[] = ['load', 'forecast_j1', 'forecast_j', 'carbon', 'zero'];
    for (const name of lines)
      expect(contrast(TONES[name][scheme], TONES.paper[scheme]), name).toBeGreaterThan(3);
  });

  it.each(NEIGHBOURS)('keeps %s and %s apart for every kind of colour vision', (a, b) => {
    for (const [vision, matrix] of Object.entries(VISIONS)) {
      expect(difference(TONES[a][scheme], TONES[b][scheme], matrix), vision).toBeGreaterThan(14);
    }
  });
});

describe('the palette', () => {
  it('gives each light value one meaning, because the style sheet finds marks by it', () => {
    const values = Object.values(TONES).map(({ light }) => light);
    expect(new Set(values).size).toBe(values.length);
  });
});
