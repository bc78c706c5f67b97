import { csvText, SAMPLE_WORDS } from '../../kit/index.ts';
import type { CsvCell } from '../../kit/index.ts';
import type { Report } from './model.ts';

/**
 * The report as the published table of sections: `;`, UTF-8, CRLF. Every row of a section has as
 * many fields as its header, also when the section is empty, so that a reader may count on the
 * shape.
 */

interface Section {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly CsvCell[])[];
  readonly whenEmpty: string;
}

const NOTHING = 'Aucune donnée disponible';

/**
 * Two columns for the summary, then a titled table for each section; empty sections say so in
 * words.
 */
export function reportCsv(report: Report): string {
  const rows = [
    ...summaryRows(report),
    ...sectionsOf(report).flatMap(({ title, header, rows, whenEmpty }) => {
      const width = header.length;
      const body = rows.length === 0 ? [[whenEmpty]] : rows;
      return [[''], [`=== ${title} ===`], header, ...body].map((cells) => padded(cells, width));
    }),
  ];
  return csvText(rows, { lineEnd: '\r\n' });
}

function summaryRows({ summary, sample_data: sample }: Report): CsvCell[][] {
  const rows: readonly (readonly CsvCell[])[] = [
    ['Section', 'Valeur'],
    ['Total véhicules Paris', summary.total_vehicules_paris ?? NOTHING],
    ['Temps perdu total (min)', summary.temps_perdu_total_minutes ?? NOTHING],
    ['Tronçons saturés', summary.nombre_troncons_satures ?? NOTHING],
    ['Taux disponibilité capteurs (%)', summary.taux_disponibilite_capteurs ?? NOTHING],
    ['Total vélos Paris', summary.total_velos_paris ?? NOTHING],
    ...(sample === undefined ? [] : [['Données', `${SAMPLE_WORDS} : ${sample.join(', ')}`]]),
  ];
  return rows.map((cells) => padded(cells, 2));
}

function sectionsOf(report: Report): Section[] {
  return [
    {
      title: 'TOP 10 TRONÇONS FRÉQUENTÉS',
      header: ['Tronçon', 'Débit Total'],
      rows: report.top_10_troncons_frequentes.map((arc) => [
        arc.libelle ?? arc.identifiant_arc,
        arc.debit_journalier_total,
      ]),
      whenEmpty: NOTHING,
    },
    {
      title: 'TOP 10 ZONES CONGESTIONNÉES',
      header: ['Zone', 'Temps Perdu (min)'],
      rows: report.top_10_zones_congestionnees.map((zone) => [
        zone.zone,
        zone.temps_perdu_total_minutes,
      ]),
      whenEmpty: NOTHING,
    },
    {
      title: 'CAPTEURS DÉFAILLANTS',
      header: ['ID Capteur', 'Type'],
      rows: report.capteurs_defaillants.map(({ id_compteur, type }) => [id_compteur, type]),
      // Nothing failing and nothing known are two things.
      whenEmpty:
        report.sections.bikes === 'no_data' && report.sections.comptages === 'no_data'
          ? NOTHING
          : 'Aucun capteur défaillant',
    },
    {
      title: 'ALERTES CONGESTION',
      header: ['Tronçon', 'Taux Occupation (%)', 'Sévérité'],
      rows: report.alertes_congestion.map((alert) => [
        alert.libelle ?? alert.identifiant_arc,
        alert.taux_occupation_max,
        alert.severite,
      ]),
      whenEmpty: report.sections.comptages === 'no_data' ? NOTHING : 'Aucune alerte',
    },
    {
      title: 'CHANTIERS ACTIFS',
      header: ['Identifiant', 'Typologie', 'Impact', 'Arrondissement'],
      rows: report.chantiers_actifs.map(({ identifiant, typologie, impact, arrondissement }) => [
        identifiant,
        typologie,
        impact,
        arrondissement,
      ]),
      whenEmpty: report.sections.chantiers === 'no_data' ? NOTHING : 'Aucun chantier actif',
    },
  ];
}

function padded(cells: readonly CsvCell[], width: number): CsvCell[] {
  return Array.from({ length: width }, (_, index) => cells[index] ?? null);
}
