import type { DashboardDefinition } from '../../kit/index.ts';
import { SOURCES } from '../metrics-model.ts';
import { labelOf } from './quantities.ts';

const RAW = { granularity: 'raw' } as const;
const MONTHLY = { granularity: 'monthly' } as const;
const ANNUAL = { granularity: 'annual' } as const;

const consumption: DashboardDefinition = {
  id: 'eco2mix-consumption',
  title: { fr: 'Consommation', en: 'Consumption' },
  charts: [
    {
      title: { fr: 'Puissance, par état des données', en: 'Power, by how final the data are' },
      question: 'get_courbe_consommation',
      parameters: {},
    },
    {
      title: { fr: 'Énergie par année', en: 'Energy by year' },
      question: 'get_consommation',
      parameters: ANNUAL,
    },
    {
      title: { fr: 'Énergie par mois', en: 'Energy by month' },
      question: 'get_consommation',
      parameters: MONTHLY,
    },
  ],
};

const production: DashboardDefinition = {
  id: 'eco2mix-production',
  title: { fr: 'Production', en: 'Generation' },
  charts: [
    {
      title: { fr: 'Puissance par filière', en: 'Power by source' },
      question: 'get_mix',
      parameters: RAW,
      kind: 'line',
    },
    {
      title: { fr: 'Énergie par année', en: 'Energy by year' },
      question: 'get_mix',
      parameters: ANNUAL,
    },
    {
      title: { fr: 'Énergie par mois', en: 'Energy by month' },
      question: 'get_mix',
      parameters: MONTHLY,
    },
    {
      title: { fr: 'Parc éolien et solaire installé', en: 'Installed wind and solar capacity' },
      question: 'get_parc_installe',
      parameters: {},
    },
    ...SOURCES.map((source) => ({
      title: { fr: labelOf(source), en: labelOf(source) },
      question: 'get_production',
      parameters: { filiere: source, ...ANNUAL },
    })),
  ],
};

const exchanges: DashboardDefinition = {
  id: 'eco2mix-exchanges',
  title: { fr: 'Échanges', en: 'Exchanges' },
  charts: [
    {
      title: { fr: 'Puissance par pays', en: 'Power by country' },
      question: 'get_courbes_echanges',
      parameters: {},
    },
    {
      title: { fr: 'Tous les pays', en: 'All countries' },
      question: 'get_echanges',
      parameters: RAW,
    },
    {
      title: {
        fr: 'Import et export par année, et leur solde',
        en: 'Imports and exports by year, and their balance',
      },
      question: 'get_echanges_energie',
      parameters: ANNUAL,
    },
    {
      title: { fr: 'Solde avec chaque pays', en: 'Balance with each country' },
      question: 'get_soldes',
      parameters: {},
    },
  ],
};

const home: DashboardDefinition = {
  id: 'eco2mix-home',
  title: { fr: 'Accueil', en: 'Home' },
  charts: [
    {
      title: { fr: 'Chiffres de l’année', en: 'Figures of the year' },
      question: 'get_dashboard',
      parameters: {},
    },
    {
      title: { fr: 'Éolien et solaire installés', en: 'Installed wind and solar' },
      question: 'get_parc_evolution',
      parameters: {},
    },
    {
      title: { fr: 'Consommation du jour', en: 'Load of the day' },
      question: 'get_consommation',
      parameters: RAW,
    },
    {
      title: { fr: 'Production du jour', en: 'Generation of the day' },
      question: 'get_mix',
      parameters: RAW,
    },
    {
      title: { fr: 'Solde avec chaque pays', en: 'Balance with each country' },
      question: 'get_soldes',
      parameters: {},
    },
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
export const ECO2MIX_DASHBOARDS: readonly DashboardDefinition[] = [
  home,
  consumption,
  production,
  exchanges,
];
