import type { JSX } from 'preact';
import { number } from '../../../page/french.ts';
import type { ZonedDay } from '../../../../pipelines/zoned-day.ts';
import { localHours } from '../../local-hours.ts';
import type { ZoneOfRoads } from '../../metrics/counts.ts';
import type { DisruptionMetrics } from '../../metrics/traffic.ts';

/** The charts of the page, drawn by hand as SVG: rectangles on two axes need no chart engine. */

const WIDTH = 860;
const LABEL_WIDTH = 210;
const ROW = 22;
const TOP = 20;

/** Mean occupancy of each zone and hour; darker is more. */
export function HeatMap({
  zones,
  hours,
}: {
  readonly zones: readonly ZoneOfRoads[];
  readonly hours: readonly string[];
}): JSX.Element {
  const cell = (WIDTH - LABEL_WIDTH) / Math.max(1, hours.length);
  const most = Math.max(1, ...zones.flatMap((zone) => zone.taux_occupation_par_heure).map((value) => value ?? 0));
  return (
    <div class="scroll">
      <svg
        class="heat"
        viewBox={`0 0 ${WIDTH} ${TOP + zones.length * ROW}`}
        role="img"
        aria-label="Taux d’occupation moyen par zone et par heure"
      >
        {hours.map((hour, index) => (
          <text key={hour} x={LABEL_WIDTH + (index + 0.5) * cell} y={13} text-anchor="middle">
            {hour.slice(11, 13)}
          </text>
        ))}
        {zones.map((zone, row) => (
          <g key={zone.zone}>
            <text x={0} y={TOP + row * ROW + 15}>
              {zone.nom}
            </text>
            {zone.taux_occupation_par_heure.map((value, index) => (
              <rect
                key={hours[index]}
                class={value === null ? 'none' : undefined}
                x={(LABEL_WIDTH + index * cell + 0.5).toFixed(1)}
                y={TOP + row * ROW + 1}
                width={(cell - 1).toFixed(1)}
                height={ROW - 2}
                fill-opacity={value === null ? undefined : (0.06 + (0.94 * value) / most).toFixed(3)}
              >
                <title>{`${zone.nom}, ${hours[index]?.slice(11, 16) ?? ''} : ${number(value, 1)} %`}</title>
              </rect>
            ))}
          </g>
        ))}
      </svg>
    </div>
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
export function HourBars({ label, hours, values, usual }: HourBarsProps): JSX.Element {
  const left = 64;
  const step = (WIDTH - left) / Math.max(1, hours.length);
  const most = Math.max(1, ...values.map((value) => value ?? 0), ...usual.map((value) => value ?? 0));
  const y = (value: number): number => 10 + (1 - value / most) * (BARS_HEIGHT - 34);
  const line = usual
    .map((value, index) => (value === null ? '' : `${(left + (index + 0.5) * step).toFixed(1)} ${y(value).toFixed(1)}`))
    .filter((point) => point !== '');
  return (
    <div class="scroll">
      <svg class="bars" viewBox={`0 0 ${WIDTH} ${BARS_HEIGHT}`} role="img" aria-label={label}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line class="axis" x1={left} x2={WIDTH} y1={y(share * most)} y2={y(share * most)} />
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
    </div>
  );
}

interface TimelineProps {
  readonly disruptions: readonly DisruptionMetrics[];
  readonly day: ZonedDay;
}

const MARKED_HOURS = 6;

/** When each disruption of the day was going on. */
export function Timeline({ disruptions, day }: TimelineProps): JSX.Element {
  const [from, to] = [Date.parse(day.startAt), Date.parse(day.endAt)];
  const x = (at: string): number => LABEL_WIDTH + ((Date.parse(at) - from) / (to - from)) * (WIDTH - LABEL_WIDTH);
  const height = TOP + disruptions.length * ROW;
  const marks = localHours(day)
    .map((at) => ({ hour: Number(at.slice(11, 13)), at: x(at) }))
    .filter(({ hour }) => hour % MARKED_HOURS === 0);
  return (
    <div class="scroll">
      <svg
        class="timeline"
        viewBox={`0 0 ${WIDTH} ${height}`}
        role="img"
        aria-label="Perturbations au fil de la journée"
      >
        {marks.map(({ hour, at }) => (
          <g key={hour}>
            <line class="axis" x1={at.toFixed(1)} x2={at.toFixed(1)} y1={TOP - 4} y2={height} />
            <text x={(at + 3).toFixed(1)} y={12}>{`${hour} h`}</text>
          </g>
        ))}
        {disruptions.map((disruption, row) => (
          <g key={disruption.id}>
            <title>{disruption.titre ?? disruption.id}</title>
            <text class="name" x={0} y={TOP + row * ROW + 15}>
              {nameOf(disruption)}
            </text>
            {disruption.periodes.map(({ debut, fin }) => (
              <rect
                key={debut}
                class={disruption.severite}
                x={x(debut).toFixed(1)}
                y={TOP + row * ROW + 4}
                width={Math.max(2, x(fin) - x(debut)).toFixed(1)}
                height={ROW - 8}
                rx={2}
              />
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}

const LONGEST_NAME = 30;

function nameOf({ lignes, titre, id }: DisruptionMetrics): string {
  const name = lignes.length > 0 ? `Métro ${lignes.join(', ')}` : (titre ?? id);
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}
