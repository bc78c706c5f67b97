import type { JSX } from 'preact';
import { FigureTable, number, PlainSection, Row } from '../../kit/page/index.ts';
import { ROWS_SHOWN } from './review.ts';
import type { ReviewRow } from './review.ts';

interface Shown {
  readonly sujet: ReviewRow['sujet'];
  readonly id: string;
  readonly title: string;
  readonly head: readonly string[];
  readonly none: string;
}

const SECTIONS: readonly Shown[] = [
  {
    sujet: 'mois retenu',
    id: 'retenus',
    title: 'Mois retenus',
    head: ['Repère', 'Motif', 'Facturé', 'Calculé', 'Écart', 'Décision'],
    none: 'Aucun mois n’est retenu.',
  },
  {
    sujet: 'mois estimé',
    id: 'estimations',
    title: 'Mois estimés, faute de relevé',
    head: ['Repère', 'Méthode', 'Facturé', 'Estimé', 'Écart', 'Décision'],
    none: 'Aucun mois sans relevé ne peut être estimé.',
  },
  {
    sujet: 'facturé autrement',
    id: 'ecarts',
    title: 'Plus grands écarts entre facturé et mesuré',
    head: ['Repère', 'Catégorie', 'Facturé', 'Mesuré', 'Écart', 'Suite'],
    none: 'Aucune ligne facturée ne diffère de la mesure.',
  },
  {
    sujet: 'régularisation',
    id: 'regularisations',
    title: 'Régularisations des mois gelés',
    head: ['Repère', 'Composante', 'Facturé', 'Calculé', 'À régulariser', 'Suite'],
    none: 'Aucun mois gelé n’a changé.',
  },
  {
    sujet: 'facture du réseau',
    id: 'reseau',
    title: 'Facture du réseau (F15, F12) et TURPE calculé',
    head: ['Repère', 'Composante', 'Facturé', 'Calculé', 'Écart', 'Explication, en euros'],
    none: 'Aucune facture du réseau ne diffère du calcul.',
  },
  {
    sujet: 'lissage',
    id: 'lissages',
    title: 'Contrats lissés à régulariser',
    head: ['Repère', 'Catégorie', 'Facturé', 'Mesuré', 'À régulariser', 'Décision'],
    none: 'Aucun contrat lissé n’est à régulariser.',
  },
];

/**
 * What the billing team looks at, on the page of the months; contracts stand under the pseudonym of
 * their month.
 */
export function Review({
  rows,
  isInvoiced,
}: {
  readonly rows: readonly ReviewRow[];
  /** Whether the network has sent any invoice: without one nothing was compared. */
  readonly isInvoiced: boolean;
}): JSX.Element {
  return (
    <>
      {SECTIONS.map((section) => (
        <Subject
          key={section.id}
          section={
            section.sujet === 'facture du réseau' && !isInvoiced
              ? { ...section, none: NOT_INVOICED }
              : section
          }
          rows={rows.filter(({ sujet }) => sujet === section.sujet)}
        />
      ))}
    </>
  );
}

const NOT_INVOICED = 'Aucune facture du réseau n’est arrivée : rien n’a été comparé.';

function Subject({
  section: { id, title, head, none },
  rows,
}: {
  readonly section: Shown;
  readonly rows: readonly ReviewRow[];
}): JSX.Element {
  return (
    <PlainSection id={id} title={title}>
      {rows.length === 0 ? (
        <p class="note">{none}</p>
      ) : (
        <>
          <FigureTable
            caption={rows.length < ROWS_SHOWN ? title : `${title}, les ${rows.length} premiers`}
            head={head}
          >
            {rows.map((row) => (
              <Row key={`${row.repere} ${row.detail}`} name={row.repere} cells={cellsOf(row)} />
            ))}
          </FigureTable>
          <p class="note">
            Un repère est le mois d’un contrat, sans le nommer ; « quotidien enedis contrat » en
            ouvre la page.
          </p>
        </>
      )}
    </PlainSection>
  );
}

function cellsOf(row: ReviewRow): string[] {
  const figure = (value: number | null): string =>
    value === null
      ? '–'
      : `${number(value, row.unite === '€' || !Number.isInteger(value) ? 2 : 0)} ${row.unite}`;
  return [
    row.detail,
    figure(row.facture),
    figure(row.calcule),
    figure(row.ecart),
    row.suite ?? '–',
  ];
}
