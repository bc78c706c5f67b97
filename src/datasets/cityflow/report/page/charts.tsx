import type { JSX } from 'preact';
import { localHours } from '../../../kit/index.ts';
import type { ZonedDay } from '../../../kit/index.ts';
import { HeatMap, number, plural, Plot, PLOT_ROW, PLOT_TOP } from '../../../kit/page/index.ts';
import type { PlotLayout } from '../../../kit/page/index.ts';
import type { ZoneOfRoads } from '../../metrics/zone-day.ts';
import type { DisruptionMetrics } from '../../metrics/traffic.ts';

/** The charts of the page, drawn by hand as SVG: rectangles on two axes need no chart engine. */

function shortened(name: string, { longestName }: PlotLayout): string {
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
}

/** `15e arrondissement` → `15e arr.`, which fits beside figures on a telephone. */
export function shortZone(name: string): string {
  return name.replace(/arrondissements?/, 'arr.');
}

/**
 * What the bars and the line of `HourBars` are; `usual`: how many days the line stands on, 0 where
 * there is none.
 */
export function BarsLegend({
  own,
  usual,
}: {
  readonly own: string;
  readonly usual: number;
}): JSX.Element {
  return (
    <ul class="legend">
      <li>
        <i class="swatch bike" aria-hidden="true" /> {own}
      </li>
      {usual > 0 && (
        <li>
          <i class="swatch line usual" aria-hidden="true" /> Jour type (moyenne de{' '}
          {plural(usual, 'jour', 'jours')})
        </li>
      )}
    </ul>
  );
}

/** From the palest cell to the darkest. */
export function HeatLegend({ zones }: { readonly zones: readonly ZoneOfRoads[] }): JSX.Element {
  return (
    <ul class="legend">
      <li>
        <i class="swatch heat least" aria-hidden="true" /> 0 %
      </li>
      <li>
        <i class="swatch heat" aria-hidden="true" /> {number(greatestOf(zones), 1)} %, le maximum
      </li>
      <li>
        <i class="swatch absent" aria-hidden="true" /> aucune valeur
      </li>
    </ul>
  );
}

/** Greatest occupancy of any zone and hour, at least 1 %. */
function greatestOf(zones: readonly ZoneOfRoads[]): number {
  return Math.max(
    1,
    ...zones.flatMap((zone) => zone.taux_occupation_par_heure).map((value) => value ?? 0),
  );
}

const SEVERITIES: Readonly<Record<DisruptionMetrics['severite'], string>> = {
  CRITIQUE: 'critique',
  ELEVEE: 'élevée',
  MOYENNE: 'moyenne',
  FAIBLE: 'faible',
};

/** Colours of disruptions, worst first. */
export function SeverityLegend(): JSX.Element {
  return (
    <ul class="legend">
      {Object.entries(SEVERITIES).map(([severity, words]) => (
        <li key={severity}>
          <i class={`swatch ${severity}`} aria-hidden="true" /> Sévérité {words}
        </li>
      ))}
    </ul>
  );
}

interface OccupancyProps {
  readonly zones: readonly ZoneOfRoads[];
  readonly hours: readonly string[];
}

/** Mean occupancy of each zone and hour; darker is more. */
export function OccupancyMap({ zones, hours }: OccupancyProps): JSX.Element {
  return (
    <HeatMap
      label="Taux d’occupation moyen par zone et par heure"
      columns={hours.map((hour) => hour.slice(11, 13))}
      rows={zones.map(({ nom, taux_occupation_par_heure: values }) => ({
        name: shortZone(nom),
        cells: values.map((value, index) => ({
          value,
          title: `${nom}, ${hours[index]?.slice(11, 16) ?? ''} : ${number(value, 1)} %`,
        })),
      }))}
      most={greatestOf(zones)}
    />
  );
}

interface HourBarsProps {
  readonly label: string;
  readonly hours: readonly string[];
  readonly values: readonly (number | null)[];
  /** The usual value of each hour, drawn as a line. */
  readonly usual: readonly (number | null)[];
}

const BARS_HEIGHT = 180;

/** A day by the hour, with its usual course. */
export function HourBars(props: HourBarsProps): JSX.Element {
  return <Plot draw={(layout) => <HourBarsIn {...props} layout={layout} />} />;
}

