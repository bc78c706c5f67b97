import { describe, expect, it } from 'vitest';
import { DESCRIPTORS, MEASURES } from '../../../src/datasets/eco2mix/columns.ts';
import { columnNameOf, mapHeader, requireColumn } from '../../../src/datasets/eco2mix/header.ts';
import {
  STORAGES,
  SUB_SOURCES,
  SOURCES,
  BORDERS,
} from '../../../src/datasets/eco2mix/metrics-model.ts';

const NAMES = [...DESCRIPTORS, ...MEASURES].map(({ name }) => name);

/** The labels of the portal in 2025, the most that any file has, in the order of our catalogue. */
const LABELS = [
  ...['Périmètre', 'Nature', 'Date', 'Heure', 'Date - Heure'],
  ...[
    'Consommation (MW)',
    'Prévision J-1 (MW)',
    'Prévision J (MW)',
    'Fioul (MW)',
    'Charbon (MW)',
    'Gaz (MW)',
  ],
  ...[
    'Nucléaire (MW)',
    'Eolien (MW)',
    'Solaire (MW)',
    'Hydraulique (MW)',
    'Pompage (MW)',
    'Bioénergies (MW)',
  ],
  ...[
    'Ech. physiques (MW)',
    'Taux de CO2 (g/kWh)',
    'Ech. comm. Angleterre (MW)',
    'Ech. comm. Espagne (MW)',
  ],
  ...[
    'Ech. comm. Italie (MW)',
    'Ech. comm. Suisse (MW)',
    'Ech. comm. Allemagne-Belgique (MW)',
    'Fioul - TAC (MW)',
  ],
  ...[
    'Fioul - Cogénération (MW)',
    'Fioul - Autres (MW)',
    'Gaz - TAC (MW)',
    'Gaz - Cogénération (MW)',
    'Gaz - CCG (MW)',
  ],
  ...['Gaz - Autres (MW)', "Hydraulique - Fil de l'eau + éclusée (MW)", 'Hydraulique - Lacs (MW)'],
  ...[
    'Hydraulique - STEP turbinage (MW)',
    'Bioénergies - Déchets (MW)',
    'Bioénergies - Biomasse (MW)',
  ],
  ...[
    'Bioénergies - Biogaz (MW)',
    'Eolien terrestre (MW)',
    'Eolien offshore (MW)',
    'Stockage batterie (MW)',
  ],
  'Déstockage batterie (MW)',
];

function namesOf(labels: readonly string[]): unknown[] {
  return labels.map((label) => columnNameOf(label));
}

describe('columnNameOf', () => {
  it('knows the portal’s short names', () => {
    expect(namesOf(NAMES)).toEqual(NAMES);
  });

  it('knows the portal’s French labels', () => {
    expect(namesOf(LABELS)).toEqual(NAMES);
  });

  it('knows where the two datasets and RTE’s tables differ', () => {
    expect(columnNameOf('Date et Heure')).toBe('date_heure');
    expect(columnNameOf('Heures')).toBe('heure');
    expect(columnNameOf('Taux de Co2')).toBe('taux_co2');
    expect(columnNameOf('Gaz - Cogén.')).toBe('gaz_cogen');
    expect(columnNameOf('Fioul - Cogén.')).toBe('fioul_cogen');
    expect(columnNameOf(' Stockage batterie')).toBe('stockage_batterie');
    expect(columnNameOf('Hydraulique - Fil de l?eau + éclusée')).toBe(
      'hydraulique_fil_eau_eclusee',
    );
    expect(columnNameOf('Hydraulique - Fil de l’eau + éclusée')).toBe(
      'hydraulique_fil_eau_eclusee',
    );
    expect(columnNameOf('\u{FEFF}Périmètre')).toBe('perimetre');
  });

  it('knows labels whose accents were lost or decoded twice', () => {
    const broken = {
      mojibake: (label: string) => Buffer.from(label, 'utf8').toString('latin1'),
      question: (label: string) => label.replace(/[^\x20-\x7e]/g, '?'),
      replacement: (label: string) => label.replace(/[^\x20-\x7e]/g, '\u{FFFD}'),
      bare: (label: string) => label.normalize('NFD').replace(/\p{M}/gu, ''),
      decomposed: (label: string) => label.normalize('NFD'),
      upper: (label: string) => label.toUpperCase(),
    };
    for (const [how, spoil] of Object.entries(broken)) {
      expect(namesOf(LABELS.map(spoil)), how).toEqual(NAMES);
    }
  });

  it('does not guess at names that are close to known ones', () => {
    for (const name of [
      'Consommation corrigée (MW)',
      'gaz_total',
      'Prévision J-2 (MW)',
      'Ech. comm. Belgique (MW)',
      '',
    ]) {
      expect(columnNameOf(name), name).toBeUndefined();
    }
  });
});

describe('mapHeader', () => {
  it('maps by name whatever the order, and lists what it does not know', () => {
    const header = mapHeader(
      ['Stockage hydrogène (MW)', 'Consommation (MW)', 'Date - Heure'],
      'the file',
    );
    expect([...header.known]).toEqual([
      ['consommation', 'Consommation (MW)'],
      ['date_heure', 'Date - Heure'],
    ]);
    expect(header.unknown).toEqual(['Stockage hydrogène (MW)']);
  });

  it('refuses two columns with one meaning', () => {
    expect(() => mapHeader(['Date - Heure', 'Date et Heure'], 'the file')).toThrow(
      /two columns for date_heure.*Date et Heure/,
    );
    expect(() => mapHeader(['inconnu', 'INCONNU'], 'the file')).toThrow(/two columns for INCONNU/);
  });
});

describe('requireColumn', () => {
  it('names the missing column and what was found instead', () => {
    const header = mapHeader(['perimetre', 'date_heure', 'consumption'], 'the tr file');
    expect(() => requireColumn(header, 'consommation', 'the tr file')).toThrow(
      'the tr file has no column consommation (Consommation); its columns are "perimetre", "date_heure", "consumption"',
    );
  });
});

describe('the catalogue of measures', () => {
  it('has every quantity of the metrics', () => {
    const wanted = [
      ...SOURCES,
      ...SUB_SOURCES,
      ...STORAGES,
      ...BORDERS.map((border) => `ech_comm_${border}`),
    ];
    expect(MEASURES.map(({ name }) => name)).toEqual(expect.arrayContaining(wanted));
  });

  it('fits into masks that a double holds exactly, and gives every measure a column of its own', () => {
    expect(MEASURES.length).toBeLessThan(53);
    expect(new Set(MEASURES.map(({ column }) => column)).size).toBe(MEASURES.length);
  });
});
