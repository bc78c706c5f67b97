import type { JSX } from 'preact';
import type { CivilDate } from '../../kit/index.ts';
import { Figures, FigureTable, number, PlainSection, Row, withUnit } from '../../kit/page/index.ts';
import { expiringRates } from '../rates/expiry.ts';
import { ExpiringNote } from './daily-page.tsx';
import { renderDocument } from './document.tsx';
import type { ReviewRow } from './review.ts';
import { Review } from './review-section.tsx';

/** What one month of all contracts adds up to. */
export interface MonthTotals {
  readonly mois: string;
  /** Contracts with the month, all of them; the next members are numbers of contracts too. */
  readonly contrats: number;
  /** By the quality of their energy: read, estimated, or without one. */
  readonly reelle: number;
  readonly estimee: number;
  readonly incalculable: number;
  /** Whose meter communicates at both ends of the month. */
  readonly communicante: number;
  /** Held back until a person decides. */
  readonly retenus: number;
  /** With an error in place of an amount. */
  readonly erreurs: number;
  /** With an estimate that a person accepted, and with one that waits for a person. */
  readonly estimations: number;
  readonly estimations_a_decider: number;
  /** Oddities in the daily indexes of the month; a contract may have several. */
  readonly anomalies_r151: number;
  /**
   * Contracts whose formula bills hours over the power, and of which nobody said how many there
   * were.
   */
  readonly depassements_manquants: number;
  /**
   * What the network's invoices ask for the month; of it the difference to our amounts, and what
   * cannot be compared. Null without an invoice.
   */
  readonly reseau_facture_eur: number | null;
  readonly reseau_ecart_eur: number | null;
  readonly reseau_non_compare_eur: number | null;
  /**
   * Categories of contracts of which another quantity was invoiced than measured, and of which none
   * is known.
   */
  readonly ecarts_factures: number;
  readonly factures_sans_mesure: number;
  /**
   * A person said that it was invoiced: its amounts stay, and what changed since is in lines of
   * regularisation.
   */
  readonly est_gele: boolean;
  readonly regularisations: number;
  readonly regularisation_eur: number | null;
  readonly energie_kwh: number | null;
  readonly turpe_fixe_eur: number | null;
  readonly turpe_variable_eur: number | null;
  readonly cta_eur: number | null;
  readonly accise_eur: number | null;
}

/** The same by formula, for the newest month. */
export interface FormulaTotals {
  readonly formule: string | null;
  readonly contrats: number;
  readonly energie_kwh: number | null;
  readonly turpe_eur: number | null;
}

/**
 * What the page of months shows; nothing in it names a contract: in `review` they have a pseudonym.
 */
export interface MonthlyReport {
  readonly schema: 'enedis.monthly/1';
  /** The first of a month; nothing after it was made. */
  readonly horizon: CivilDate;
  /** Newest first. */
  readonly months: readonly MonthTotals[];
  readonly formulas: readonly FormulaTotals[];
  readonly errors: readonly { readonly erreur: string; readonly contrats: number }[];
  readonly review: readonly ReviewRow[];
  /** The flux of which a sample portal made archives up; absent for real ones. */
  readonly sample_data?: readonly string[];
}

const MONTHS_SHOWN = 24;
const AMOUNT_HEAD = [
  ...[
    'Mois',
    'kWh',
    'TURPE fixe',
    'TURPE variable',
    'CTA',
    'Accise',
    'Facture du réseau',
    'Écart (non comparé)',
  ],
  'Régularisations',
];
const QUALITY_HEAD = [
  ...[
    'Mois',
    'Contrats',
    'Réelle',
    'Estimée',
    'Incalculable',
    'Retenus',
    'Estimations (à décider)',
    'Anomalies R151',
  ],
  ...['Dépassements à fournir', 'Écarts facturés', 'Facturé sans mesure'],
];

function euros(value: number | null): string {
  return withUnit(number(value, 2), '€');
}

