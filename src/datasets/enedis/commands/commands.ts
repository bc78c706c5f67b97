import type { DatasetCommand } from '../../kit/index.ts';
import { FILE_OPTIONS } from './options.ts';

/** `quotidien enedis …`: calculations and files of a supplier’s billing. */
export const ENEDIS_COMMANDS: readonly DatasetCommand[] = [
  {
    name: 'turpe',
    arguments: '[file]',
    description:
      'the network tariff of lines (JSON or CSV; standard input without a file): an answer or an error for each',
    run: async (call, host) => (await import('./turpe.ts')).turpe(call, host),
  },
  {
    name: 'periodes',
    description: 'the months of all contracts as a file, with how many could be calculated',
    options: [
      { flags: '--mois <month>', description: 'YYYY-MM (default: the newest)' },
      ...FILE_OPTIONS,
    ],
    run: async (call, host) => (await import('./periods.ts')).periods(call, host),
  },
  {
    name: 'provision',
    description: 'the average month of each point, from the billed energies of R67',
    options: [
      {
        flags: '--as-of <day>',
        description: 'the twelve months before this day (default: that of the newest R67)',
      },
      ...FILE_OPTIONS,
    ],
    run: async (call, host) => (await import('./provision.ts')).provision(call, host),
  },
  {
    name: 'affaires',
    description: 'the affairs under way with their last state and age',
    options: [
      {
        flags: '--as-of <day>',
        description: 'their age on this day (default: that of the newest X12 or X13)',
      },
      ...FILE_OPTIONS,
    ],
    run: async (call, host) => (await import('./provision.ts')).affairs(call, host),
  },
  {
    name: 'taxes',
    description: 'accise and CTA of a quarter: a workbook has the sheets Résumé, Par taux, Détail',
    options: [
      { flags: '--trimestre <quarter>', description: 'such as 2025-T4 (default: the newest)' },
      ...FILE_OPTIONS,
    ],
    run: async (call, host) => (await import('./taxes.ts')).taxes(call, host),
  },
  {
    name: 'lignes',
    description:
      'invoice lines of the ERP with quantite_enedis, a_facturer, a_supprimer and memo, as Odoo reads them',
    options: [
      { flags: '--mois <month>', description: 'YYYY-MM (default: the newest)' },
      ...FILE_OPTIONS,
    ],
    run: async (call, host) => (await import('./lines.ts')).lines(call, host),
  },
  {
    name: 'regularisations',
    description:
      'what changed of a frozen month since it was invoiced, as invoice lines by category',
    options: [
      { flags: '--mois <month>', description: 'YYYY-MM (default: the newest)' },
      ...FILE_OPTIONS,
    ],
    run: async (call, host) => (await import('./regularisations.ts')).regularisations(call, host),
  },
  {
    name: 'freeze',
    arguments: '<month>',
    description:
      'say that a month was invoiced as it is now: later changes become lines of regularisation',
    options: [
      { flags: '--by <who>', description: 'who says so' },
      { flags: '--reason <text>', description: 'why, such as the number of the invoice run' },
    ],
    run: async (call, host) => (await import('./freeze.ts')).freeze(call, host),
  },
  {
    name: 'contrat',
    arguments: '<rsc-or-pdl>',
    description:
      'the page of a contract, or of those of a point: events, months, and the readings behind each figure',
    options: [
      { flags: '--output <file>', description: 'the page to write (HTML); it names a household' },
    ],
    run: async (call, host) => (await import('./contract.ts')).contract(call, host),
  },
];
