import type { DashboardDefinition } from '../../kit/index.ts';
import { SOURCES } from '../columns.ts';
import { WORDS } from './questions.ts';

/** The regions beside each other: what they use, what they make, what flows. */
export const REGIONAL_DASHBOARDS: readonly DashboardDefinition[] = [
  {
    id: 'eco2mix-regions',
    title: { fr: 'Régions', en: 'Regions' },
    charts: (['consommation', 'ech_physiques', ...SOURCES] as const).map((quantity) => ({
      title: WORDS[quantity],
      question: 'get_regions',
      parameters: { grandeur: quantity },
    })),
  },
];
