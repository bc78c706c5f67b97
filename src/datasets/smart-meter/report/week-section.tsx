import type { JSX } from 'preact';
import { FigureTable, HeatMap, number, PlainSection, plural, Row } from '../../kit/page/index.ts';
import type { WeekHour, WeekLoad } from './week-load.ts';

/** The load by weekday and hour: a heat map, and the same figures as a table. */

const WEEKDAYS = ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi', 'dimanche'] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const LABEL = 'Énergie soutirée en moyenne par jour de la semaine et par heure';
/** Room for the longest name of a weekday. */
const LABELS = 64;

/** Colours of the heat map. */
export const WEEK_CSS = `.heat text{font-size:12px;fill:var(--muted)}
.heat rect{fill:var(--load)}
.heat .none{fill:none;stroke:var(--grid)}
.plot+.legend{margin-top:4px}
.swatch.heat{background:var(--load)}
.swatch.heat.least{opacity:.06;outline:1px solid var(--ink)}
.swatch.absent{border:1px solid var(--zero)}
details .table{max-width:none}`;

/** Nothing for reports of earlier versions, and where no day counts. */
export function WeekSection({ week }: { readonly week: WeekLoad | undefined }): JSX.Element | null {
  if (week === undefined || week.days.length === 0) return null;
  const peak = peakOf(week.hours);
  const most = peak?.mean_kwh ?? 0;
  // The Wh of one meter, the kWh of many.
  const digits = most < 10 ? 3 : most < 1_000 ? 1 : 0;
  const rows = WEEKDAYS.map((name, index) => ({
    name,
    cells: week.hours.slice(index * 24, (index + 1) * 24).map(({ hour, mean_kwh: value }) => ({
      value,
      title: `${name}, ${hour} h : ${number(value, digits)} kWh`,
    })),
  }));
  const told = peak === undefined ? undefined : rows[peak.weekday - 1]?.cells[peak.hour]?.title;
  return (
    <PlainSection id="semaine" title="Semaine type">
      <HeatMap
        label={told === undefined ? LABEL : `${LABEL} ; la plus forte : ${told}`}
        columns={HOURS.map((hour) => String(hour).padStart(2, '0'))}
        rows={rows}
        most={Math.max(1e-9, most)}
        labels={LABELS}
      />
      <Legend most={number(most, digits)} />
      <p class="note">{basisOf(week)}</p>
      <details>
        <summary>Les chiffres</summary>
        <FigureTable caption="kWh par heure, en moyenne" head={['Heure', ...WEEKDAYS]}>
          {HOURS.map((hour) => (
            <Row
              key={hour}
              name={`${hour} h`}
              cells={rows.map(({ cells }) => number(cells[hour]?.value ?? null, digits))}
            />
          ))}
        </FigureTable>
      </details>
    </PlainSection>
  );
}

/** The first hour with the largest mean. */
function peakOf(hours: readonly WeekHour[]): WeekHour | undefined {
  let peak: WeekHour | undefined;
  for (const hour of hours)
    if (hour.mean_kwh !== null && hour.mean_kwh > (peak?.mean_kwh ?? -Infinity)) peak = hour;
  return peak;
}

function Legend({ most }: { readonly most: string }): JSX.Element {
  return (
    <ul class="legend">
      <li>
        <i class="swatch heat least" aria-hidden="true" /> 0 kWh
      </li>
      <li>
        <i class="swatch heat" aria-hidden="true" /> {most} kWh, le maximum
      </li>
      <li>
        <i class="swatch absent" aria-hidden="true" /> aucune valeur
      </li>
    </ul>
  );
}

function basisOf({ days, left_out: leftOut }: WeekLoad): string {
  const basis = `Énergie soutirée par le parc en une heure : moyenne de ${plural(days.length, 'jour', 'jours')}`;
  const span = ' des quatre dernières semaines.';
  if (leftOut.length === 0) return `${basis}${span}`;
  const absent = plural(leftOut.length, 'jour', 'jours');
  return `${basis}${span} Sans ${absent} dont plus de 10 % des relevés manquent.`;
}
