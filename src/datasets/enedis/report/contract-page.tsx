import type { JSX } from 'preact';
import { Figures, FigureTable, number, PlainSection, Row } from '../../kit/page/index.ts';
import type { Contract, ContractBound, ContractEnergy, ContractReading } from './contract.ts';
import { renderDocument } from './document.tsx';

const DASH = '–';

/**
 * The contracts of a point as a page: events, months, periods, and each figure with the readings
 * that made it. It names a household.
 */
export function renderContractPage(
  contracts: readonly Contract[],
  sample: readonly string[] = [],
): string {
  const pdl = contracts[0]?.pdl ?? DASH;
  return renderDocument({
    title: `Enedis · contrat du point ${pdl}`,
    kicker: 'Flux Enedis · page nominative, à ne pas publier',
    heading: `Point ${pdl}`,
    sample,
    css: '\ntbody th { white-space: nowrap; }',
    children: contracts.map((contract) => <One key={contract.rsc} contract={contract} />),
  });
}

function One({ contract }: { readonly contract: Contract }): JSX.Element {
  const { rsc, months, events, energies } = contract;
  const [newest] = months;
  const last = events.at(-1);
  return (
    <>
      <PlainSection id={idOf(rsc)} title={`Contrat ${rsc}`}>
        <Figures
          figures={[
            ['Dernier mois', newest?.mois ?? DASH, newest?.qualite ?? ''],
            ['Énergie', number(newest?.energie_kwh ?? null), 'kWh'],
            ['TURPE', number(turpeOf(newest), 2), '€'],
            [
              'Formule',
              last?.formule ?? DASH,
              `${last?.puissances ?? number(last?.puissance_kva ?? null)} kVA`,
            ],
          ]}
        />
      </PlainSection>
      <Events contract={contract} />
      <Months contract={contract} />
      <Holds contract={contract} />
      <Estimates contract={contract} />
      <Changes contract={contract} />
      <Settlements contract={contract} />
      <Invoices contract={contract} />
      <Subscriptions contract={contract} />
      <PlainSection
        id={idOf(rsc, 'energies')}
        title={`Périodes d’énergie et leurs relevés · ${rsc}`}
      >
        <FigureTable
          caption={`Énergie entre deux relevés, contrat ${rsc}`}
          head={[
            'Période',
            'Mois',
            'Jours',
            'Relevé de début',
            'Relevé de fin',
            'kWh',
            'TURPE variable',
            'Qualité',
            'Remarques',
          ]}
        >
          {energies.map((energy) => (
            <Row
              key={`${energy.debut} ${energy.fin}`}
              name={spanOf(energy)}
              cells={energyCells(energy)}
            />
          ))}
        </FigureTable>
        <p class="note">
          Une période sans relevé à l’une de ses bornes reste, sans énergie ni montant.
        </p>
      </PlainSection>
      <Readings contract={contract} />
      <Lines contract={contract} />
    </>
  );
}

function turpeOf(month: Contract['months'][number] | undefined): number | null {
  const { turpe_fixe_eur: fixed = null, turpe_variable_eur: variable = null } = month ?? {};
  return fixed === null || variable === null ? null : fixed + variable;
}

function idOf(rsc: string, part = 'contrat'): string {
  return `${part}-${rsc.replaceAll(/[^A-Za-z0-9]/g, '')}`;
}

/** `2025-10-01T00:00:00+02:00` → `2025-10-01 00:00`; midnight is the day itself. */
function timeText(at: string): string {
  const [, date = at, time = ''] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(at) ?? [];
  return time === '' || time === '00:00' ? date : `${date} ${time}`;
}

function euros(value: number | null): string {
  return number(value, 2);
}

function spanOf({ debut, fin }: { readonly debut: string; readonly fin: string }): string {
  return `${debut} → ${fin}`;
}

