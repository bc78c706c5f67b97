import type { JSX } from 'preact';
import { REVISIONS, SAMPLE_WORDS } from '../../../kit/index.ts';
import type { CheckResult, JsonObject } from '../../../kit/index.ts';
import {
  AcceptedMark,
  FigureTable,
  number,
  percentOf,
  PlainSection,
  Row,
  UNKNOWN,
} from '../../../kit/page/index.ts';
import type { DayMetrics, Series } from '../../metrics-model.ts';
import { SOURCES, STORAGES } from '../../metrics-model.ts';
import type { ArtefactIdentity, Provenance, ReportModel } from '../model.ts';
import { QUANTITIES } from '../quantities.ts';
import { heldSamples } from './samples.ts';
import { Section } from './section.tsx';
import { checkName, quantityName, REVISION_WORDS } from './words.ts';

/** Expected and observed samples of every column, and how final the day is. */
export function CoverageSection({ model }: { model: ReportModel }): JSX.Element {
  const { metrics } = model;
  const counts = metrics.instants_by_revision;
  return (
    <PlainSection id="coverage" title="Couverture et révision">
      <div class="split even">
        <CoverageTable
          metrics={metrics}
          caption="Consommation, échanges et intensité carbone"
          of={(name) => !isGeneration(name)}
        />
        <CoverageTable metrics={metrics} caption="Production et stockage" of={isGeneration} />
      </div>
      <p class="note">
        Instants de consommation par révision&nbsp;:{' '}
        {REVISIONS.map(
          (revision) => `${REVISION_WORDS[revision]} ${number(counts[revision])}`,
        ).join(', ')}
        . Une énergie est celle des valeurs observées ; un trou n’est jamais comblé.
      </p>
    </PlainSection>
  );
}

const GENERATION: readonly string[] = [...SOURCES, ...STORAGES];

function isGeneration(quantity: string): boolean {
  return GENERATION.includes(quantity);
}

interface CoverageTableProps {
  readonly metrics: DayMetrics;
  readonly caption: string;
  readonly of: (quantity: string) => boolean;
}

function CoverageTable({ metrics, caption, of }: CoverageTableProps): JSX.Element {
  return (
    <FigureTable
      class="coverage"
      caption={caption}
      head={['Grandeur', 'Pas', 'Valeurs', 'Couverture', 'De 0\u00a0h à 24\u00a0h']}
    >
      {QUANTITIES.filter(({ name }) => of(name)).map((quantity) => {
        const { expected_samples, observed_samples, coverage } = quantity.coverage(metrics);
        return (
          <Row
            key={quantity.name}
            class={
              observed_samples === 0
                ? 'absent'
                : observed_samples < expected_samples
                  ? 'flawed'
                  : undefined
            }
            name={quantityLabel(quantity.name)}
            cells={[
              observed_samples === 0 ? UNKNOWN : stepText(metrics.hours, expected_samples),
              `${number(observed_samples)} / ${number(expected_samples)}`,
              percentOf(coverage),
              <Strip key="strip" series={quantity.curve(metrics.curves)} />,
            ]}
          />
        );
      })}
    </FigureTable>
  );
}

function quantityLabel(name: string): string {
  return name.startsWith('ech_comm_') ? `Éch. ${quantityName(name)}` : quantityName(name);
}

/**
 * Where parts of a day come from sources of different steps, its samples are those of neither step
 * alone.
 */
function stepText(hours: number, expectedSamples: number): string {
  const minutes = (hours * 60) / expectedSamples;
  return minutes === 15 || minutes === 30 ? `${minutes}\u00a0min` : '15, 30\u00a0min';
}

