import type { JSX } from 'preact';
import {
  Figures,
  FigureTable,
  longDate,
  number,
  percentOf,
  PlainSection,
  Row,
} from '../../kit/page/index.ts';
import { refusalWords, ruleWords } from '../quality/words.ts';
import { Curve } from '../report/curve.tsx';
import { renderDocument } from '../report/document.tsx';
import { segmentWords } from '../report/segment-words.ts';
import type { MeterDay, OneMeter } from './read-meter.ts';
import { HONEST_REASONS, isTold, reasonsFor } from '../anomalies/reasons.ts';

/** A page for whoever runs the meters: it tells of one household. */
export function renderMeterPage(meter: OneMeter): string {
  return renderDocument({
    title: `Compteur ${meter.meter_key}`,
    kicker: 'Compteurs communicants · page d’un foyer, à ne pas publier',
    heading: (
      <>
        Compteur {meter.meter_key},{' '}
        <span class="date">
          {longDate(meter.from)} – {longDate(meter.to)}
        </span>
      </>
    ),
    children: <Body meter={meter} />,
    sample: meter.sample,
  });
}

function Body({ meter }: { readonly meter: OneMeter }): JSX.Element {
  const used = meter.days.filter(({ channel }) => channel === 'import');
  const sum = (of: 'total_wh' | 'observed' | 'expected'): number =>
    used.reduce((total, day) => total + day[of], 0);
  const [newest] = meter.suspicions;
  return (
    <>
      <Figures
        figures={[
          ['Consommation', number(sum('total_wh') / 1000, 1), `kWh en ${used.length} jours`],
          [
            'Relevés',
            percentOf(sum('expected') === 0 ? null : sum('observed') / sum('expected')),
            'de ceux attendus',
          ],
          ['En défaut', number(meter.failures.length), 'lignes, règles de qualité'],
          [
            'Soupçon',
            newest === undefined ? 'aucun' : number(newest.lasting, 2),
            newest === undefined ? '' : 'sur 1',
          ],
        ]}
      />
      <Place meter={meter} />
      <Load meter={meter} used={used} />
      <Suspicions meter={meter} />
      <Scores meter={meter} />
      <Quality meter={meter} />
      <Days meter={meter} />
      <Losses meter={meter} />
    </>
  );
}

function Place({ meter: { place } }: { readonly meter: OneMeter }): JSX.Element {
  return (
    <PlainSection id="place" title="Où il est">
      {place === null ? (
        <p class="note">Aucune liste de ces jours n’a ce compteur.</p>
      ) : (
        <FigureTable
          caption="D’après la liste des compteurs"
          head={['Segment', 'Région', 'Transformateur', 'Départ', 'kVA', 'Tarif', 'Depuis']}
        >
          <Row
            name={place.segment === null ? '–' : segmentWords(place.segment, 'fr')}
            cells={[
              ...[
                place.region ?? '–',
                place.transformer ?? '–',
                place.feeder ?? '–',
                number(place.kva),
              ],
              ...[place.tariff ?? '–', place.since],
            ]}
          />
        </FigureTable>
      )}
    </PlainSection>
  );
}

/** More half-hours than these are no curve any more. */
const DAYS_OF_CURVE = 8;

interface Interval {
  /** ISO instant. */
  readonly at: string;
  readonly measured: number | null;
  readonly estimated: number | null;
}

/**
 * Every interval from the first withdrawn reading to the last, at the distance of the last one's
 * step.
 */
function intervalsOf({ readings, estimates }: OneMeter): Interval[] {
  const imported = readings.filter(({ channel }) => channel === 'import');
  const guesses = estimates.filter(({ channel }) => channel === 'import');
  const measured = new Map(imported.map((one) => [Date.parse(one.start_at), one.energy_wh]));
  const estimated = new Map<number, number | null>(
    [...imported, ...guesses].map((one) => [Date.parse(one.start_at), one.estimate_wh]),
  );
  if (estimated.size === 0) return [];
  const step = (imported.at(-1)?.step_min ?? 30) * 60_000;
  const [first, last] = [Math.min(...estimated.keys()), Math.max(...estimated.keys())];
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index): Interval => {
    const at = first + index * step;
    const own = { measured: measured.get(at) ?? null, estimated: estimated.get(at) ?? null };
    return { at: new Date(at).toISOString(), ...own };
  });
}