function HourBarsIn(props: HourBarsProps & { readonly layout: PlotLayout }): JSX.Element {
  const { label, hours, values, usual } = props;
  const { width } = props.layout;
  const left = 64;
  const step = (width - left) / Math.max(1, hours.length);
  const most = Math.max(
    1,
    ...values.map((value) => value ?? 0),
    ...usual.map((value) => value ?? 0),
  );
  const y = (value: number): number => 10 + (1 - value / most) * (BARS_HEIGHT - 34);
  const line = usual
    .map((value, index) =>
      value === null ? '' : `${(left + (index + 0.5) * step).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .filter((point) => point !== '');
  return (
    <svg class="bars" viewBox={`0 0 ${width} ${BARS_HEIGHT}`} role="img" aria-label={label}>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line class="axis" x1={left} x2={width} y1={y(share * most)} y2={y(share * most)} />
          <text x={left - 6} y={y(share * most) + 4} text-anchor="end">
            {number(Math.round(share * most))}
          </text>
        </g>
      ))}
      {values.map((value, index) =>
        value === null ? null : (
          <rect
            key={hours[index]}
            class="own"
            x={(left + index * step + 1.5).toFixed(1)}
            y={y(value).toFixed(1)}
            width={(step - 3).toFixed(1)}
            height={(y(0) - y(value)).toFixed(1)}
          >
            <title>{`${hours[index]?.slice(11, 16) ?? ''} : ${number(value)}`}</title>
          </rect>
        ),
      )}
      {line.length > 1 && <path class="usual" d={`M${line.join('L')}`} />}
      {hours.map((hour, index) =>
        index % 3 === 0 ? (
          <text key={hour} x={left + (index + 0.5) * step} y={BARS_HEIGHT - 6} text-anchor="middle">
            {hour.slice(11, 13)} h
          </text>
        ) : null,
      )}
    </svg>
  );
}

interface TimelineProps {
  readonly disruptions: readonly DisruptionMetrics[];
  readonly day: ZonedDay;
}

const MARKED_HOURS = 6;

/** When each disruption of the day was going on. */
export function Timeline(props: TimelineProps): JSX.Element {
  return <Plot draw={(layout) => <TimelineIn {...props} layout={layout} />} />;
}

function TimelineIn({
  disruptions,
  day,
  layout,
}: TimelineProps & { readonly layout: PlotLayout }): JSX.Element {
  const { width, labels } = layout;
  const [from, to] = [Date.parse(day.startAt), Date.parse(day.endAt)];
  const x = (at: string): number =>
    labels + ((Date.parse(at) - from) / (to - from)) * (width - labels);
  const height = PLOT_TOP + disruptions.length * PLOT_ROW;
  const marks = localHours(day)
    .map((at) => ({ hour: Number(at.slice(11, 13)), at: x(at) }))
    .filter(({ hour }) => hour % MARKED_HOURS === 0);
  return (
    <svg
      class="timeline"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label="Perturbations au fil de la journée"
    >
      {marks.map(({ hour, at }) => (
        <g key={hour}>
          <line class="axis" x1={at.toFixed(1)} x2={at.toFixed(1)} y1={PLOT_TOP - 4} y2={height} />
          <text x={(at + 3).toFixed(1)} y={12}>{`${hour} h`}</text>
        </g>
      ))}
      {disruptions.map((disruption, row) => (
        <g key={disruption.id}>
          <title>{disruption.titre ?? disruption.id}</title>
          <text class="name" x={0} y={PLOT_TOP + row * PLOT_ROW + 15}>
            {shortened(nameOf(disruption), layout)}
          </text>
          {disruption.periodes.map(({ debut, fin }) => (
            <rect
              key={debut}
              class={disruption.severite}
              x={x(debut).toFixed(1)}
              y={PLOT_TOP + row * PLOT_ROW + 4}
              width={Math.max(2, x(fin) - x(debut)).toFixed(1)}
              height={PLOT_ROW - 8}
              rx={2}
            />
          ))}
        </g>
      ))}
    </svg>
  );
}

function nameOf({ lignes, titre, id }: DisruptionMetrics): string {
  return lignes.length > 0 ? `Métro ${lignes.join(', ')}` : (titre ?? id);
}
