import { z } from 'zod';
import { ASKED_RANGE, addDays, question, quoteText } from '../../kit/index.ts';
import type {
  DaySpan,
  QuestionDefinition,
  QuestionScene,
  TableColumn,
  Words,
} from '../../kit/index.ts';
import { QUANTITIES } from '../rollup/energies.ts';
import type { Quantity } from '../rollup/energies.ts';
import { regionName, REGIONS } from '../regions.ts';

/** Questions about the regions. */

const grandeur = z
  .enum(QUANTITIES)
  .default('consommation')
  .describe('Load, a source, pumping, or net physical import');
const CODES = REGIONS.map(({ code }) => code) as [string, ...string[]];

interface Range {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

function spanOf({ start, end }: Range, { known }: QuestionScene, backDays: number): DaySpan {
  const to = end ?? known.to;
  return { from: start ?? addDays(to, -backDays), to };
}

/** What readers call each quantity. */
export const WORDS: Readonly<Record<Quantity, Words>> = {
  consommation: { fr: 'Consommation', en: 'Load' },
  nucleaire: { fr: 'Nucléaire', en: 'Nuclear' },
  hydraulique: { fr: 'Hydraulique', en: 'Hydro' },
  eolien: { fr: 'Éolien', en: 'Wind' },
  solaire: { fr: 'Solaire', en: 'Solar' },
  bioenergies: { fr: 'Bioénergies', en: 'Bioenergy' },
  thermique: { fr: 'Thermique fossile', en: 'Fossil thermal' },
  pompage: { fr: 'Pompage', en: 'Pumping' },
  ech_physiques: { fr: 'Solde importateur', en: 'Net import' },
};

function gigawattHours(mwh: unknown, language: keyof Words): string {
  const locale = language === 'fr' ? 'fr-FR' : 'en-GB';
  return (Number(mwh) / 1000).toLocaleString(locale, { maximumFractionDigits: 1 });
}

const ENERGY: TableColumn = {
  name: 'energy_mwh',
  type: 'number',
  unit: 'MWh',
  title: { fr: 'Énergie', en: 'Energy' },
};
const COVERED: TableColumn = {
  name: 'coverage',
  type: 'number',
  title: { fr: 'Couverture (0–1)', en: 'Coverage (0–1)' },
};

const regions = question({
  id: 'get_regions',
  title: { fr: 'Comparer les régions', en: 'Compare the regions' },
  description: {
    fr: 'L’énergie d’une grandeur par région sur une période, et sa part de la consommation de la région.',
    en: 'The energy of a quantity by region over a range, and its part of the region’s load.',
  },
  parameters: z.strictObject({ grandeur, ...ASKED_RANGE }),
  tables: ['eco2mix_regional_energies_day'],
  span: (asked, scene) => spanOf(asked, scene, 0),
  sql: ({ grandeur: quantity }) => `SELECT region_code, region, energy_mwh,
      CASE WHEN coverage = load_coverage THEN round(100 * energy_mwh / nullif(load_mwh, 0),
        2) END AS of_load_pct, coverage
    FROM (SELECT region_code, region,
        sum(energy_mwh) FILTER (quantity = ${quoteText(quantity)}) AS energy_mwh,
        sum(energy_mwh) FILTER (quantity = 'consommation') AS load_mwh,
        avg(coverage) FILTER (quantity = ${quoteText(quantity)}) AS coverage,
        avg(coverage) FILTER (quantity = 'consommation') AS load_coverage
      FROM eco2mix_regional_energies_day GROUP BY region_code, region)
    WHERE energy_mwh IS NOT NULL ORDER BY energy_mwh DESC, region_code`,
  columns: () => [
    {
      name: 'region_code',
      type: 'text',
      title: { fr: 'Code INSEE région', en: 'Region (INSEE code)' },
    },
    { name: 'region', type: 'text', title: { fr: 'Région', en: 'Region' } },
    ENERGY,
    {
      name: 'of_load_pct',
      type: 'number',
      unit: '%',
      title: { fr: 'Part de la consommation', en: 'Part of the load' },
    },
    COVERED,
  ],
  sentence: (rows, { grandeur: quantity }) => {
    const [first] = rows;
    const label = WORDS[quantity];
    if (first === undefined)
      return { fr: `${label.fr} : aucune donnée.`, en: `${label.en}: no data.` };
    const [name, energy] = [String(first['region']), first['energy_mwh']];
    return {
      fr: `${label.fr} : ${rows.length} régions, ${name} en tête avec ${gigawattHours(energy, 'fr')} GWh.`,
      en: `${label.en}: ${rows.length} regions, ${name} first with ${gigawattHours(energy, 'en')} GWh.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'region', y: ['energy_mwh'], unit: 'MWh' }),
});

const TABLES = {
  daily: 'eco2mix_regional_energies_day',
  monthly: 'eco2mix_regional_energies_month',
  annual: 'eco2mix_regional_energies_year',
} as const;
const BACK_DAYS = { daily: 90, monthly: 730, annual: 7300 } as const;

const region = question({
  id: 'get_region',
  title: { fr: 'Suivre une région', en: 'Follow a region' },
  description: {
    fr: 'L’énergie d’une grandeur dans une région par jour, mois ou année.',
    en: 'The energy of a quantity in a region by day, month or year.',
  },
  parameters: z.strictObject({
    region: z.enum(CODES).default('11').describe('INSEE code of the region'),
    grandeur,
    granularity: z
      .enum(['daily', 'monthly', 'annual'])
      .default('daily')
      .describe('One value per day, month or year'),
    ...ASKED_RANGE,
  }),
  tables: Object.values(TABLES),
  span: (asked, scene) => spanOf(asked, scene, BACK_DAYS[asked.granularity]),
  sql: ({
    region: code,
    grandeur: quantity,
    granularity,
  }) => `SELECT period, energy_mwh, coverage FROM ${TABLES[granularity]}
    WHERE region_code = ${quoteText(code)} AND quantity = ${quoteText(quantity)} AND energy_mwh IS NOT NULL ORDER BY period`,
  columns: () => [
    { name: 'period', type: 'text', title: { fr: 'Période', en: 'Period' } },
    ENERGY,
    COVERED,
  ],
  sentence: (rows, { region: code, grandeur: quantity }) => {
    const [name, label] = [regionName(code), WORDS[quantity]];
    const sum = rows.reduce((total, row) => total + Number(row['energy_mwh']), 0);
    return {
      fr: `${name}, ${label.fr.toLowerCase()} : ${gigawattHours(sum, 'fr')} GWh sur ${rows.length} périodes.`,
      en: `${name}, ${label.en.toLowerCase()}: ${gigawattHours(sum, 'en')} GWh over ${rows.length} periods.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'period', y: ['energy_mwh'], unit: 'MWh' }),
});

/** All regions on one period, or one region over time. */
export const REGIONAL_QUESTIONS: readonly QuestionDefinition[] = [regions, region];