function Load({
  meter,
  used,
}: {
  readonly meter: OneMeter;
  readonly used: readonly MeterDay[];
}): JSX.Element {
  const { typical } = meter;
  const half = (index: number): string =>
    `${String(index >> 1).padStart(2, '0')}:${index % 2 === 0 ? '00' : '30'}`;
  const intervals = intervalsOf(meter).slice(-48 * DAYS_OF_CURVE);
  const points = (value: (interval: Interval) => number | null) =>
    intervals.map((one) => ({
      label: `${one.at.slice(5, 10)} ${one.at.slice(11, 16)}`,
      value: value(one),
    }));
  const hasCohort = typical.some(({ cohort_wh: wh }) => wh !== null);
  return (
    <PlainSection id="charge" title="Charge">
      <Curve
        title="Énergie soutirée par jour"
        unit="kWh"
        curves={[
          {
            name: 'import',
            points: used.map((day) => ({ label: day.date.slice(5), value: day.total_wh / 1000 })),
          },
        ]}
      />
      <Curve
        title={`Derniers relevés (heure universelle), ${intervals.length} intervalles : mesurés (bleu), estimés (ocre) ; un trou n’a ni l’un ni l’autre`}
        unit="Wh"
        curves={[
          { name: 'import', points: points(({ measured }) => measured) },
          { name: 'export', points: points(({ estimated }) => estimated) },
        ]}
      />
      <Curve
        title={
          hasCohort
            ? 'Journée moyenne du compteur (bleu) et de sa cohorte (ocre), par demi-heure locale'
            : 'Journée moyenne du compteur, par demi-heure locale ; sa cohorte est trop petite ou inconnue'
        }
        unit="Wh"
        curves={[
          {
            name: 'import',
            points: typical.map((row) => ({ label: half(row.half_hour), value: row.own_wh })),
          },
          ...(hasCohort
            ? [
                {
                  name: 'export' as const,
                  points: typical.map((row) => ({
                    label: half(row.half_hour),
                    value: row.cohort_wh,
                  })),
                },
              ]
            : []),
        ]}
      />
    </PlainSection>
  );
}

const SHAPES = { all_day: 'toute la journée', evening: 'le soir', zeros: 'jours à zéro' } as const;

