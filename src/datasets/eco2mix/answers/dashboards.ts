import type { DashboardDefinition } from '../../kit/index.ts';
import { SOURCES } from '../metrics-model.ts';
import { labelOf } from './quantities.ts';

const consumption: DashboardDefinition = {
  id: 'eco2mix-consumption',
  title: { fr: 'Consommation', en: 'Consumption' },
  charts: [
    {
      title: { fr: 'Puissance', en: 'Power' },
      question: 'get_consommation',
      parameters: { granularity: 'raw' },
    },
    {
      title: { fr: 'Énergie par année', en: 'Energy by year' },
      question: 'get_consommation',
      parameters: { granularity: 'annual' },
    },
    {
      title: { fr: 'Énergie par mois', en: 'Energy by month' },
      question: 'get_consommation',
      parameters: { granularity: 'monthly' },
    },
  ],
};

const production: DashboardDefinition = {
  id: 'eco2mix-production',
  title: { fr: 'Production', en: 'Generation' },
  charts: SOURCES.map((source) => ({
    title: { fr: labelOf(source), en: labelOf(source) },
    question: 'get_production',
    parameters: { filiere: source, granularity: 'annual' },
  })),
};

const exchanges: DashboardDefinition = {
  id: 'eco2mix-exchanges',
  title: { fr: 'Échanges', en: 'Exchanges' },
  charts: [
    {
      title: { fr: 'Puissance', en: 'Power' },
      question: 'get_echanges',
      parameters: { granularity: 'raw' },
    },
    {
      title: { fr: 'Import et export par année', en: 'Imports and exports by year' },
      question: 'get_echanges_energie',
      parameters: { granularity: 'annual' },
    },
  ],
};

const home: DashboardDefinition = {
  id: 'eco2mix-home',
  title: { fr: 'Accueil', en: 'Home' },
  charts: [
    {
      title: { fr: 'Consommation du jour', en: 'Load of the day' },
      question: 'get_consommation',
      parameters: { granularity: 'raw' },
    },
    { title: { fr: 'Chiffres de l’année', en: 'Figures of the year' }, question: 'get_dashboard', parameters: {} },
    {
      title: { fr: 'Part bas-carbone de l’année', en: 'Low-carbon share of the year to date' },
      question: 'get_part_bas_carbone',
      parameters: {},
    },
    {
      title: { fr: 'Erreur des prévisions sur 30 jours', en: 'Forecast error over 30 days' },
      question: 'get_qualite_previsions',
      parameters: {},
    },
  ],
};

/** The pages of the earlier system; each chart is a question with its parameters. */
export const ECO2MIX_DASHBOARDS: readonly DashboardDefinition[] = [home, consumption, production, exchanges];