function Events({ contract: { rsc, events } }: { readonly contract: Contract }): JSX.Element {
  return (
    <PlainSection id={idOf(rsc, 'evenements')} title={`Événements · ${rsc}`}>
      <FigureTable
        caption={`Chronologie du contrat ${rsc}`}
        head={['Date', 'Événement', 'Formule', 'kVA', 'Niveau']}
      >
        {events.map(({ date, evenement, formule, puissance_kva: power, puissances, niveau }) => (
          <Row
            key={`${date} ${evenement}`}
            name={timeText(date)}
            cells={[evenement, formule ?? DASH, puissances ?? number(power), niveau ?? DASH]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

/** A frozen month says from which version of the history it was invoiced. */
function stateOf({
  est_retenu,
  decision,
  methode_estimation,
  est_gele,
  version_facturee,
}: Contract['months'][number]): string {
  const states = [
    est_gele ? `gelé, version ${version_facturee ?? DASH}` : null,
    decision ?? (est_retenu ? 'retenu, à décider' : null),
    methode_estimation === null ? null : `estimé : ${methode_estimation}`,
  ];
  return states.filter((state) => state !== null).join(' ; ') || DASH;
}

function Months({ contract: { rsc, months } }: { readonly contract: Contract }): JSX.Element {
  return (
    <PlainSection id={idOf(rsc, 'mois')} title={`Mois et montants · ${rsc}`}>
      <FigureTable
        caption={`Mois du contrat ${rsc}, en euros`}
        head={['Mois', 'Qualité', 'kWh', 'Fixe', 'Variable', 'CTA', 'État', 'Remarques']}
      >
        {months.map((month) => (
          <Row
            key={month.mois}
            name={month.mois}
            cells={[
              month.qualite,
              number(month.energie_kwh),
              euros(month.turpe_fixe_eur),
              euros(month.turpe_variable_eur),
              euros(month.cta_eur),
              stateOf(month),
              [month.memo_puissance, month.erreur].filter((text) => text !== null).join(' ; '),
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function Holds({ contract: { rsc, holds } }: { readonly contract: Contract }): JSX.Element | null {
  if (holds.length === 0) return null;
  return (
    <PlainSection id={idOf(rsc, 'retenus')} title={`Décisions · ${rsc}`}>
      <FigureTable
        caption={`Périodes qui retiennent un mois, contrat ${rsc}`}
        head={['Unité', 'Motif', 'Période', 'Index de début', 'Index de fin', 'kWh', 'Décision']}
      >
        {holds.map((hold) => (
          <Row
            key={`${hold.unite} ${hold.debut}`}
            name={hold.unite}
            cells={[
              hold.motif,
              spanOf(hold),
              hold.index_debut ?? DASH,
              hold.index_fin ?? DASH,
              number(hold.energie_kwh),
              hold.decision ?? 'à décider',
            ]}
          />
        ))}
      </FigureTable>
      <p class="note">
        Une unité est un mois du contrat ; « quotidien decide enedis all --unit … » décide d’elle.
      </p>
    </PlainSection>
  );
}

function Settlements({
  contract: { rsc, settlements },
}: {
  readonly contract: Contract;
}): JSX.Element | null {
  if (settlements.length === 0) return null;
  return (
    <PlainSection id={idOf(rsc, 'lissage')} title={`Lissage · ${rsc}`}>
      <FigureTable
        caption={`Facturé et mesuré depuis le début du lissage, contrat ${rsc}, en kWh`}
        head={[
          'Unité',
          'Échéance',
          'Depuis',
          'Catégorie',
          'Facturé',
          'Mesuré',
          'À régulariser',
          'Décision',
        ]}
      >
        {settlements.map((one) => (
          <Row
            key={`${one.mois} ${one.categorie}`}
            name={one.unite ?? DASH}
            cells={[
              one.mois,
              one.debut_lissage,
              one.categorie,
              number(one.facture),
              number(one.calcule),
              number(one.ecart),
              one.decision ??
                (one.mois_manquants > 0 ? `${one.mois_manquants} mois manquants` : 'à décider'),
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function Invoices({
  contract: { rsc, invoices },
}: {
  readonly contract: Contract;
}): JSX.Element | null {
  if (invoices.length === 0) return null;
  return (
    <PlainSection id={idOf(rsc, 'reseau')} title={`Facture du réseau · ${rsc}`}>
      <FigureTable
        caption={`F15 et F12 à côté du TURPE calculé, contrat ${rsc}, en euros`}
        head={['Mois', 'Composante', 'Libellés', 'Facturé', 'Calculé', 'Écart', 'Explication']}
      >
        {invoices.map((one) => (
          <Row
            key={`${one.mois} ${one.composante}`}
            name={one.mois}
            cells={[
              one.composante,
              one.libelles ?? DASH,
              euros(one.facture_eur),
              euros(one.calcule_eur),
              euros(one.ecart_eur),
              one.explication ?? DASH,
            ]}
          />
        ))}
      </FigureTable>
      <p class="note">
        Les composantes sont reconnues à l’unité et au libellé : leurs codes ne sont pas publics.
      </p>
    </PlainSection>
  );
}

function Estimates({
  contract: { rsc, estimates },
}: {
  readonly contract: Contract;
}): JSX.Element | null {
  if (estimates.length === 0) return null;
  return (
    <PlainSection id={idOf(rsc, 'estimations')} title={`Estimations · ${rsc}`}>
      <FigureTable
        caption={`Périodes sans relevé, contrat ${rsc}`}
        head={['Unité', 'Période', 'Méthode', 'Appui', 'kWh', 'TURPE variable', 'Décision']}
      >
        {estimates.map((one) => (
          <Row
            key={one.debut}
            name={one.unite ?? DASH}
            cells={[
              spanOf(one),
              one.methode,
              one.appui,
              one.energie ?? DASH,
              euros(one.turpe_variable_eur),
              one.decision ?? (one.unite === null ? 'mois incomplet' : 'à décider'),
            ]}
          />
        ))}
      </FigureTable>
      <p class="note">
        Une estimation n’est facturée qu’une fois acceptée : « quotidien decide enedis all --unit …
        ».
      </p>
    </PlainSection>
  );
}

function Changes({
  contract: { rsc, changes },
}: {
  readonly contract: Contract;
}): JSX.Element | null {
  if (changes.length === 0) return null;
  return (
    <PlainSection id={idOf(rsc, 'regularisations')} title={`Régularisations · ${rsc}`}>
      <FigureTable
        caption={`Mois gelés qui ont changé depuis, contrat ${rsc}`}
        head={['Mois', 'Composante', 'Facturé', 'Calculé', 'Écart', 'Gelé', 'Cause']}
      >
        {changes.map((change) => (
          <Row
            key={`${change.mois} ${change.composante}`}
            name={change.mois}
            cells={[
              change.composante,
              amountOf(change, change.facture),
              amountOf(change, change.calcule),
              change.ecart === null ? 'en attente' : amountOf(change, change.ecart),
              `${change.gele_le.slice(0, 10)}, ${change.gele_par}`,
              change.cause ?? DASH,
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function amountOf({ unite }: { readonly unite: string }, value: number | null): string {
  return value === null ? DASH : `${number(value, unite === '€' ? 2 : 0)} ${unite}`;
}

function Subscriptions({
  contract: { rsc, subscriptions },
}: {
  readonly contract: Contract;
}): JSX.Element {
  return (
    <PlainSection id={idOf(rsc, 'abonnements')} title={`Périodes d’abonnement · ${rsc}`}>
      <FigureTable
        caption={`Puissance et formule, contrat ${rsc}`}
        head={['Période', 'Jours', 'Formule', 'kVA', 'TURPE fixe', 'Remarques']}
      >
        {subscriptions.map((span) => (
          <Row
            key={span.debut}
            name={spanOf(span)}
            cells={[
              number(span.nb_jours),
              span.formule ?? DASH,
              span.puissances ?? number(span.puissance_kva),
              euros(span.turpe_fixe_eur),
              span.erreur,
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function energyCells(energy: ContractEnergy): (JSX.Element | string | null)[] {
  const {
    mois,
    nb_jours: days,
    from,
    to,
    energie,
    turpe_variable_eur: variable,
    qualite,
    remarques,
  } = energy;
  return [
    mois,
    number(days),
    boundCell(from),
    boundCell(to),
    energie ?? DASH,
    euros(variable),
    qualite,
    remarques,
  ];
}

function boundCell({ id, source, nature, index }: ContractBound): JSX.Element | string {
  if (id === null) return 'manquant';
  return (
    <>
      <a href={`#releve-${id}`}>{source?.replace('flux_', '') ?? 'relevé'}</a> {nature} :{' '}
      {index ?? DASH}
    </>
  );
}

function Readings({ contract: { rsc, readings } }: { readonly contract: Contract }): JSX.Element {
  return (
    <PlainSection id={idOf(rsc, 'releves')} title={`Relevés · ${rsc}`}>
      <FigureTable
        caption={`Relevés du contrat ${rsc}, en kWh`}
        head={['Date', 'Flux', 'Nature', 'Côté', 'Calendrier', 'Index', 'Fichier et occurrence']}
      >
        {readings.map((reading) => (
          <Row
            key={`${reading.id} ${reading.date}`}
            name={readingName(reading)}
            cells={readingCells(reading)}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function readingName({ id, date }: ContractReading): JSX.Element {
  return <span id={`releve-${id}`}>{timeText(date)}</span>;
}

function readingCells({
  source,
  nature,
  apres,
  evenement,
  calendrier,
  index,
  occurrence,
}: ContractReading): string[] {
  const side = evenement === null ? DASH : `${apres ? 'après' : 'avant'} ${evenement}`;
  return [
    source.replace('flux_', ''),
    nature ?? DASH,
    side,
    calendrier ?? DASH,
    index ?? DASH,
    occurrence ?? DASH,
  ];
}

function Lines({ contract: { rsc, lines } }: { readonly contract: Contract }): JSX.Element | null {
  if (lines.length === 0) return null;
  return (
    <PlainSection id={idOf(rsc, 'lignes')} title={`Lignes de facture · ${rsc}`}>
      <FigureTable
        caption={`Lignes de l’ERP, contrat ${rsc}`}
        head={['Mois', 'Catégorie', 'Quantité', 'Enedis', 'État', 'Suite', 'Mémo']}
      >
        {lines.map((line, at) => (
          <Row
            key={at}
            name={line.mois ?? 'sans mois'}
            cells={[
              line.categorie ?? DASH,
              number(line.quantite, 2),
              number(line.quantite_enedis),
              line.est_brouillon ? 'brouillon' : 'facturée',
              line.a_facturer ? 'à facturer' : line.a_supprimer ? 'à supprimer' : DASH,
              line.memo,
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}