function Suspicions({ meter: { suspicions } }: { readonly meter: OneMeter }): JSX.Element {
  const [newest] = suspicions;
  if (newest === undefined)
    return (
      <PlainSection id="soupcons" title="Soupçons">
        <p class="note">Rien ne manque à ce compteur, ou l’historique est trop court.</p>
      </PlainSection>
    );
  return (
    <PlainSection id="soupcons" title="Soupçons">
      <p>
        {isTold(newest) ? 'Soupçonné' : 'Regardé, sans être signalé'} le {longDate(newest.date)}
        &nbsp;:
      </p>
      <ul>
        {reasonsFor(newest).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <p class="note">Ce qui l’expliquerait honnêtement : {HONEST_REASONS.join(', ')}.</p>
      <FigureTable
        caption="Jour après jour"
        head={[
          'Jour',
          'Forme',
          'Score',
          'Durable',
          'Confirmé',
          'Manque (kWh/jour)',
          'Usage',
          'Talon',
          'Soir',
        ]}
      >
        {suspicions.map((row) => (
          <Row
            key={row.date}
            name={row.date}
            cells={[
              ...[
                SHAPES[row.shape],
                number(row.score, 2),
                number(row.lasting, 2),
                percentOf(row.confirmed, 0),
              ],
              ...[
                number(row.missing_wh_per_day / 1000, 1),
                percentOf(row.use_ratio, 0),
                percentOf(row.base_ratio, 0),
              ],
              percentOf(row.evening_ratio, 0),
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

const TYPES = {
  high_consumption: 'consommation haute',
  low_consumption: 'consommation basse',
  drift: 'dérive',
  unusual_pattern: 'forme inhabituelle',
} as const;
const SEVERITIES = { low: 'faible', medium: 'moyenne', high: 'forte' } as const;

function Scores({ meter: { scores } }: { readonly meter: OneMeter }): JSX.Element {
  return (
    <PlainSection id="scores" title="Journées inhabituelles">
      {scores.length === 0 ? (
        <p class="note">
          Non disponible : aucun modèle n’est en vigueur, ou l’historique est trop court.
        </p>
      ) : (
        <FigureTable
          caption="Selon le modèle en vigueur ; une journée inhabituelle n’est l’indice de rien"
          head={['Jour', 'Score', 'Inhabituelle', 'Type', 'Gravité', 'Modèle']}
        >
          {scores.map((row) => (
            <Row
              key={row.date}
              name={row.date}
              cells={[
                ...[number(row.anomaly_score, 3), row.is_anomaly_ml ? 'oui' : 'non'],
                ...[row.anomaly_type === null ? '–' : TYPES[row.anomaly_type]],
                ...[row.severity === null ? '–' : SEVERITIES[row.severity], row.model],
              ]}
            />
          ))}
        </FigureTable>
      )}
    </PlainSection>
  );
}

/** Of rows that fail in every interval. */
const FAILURES_SHOWN = 100;

function Quality({ meter }: { readonly meter: OneMeter }): JSX.Element {
  const { failures, rejects, conflicts, held } = meter;
  return (
    <PlainSection id="qualite" title="Qualité">
      {failures.length === 0 ? (
        <p class="note">Aucune ligne n’est en défaut.</p>
      ) : (
        <FigureTable
          caption="Règles en défaut"
          head={['Règle', 'Jour', 'Intervalle (UTC)', 'Observé', 'Admis']}
        >
          {failures
            .slice(0, FAILURES_SHOWN)
            .map(({ rule, date, failed_at: at, observed, allowed }) => (
              <Row
                key={`${rule} ${date} ${at}`}
                name={ruleWords(rule, 'fr')}
                cells={[
                  date,
                  at === null ? '–' : at.slice(11, 16),
                  number(observed, 1),
                  number(allowed, 1),
                ]}
              />
            ))}
        </FigureTable>
      )}
      {held.map(({ date, group_name: group, rule }) => (
        <p key={`${date} ${rule}`} class="state">
          {`Retenu le ${longDate(date)}, dans aucune figure du parc : ${ruleWords(rule, 'fr')} (groupe ${group}).`}
        </p>
      ))}
      {failures.length > FAILURES_SHOWN ? (
        <p class="note">Et {failures.length - FAILURES_SHOWN} autres.</p>
      ) : null}
      <p class="note">
        {`${number(conflicts.length)} intervalles où des lignes se contredisent ; `}
        {rejects.length === 0
          ? 'aucune ligne refusée.'
          : `lignes refusées : ${rejects.map(({ reason, rows }) => `${refusalWords(reason, 'fr')} ${rows}`).join(', ')}.`}
      </p>
    </PlainSection>
  );
}

function Days({ meter: { days } }: { readonly meter: OneMeter }): JSX.Element {
  const kwh = (wh: number | null): string => number(wh === null ? null : wh / 1000, 2);
  return (
    <PlainSection id="jours" title="Jours">
      <FigureTable
        caption="Énergies en kWh ; les relevés estimés ne sont dans aucune somme"
        head={[
          'Jour',
          'Sens',
          'Total',
          'Pointe',
          'à',
          'Talon',
          'Nuit',
          'Soir',
          'Reçus',
          'Estimés',
          'Nuls',
          'Facteur de charge',
        ]}
      >
        {days.map((day) => (
          <Row
            key={`${day.date} ${day.channel}`}
            name={day.date}
            cells={[
              ...[
                day.channel === 'import' ? 'soutirage' : 'injection',
                kwh(day.total_wh),
                kwh(day.peak_wh),
              ],
              ...[
                day.peak_hour === null ? '–' : `${day.peak_hour} h`,
                kwh(day.base_wh),
                kwh(day.night_wh),
              ],
              ...[
                kwh(day.evening_wh),
                `${day.observed} / ${day.expected}`,
                number(day.estimated),
                number(day.zeros),
              ],
              percentOf(day.load_factor, 0),
            ]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

function Losses({ meter: { losses, place } }: { readonly meter: OneMeter }): JSX.Element {
  return (
    <PlainSection id="transformateur" title={`Transformateur ${place?.transformer ?? 'inconnu'}`}>
      {losses.length === 0 ? (
        <p class="note">
          Non disponible : son énergie injectée ou la liste de ses compteurs manque.
        </p>
      ) : (
        <FigureTable
          caption="Bilan par jour"
          head={['Jour', 'Compteurs', 'Couverture', 'Perte', 'Reste (kWh)']}
        >
          {losses.map((row) => (
            <Row
              key={row.date}
              name={row.date}
              cells={[
                number(row.meters),
                percentOf(row.coverage),
                percentOf(row.loss_rate),
                number(row.rest_kwh, 1),
              ]}
            />
          ))}
        </FigureTable>
      )}
    </PlainSection>
  );
}
