import type { JSX } from 'preact';
import {
  FigureTable,
  number,
  percentOf,
  PlainSection,
  Plot,
  plural,
  Row,
  signed,
} from '../../kit/page/index.ts';
import type { PlotLayout } from '../../kit/page/index.ts';
import type { DayChanges, MeterChange, ScoreSpread } from '../anomalies/changes-step.ts';
import { segmentWords } from './segment-words.ts';

/** How the scores of the day are spread, and the meters furthest from what is usual for them. */

/** Colours and spaces of both sections, and of the reasons of suspicions. */
export const CHANGES_CSS = `.histogram text{font-size:12px;fill:var(--muted)}
.histogram .all{fill:var(--load)}
.histogram .odd{fill:var(--export)}
.swatch.all{background:var(--load)}
.swatch.odd{background:var(--export)}
h3.new{margin-top:14px}
.note+.table,.plot+.table{margin-top:10px}
.rules tbody th{min-width:190px}
dl.new>div{padding:4px 0;border-bottom:1px solid var(--grid);font-size:13px}
dl.new dt{font-weight:600}
.pairs{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:8px 32px}
@media (max-width:1080px){.pairs{grid-template-columns:minmax(0,1fr)}}`;

interface ChangesProps {
  readonly changes: DayChanges | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  high_consumption: 'forte hausse',
  low_consumption: 'forte baisse',
  drift: 'dérive',
  unusual_pattern: 'profil inhabituel',
};
const SEVERITIES: Readonly<Record<string, string>> = {
  low: 'faible',
  medium: 'moyenne',
  high: 'forte',
};

/** Nothing for reports of earlier versions. */
export function ScoresSection({ changes }: ChangesProps): JSX.Element | null {
  if (changes === undefined) return null;
  const { scores } = changes;
  return (
    <PlainSection id="scores" title="Scores de la journée">
      {scores === null ? (
        <p class="note">
          Aucun modèle n’est en vigueur, ou aucun compteur n’a quatre semaines derrière lui.
        </p>
      ) : (
        <Scores scores={scores} />
      )}
    </PlainSection>
  );
}

function Scores({ scores }: { readonly scores: ScoreSpread }): JSX.Element {
  const { model, meters, odd, intervals, kinds } = scores;
  const told = intervals.filter((one) => one.meters > 0);
  return (
    <>
      <Plot draw={(layout) => <Histogram scores={scores} layout={layout} />} />
      <ul class="legend">
        <li>
          <i class="swatch all" aria-hidden="true" /> compteurs
        </li>
        <li>
          <i class="swatch odd" aria-hidden="true" /> dont inhabituels
        </li>
      </ul>
      <p class="note">
        {plural(odd, 'journée inhabituelle', 'journées inhabituelles')} sur {number(meters)} (
        {percentOf(odd / meters)}) selon le modèle {model}. Une journée inhabituelle n’est pas un
        soupçon : fêtes et vacances le sont aussi.
      </p>
      {kinds.length === 0 ? null : (
        <FigureTable caption="Journées inhabituelles" head={['Type', 'Gravité', 'Compteurs']}>
          {kinds.map(({ type, severity, meters: own }) => (
            <Row
              key={`${type} ${severity}`}
              name={TYPES[type] ?? type}
              cells={[SEVERITIES[severity] ?? severity, number(own)]}
            />
          ))}
        </FigureTable>
      )}
      <details>
        <summary>Les chiffres</summary>
        <FigureTable caption="Compteurs par score" head={['Score', 'Compteurs', 'Inhabituels']}>
          {told.map(({ from, to, meters: own, odd: ownOdd }) => (
            <Row
              key={from}
              name={`${number(from, 2)} – ${number(to, 2)}`}
              cells={[number(own), number(ownOdd)]}
            />
          ))}
        </FigureTable>
      </details>
    </>
  );
}

const HEIGHT = 200;
const BOTTOM = 20;
const TOP = 16;

function Histogram({
  scores,
  layout,
}: {
  readonly scores: ScoreSpread;
  readonly layout: PlotLayout;
}): JSX.Element {
  const { width } = layout;
  const most = Math.max(1, ...scores.intervals.map(({ meters }) => meters));
  const bar = width / scores.intervals.length;
  const height = (meters: number): number => (meters / most) * (HEIGHT - BOTTOM - TOP);
  const rect = (name: string, index: number, meters: number): JSX.Element => (
    <rect
      class={name}
      x={(index * bar + 0.5).toFixed(1)}
      y={(HEIGHT - BOTTOM - height(meters)).toFixed(1)}
      width={(bar - 1).toFixed(1)}
      height={height(meters).toFixed(1)}
    />
  );
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={`Compteurs par score : ${number(scores.odd)} inhabituels sur ${number(scores.meters)}`}
    >
      <line class="axis" x1={0} x2={width} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
      <text x={0} y={11}>
        au plus {plural(most, 'compteur', 'compteurs')}
      </text>
      {scores.intervals.map(({ from, to, meters, odd }, index) => (
        <g key={from}>
          <title>{`${number(from, 2)} – ${number(to, 2)} : ${number(meters)}, dont ${number(odd)} inhabituels`}</title>
          {rect('all', index, meters)}
          {odd === 0 ? null : rect('odd', index, odd)}
          {index % 4 === 0 ? (
            <text x={(index * bar).toFixed(1)} y={HEIGHT - 5}>
              {number(from, 1)}
            </text>
          ) : null}
        </g>
      ))}
    </svg>
  );
}

/** Nothing for reports of earlier versions. */
export function ChangesSection({ changes }: ChangesProps): JSX.Element | null {
  if (changes === undefined) return null;
  const { compared, more, less } = changes;
  return (
    <PlainSection id="ecarts" title="Plus grands écarts">
      <p class="note">
        {compared === 0
          ? 'Aucun compteur n’a quatre semaines derrière lui.'
          : `La journée de ${plural(compared, 'compteur', 'compteurs')} à côté de la moyenne de ses quatre semaines d’avant.`}
      </p>
      {compared === 0 ? null : (
        <div class="pairs">
          <Changes caption="Au-dessus de l’habitude" rows={more} />
          <Changes caption="Au-dessous de l’habitude" rows={less} />
        </div>
      )}
    </PlainSection>
  );
}

function Changes({
  caption,
  rows,
}: {
  readonly caption: string;
  readonly rows: readonly MeterChange[];
}): JSX.Element {
  return (
    <FigureTable caption={caption} head={['Compteur', 'Segment', 'kWh', 'Habitude', 'Écart']}>
      {rows.map(
        ({ meter_key: key, segment, total_kwh: total, usual_kwh: usual, change_kwh: change }) => (
          <Row
            key={key}
            name={key}
            cells={[
              segmentWords(segment, 'fr'),
              number(total, 1),
              number(usual, 1),
              signed(change, 1),
            ]}
          />
        ),
      )}
    </FigureTable>
  );
}