/** The report of the billing months as a page; no contract is named on it. */
export function renderMonthlyPage(report: MonthlyReport): string {
  return renderDocument({
    title: `Enedis · mois jusqu’au ${report.horizon}`,
    kicker: 'Flux Enedis · mois de facturation',
    heading: `Mois jusqu’au ${report.horizon}`,
    sample: report.sample_data,
    children: <Body report={report} />,
  });
}

function Body({ report }: { readonly report: MonthlyReport }): JSX.Element {
  const [newest] = report.months;
  const months = report.months.slice(0, MONTHS_SHOWN);
  return (
    <>
      <Figures
        figures={[
          ['Dernier mois', newest?.mois ?? '–', `${number(newest?.contrats ?? 0)} contrats`],
          ['Énergie', number(newest?.energie_kwh ?? null), 'kWh'],
          ['TURPE fixe', number(newest?.turpe_fixe_eur ?? null, 2), '€'],
          ['TURPE variable', number(newest?.turpe_variable_eur ?? null, 2), '€'],
        ]}
      />
      <ExpiringNote expiring={expiringRates(report.horizon)} />
      <PlainSection id="mois" title="Montants">
        <FigureTable caption="Montants par mois" head={AMOUNT_HEAD}>
          {months.map((month) => (
            <Row key={month.mois} name={month.mois} cells={amountCells(month)} />
          ))}
        </FigureTable>
      </PlainSection>
      <PlainSection id="qualite" title="Qualité">
        <FigureTable caption="Contrats par mois" head={QUALITY_HEAD}>
          {months.map((month) => (
            <Row key={month.mois} name={month.mois} cells={qualityCells(month)} />
          ))}
        </FigureTable>
        <p class="note">
          Un mois incalculable garde sa ligne, sans énergie ni montant. Un mois retenu (saut, index
          en baisse) n’est pas facturé avant qu’une personne ne l’ait regardé. Au-dessus de 36 kVA,
          la part variable n’est connue qu’avec les heures de dépassement, qu’aucun flux ne donne :
          un fichier « depassements » les fournit.
        </p>
      </PlainSection>
      <Review
        rows={report.review}
        isInvoiced={report.months.some((month) => month.reseau_facture_eur !== null)}
      />
      <PlainSection id="formules" title="Par formule tarifaire">
        <FigureTable caption={newest?.mois ?? ''} head={['Formule', 'Contrats', 'kWh', 'TURPE']}>
          {report.formulas.map(({ formule, contrats, energie_kwh: kwh, turpe_eur: turpe }) => (
            <Row
              key={formule}
              name={formule ?? 'inconnue'}
              cells={[number(contrats), number(kwh), euros(turpe)]}
            />
          ))}
        </FigureTable>
      </PlainSection>
      <PlainSection id="erreurs" title="Erreurs">
        {report.errors.length === 0 ? <p class="note">Aucune.</p> : null}
        <ul>
          {report.errors.map(({ erreur, contrats }) => (
            <li key={erreur} class="reasons">
              {erreur} ({number(contrats)})
            </li>
          ))}
        </ul>
      </PlainSection>
    </>
  );
}

function amountCells(month: MonthTotals): string[] {
  return [
    number(month.energie_kwh),
    euros(month.turpe_fixe_eur),
    euros(month.turpe_variable_eur),
    euros(month.cta_eur),
    euros(month.accise_eur),
    euros(month.reseau_facture_eur),
    month.reseau_facture_eur === null
      ? '–'
      : `${euros(month.reseau_ecart_eur ?? 0)} (${euros(month.reseau_non_compare_eur ?? 0)})`,
    month.est_gele
      ? `gelé, ${number(month.regularisations)} (${euros(month.regularisation_eur ?? 0)})`
      : '–',
  ];
}

function qualityCells(month: MonthTotals): string[] {
  return [
    number(month.contrats),
    number(month.reelle),
    number(month.estimee),
    number(month.incalculable),
    number(month.retenus),
    `${number(month.estimations)} (${number(month.estimations_a_decider)})`,
    number(month.anomalies_r151),
    number(month.depassements_manquants),
    number(month.ecarts_factures),
    number(month.factures_sans_mesure),
  ];
}