/** Where the day was observed, as bars on a line of the day. */
function Strip({ series }: { series: Series }): JSX.Element {
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${series.length} 8`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="empty" width={series.length} height="8" />
      {runsOf(heldSamples(series)).map(({ from, to }) => (
        <rect key={from} class="seen" x={from} width={to - from} height="8" />
      ))}
    </svg>
  );
}

function runsOf(series: Series): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  series.forEach((value, index) => {
    const last = runs.at(-1);
    if (value === null) return;
    if (last?.to === index) last.to = index + 1;
    else runs.push({ from: index, to: index + 1 });
  });
  return runs;
}

const SEVERITIES: Readonly<Record<CheckResult['severity'], string>> = {
  warn: 'signalement',
  hold: 'mise en attente',
  fail: 'bloquant',
};

/** All checks, also those without findings, and what people accepted. */
export function ChecksSection({ model }: { model: ReportModel }): JSX.Element {
  const { results } = model.checks;
  return (
    <Section name="checks" model={model}>
      <FigureTable
        class="checks"
        caption="Contrôles de la table de la journée"
        head={['Contrôle', 'Gravité', 'Lignes', 'Anomalies', 'Résultat']}
      >
        {results.map((result) => (
          <Row
            key={result.check}
            name={<CheckName result={result} />}
            cells={[
              SEVERITIES[result.severity],
              number(result.tested),
              number(result.failed),
              <span key="result" class={`status ${result.failed > 0 ? 'degraded' : 'ok'}`}>
                {result.failed > 0 ? 'anomalies' : 'conforme'}
              </span>,
            ]}
          />
        ))}
      </FigureTable>
      <AcceptedMark holds={model.accepted} titleOf={checkName} />
    </Section>
  );
}

function CheckName({ result }: { result: CheckResult }): JSX.Element {
  return (
    <>
      {checkName(result.check)} <code>{result.check}</code>
      {result.examples.length > 0 && (
        <ul class="examples">
          {result.examples.map((example, index) => (
            <li key={index}>{exampleText(example)}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function exampleText(example: JsonObject): string {
  return Object.entries(example)
    .map(
      ([name, value]) =>
        `${name} = ${value === null ? 'vide' : typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    )
    .join(' · ');
}

/**
 * From the folder of the page to the log of all downloads, both under the names that readers know.
 */
const DOWNLOAD_LOG = '../../logs/download_log.csv';

/** Hashes of slices and artefacts; no time of collection, which would change the bytes. */
export function ProvenanceSection({ model }: { model: ReportModel }): JSX.Element {
  const { slices, artefacts, unknown_columns, step_versions } = model.provenance;
  const versions = Object.entries(step_versions);
  return (
    <PlainSection id="provenance" title="Provenance">
      <FigureTable
        class="provenance"
        caption="Tranches publiées dont la journée est faite"
        head={['Jeu de données', 'Lignes', 'SHA-256']}
      >
        {slices.map(({ part, dataset, rows, sha256 }) => (
          <Row
            key={part}
            name={
              <DatasetName
                part={part}
                dataset={dataset}
                isMadeUp={model.sample_data?.includes(part) === true}
              />
            }
            cells={[number(rows), <Hash value={sha256} />]}
          />
        ))}
      </FigureTable>
      <FigureTable
        class="provenance"
        caption="Artefacts dont le rapport est fait"
        head={['Artefact', 'Octets', 'SHA-256']}
      >
        {artefactRows(artefacts).map(([name, identity]) => (
          <Row
            key={name}
            name={name}
            cells={[number(identity?.bytes ?? null), <Hash value={identity?.sha256 ?? null} />]}
          />
        ))}
      </FigureTable>
      <p class="note">
        Heure de collecte de chaque fichier&nbsp;:{' '}
        <a href={DOWNLOAD_LOG}>journal des téléchargements</a>, dont les lignes disent aussi de
        quels jours un fichier parle. Elle n’est pas sur la page, que les mêmes données refont à
        l’octet près, quel que soit le jour de leur collecte.
      </p>
      <p class="note">
        Schémas&nbsp;: {model.schema}, {model.metrics.schema}
        {model.comparison === null ? '' : `, ${model.comparison.schema}`}.
        {versions.length > 0 &&
          ` Versions des étapes\u00a0: ${versions.map(([step, version]) => `${step} v${version}`).join(', ')}.`}
        {unknown_columns.length > 0 &&
          ` Colonnes inconnues du producteur, ignorées\u00a0: ${unknown_columns.join(', ')}.`}
      </p>
    </PlainSection>
  );
}

function artefactRows(
  artefacts: Provenance['artefacts'],
): readonly (readonly [string, ArtefactIdentity | null])[] {
  return [
    ['Table de la journée', artefacts.core],
    ['Indicateurs', artefacts.metrics],
    ['Comparaisons', artefacts.comparison],
  ];
}

interface DatasetNameProps {
  readonly part: string;
  readonly dataset: string;
  readonly isMadeUp: boolean;
}

function DatasetName({ part, dataset, isMadeUp }: DatasetNameProps): JSX.Element {
  if (isMadeUp) return <>{`${part}, ${SAMPLE_WORDS}`}</>;
  if (!dataset.startsWith('eco2mix-national-')) return <>{dataset}</>;
  return (
    <>
      <a href={`https://odre.opendatasoft.com/explore/dataset/${encodeURIComponent(dataset)}/`}>
        {dataset}
      </a>{' '}
      ({part})
    </>
  );
}

function Hash({ value }: { value: string | null }): JSX.Element {
  return value === null ? <>{UNKNOWN}</> : <code class="hash">{value}</code>;
}
