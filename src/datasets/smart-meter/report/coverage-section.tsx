import type { JSX } from 'preact';
import {
  FigureTable,
  HeatMap,
  number,
  percentOf,
  PlainSection,
  Row,
} from '../../kit/page/index.ts';
import type { FleetDay } from '../marts/day.ts';
import type { RegionHour } from '../marts/fleet.ts';

/** Readings that came, by region and hour of the clock: a heat map, and the sums of each region. */

/**
 * Said before the table: a share of the readings that were expected is worth as much as what is
 * known of who should send.
 */
const EXPECTED_OF = {
  list: 'Attendus des compteurs de la liste du jour, muets compris.',
  week_before:
    'Sans liste des compteurs : attendus de ceux qui ont envoyé une journée dans la semaine d’avant.',
  reporting:
    'Sans liste ni journées précédentes, on ignore si des compteurs sont restés muets : ' +
    'les relevés attendus sont ceux des compteurs qui ont envoyé quelque chose.',
} as const;

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

interface Region {
  readonly name: string;
  readonly hours: readonly RegionHour[];
  readonly observed: number;
  readonly expected: number;
}

/** Of regions that may be published; a note alone where there is none. */
export function CoverageSection({ fleet }: { readonly fleet: FleetDay }): JSX.Element {
  const regions = regionsOf(fleet.coverage);
  return (
    <PlainSection id="couverture" title="Couverture par région">
      <p class="note">{EXPECTED_OF[fleet.metrics[0]?.expected_from ?? 'reporting']}</p>
      {regions.length === 0 ? (
        <p class="note">Aucune région de dix compteurs au moins.</p>
      ) : (
        <>
          <CoverageMap regions={regions} />
          <Regions regions={regions} />
        </>
      )}
    </PlainSection>
  );
}

function regionsOf(coverage: readonly RegionHour[]): Region[] {
  return [...new Set(coverage.map(({ region }) => region))].map((name) => {
    const hours = coverage.filter(({ region }) => region === name);
    const sum = (of: 'observed' | 'expected'): number =>
      hours.reduce((total, row) => total + row[of], 0);
    return { name, hours, observed: sum('observed'), expected: sum('expected') };
  });
}

function CoverageMap({ regions }: { readonly regions: readonly Region[] }): JSX.Element {
  return (
    <HeatMap
      label="Part des relevés reçus, par région et par heure ; le plus foncé : tous"
      columns={HOURS.map((hour) => String(hour).padStart(2, '0'))}
      rows={regions.map(({ name, hours }) => ({
        name,
        cells: HOURS.map((hour) => {
          const found = hours.find((row) => row.hour === hour);
          const value =
            found === undefined || found.expected === 0 ? null : found.observed / found.expected;
          return { value, title: `${name}, ${hour} h : ${percentOf(value)}` };
        }),
      }))}
      most={1}
    />
  );
}

function Regions({ regions }: { readonly regions: readonly Region[] }): JSX.Element {
  return (
    <FigureTable
      caption="Relevés reçus sur relevés attendus"
      head={['Région', 'Reçus', 'Attendus', 'Couverture', 'Pire heure']}
    >
      {regions.map(({ name, hours, observed, expected }) => {
        const [worst] = [...hours].sort(
          (a, b) => a.observed / a.expected - b.observed / b.expected,
        );
        return (
          <Row
            key={name}
            name={name}
            cells={[
              number(observed),
              number(expected),
              percentOf(observed / expected),
              worst === undefined
                ? '–'
                : `${worst.hour} h (${percentOf(worst.observed / worst.expected)})`,
            ]}
          />
        );
      })}
    </FigureTable>
  );
}
