import type { CsvLayout } from '../kit/index.ts';
import type { RegisterSource } from './sources-of-power.ts';

/** ODRE's register: one row a year with the installed capacity on 31 December, in MW, by source. */

/** A year, and the MW of each source on its 31 December. */
export type RegisterColumn = 'year' | RegisterSource;

/** What a file must have to be taken as the national register; names in the portal's dialects. */
export const REGISTER: CsvLayout<RegisterColumn> = {
  title: 'the register of installed capacity (ODRE parc-prod-par-filiere)',
  names: {
    year: ['annee', 'Annee', 'Année'],
    nucleaire: ['parc_nucleaire', 'Parc nucleaire (MW)', 'Parc nucléaire (MW)'],
    hydraulique: ['parc_hydraulique', 'Parc hydraulique (MW)'],
    eolien: ['parc_eolien', 'Parc eolien (MW)', 'Parc éolien (MW)'],
    solaire: ['parc_solaire', 'Parc solaire (MW)'],
    bioenergies: [
      'parc_bioenergie',
      'parc_bioenergies',
      'Parc bioenergie (MW)',
      'Parc bioénergies (MW)',
    ],
    thermique_fossile: ['parc_thermique_fossile', 'Parc thermique fossile (MW)'],
    gaz: ['parc_gaz', 'Parc gaz (MW)'],
    charbon: ['parc_charbon', 'Parc charbon (MW)'],
    fioul: ['parc_fioul', 'Parc fioul (MW)'],
  },
  required: ['year', 'eolien', 'solaire'],
  // The register by region is another one.
  foreign: ['region', 'Région'],
  usual: ['nucleaire', 'hydraulique', 'bioenergies', 'thermique_fossile'],
  unused: [],
};
