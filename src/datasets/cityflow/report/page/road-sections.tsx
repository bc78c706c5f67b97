import type { JSX } from 'preact';
import { FigureTable, number, percentOf, Row } from '../../../kit/page/index.ts';
import { STATES } from '../../thresholds.ts';
import type { Thresholds, TrafficState } from '../../thresholds.ts';
import type { DayMetrics, Report } from '../model.ts';
import { BarsLegend, HeatLegend, OccupancyMap, HourBars, shortZone } from './charts.tsx';
import { CityMap, worstState } from './map.tsx';
import type { PageInputs } from './inputs.ts';
import { Section } from './section.tsx';
import { STATE_TONES } from './tones.ts';
import { streetOf } from './words.ts';

/** The map with its legend; without a network there is nothing to draw on. */
export function MapSection({ report, metrics, map, thresholds }: PageInputs): JSX.Element | null {
  if (map === null) return null;
  const counts = countedStates(metrics, thresholds, Object.keys(map.arcs));
  return (
    <section id="carte" aria-labelledby="carte-title">
      <div class="section-head">
        <h2 id="carte-title">Carte de la journée</h2>
      </div>
      <ul class="legend">
        {STATES.map((state) => (
          <li key={state}>
            <i class={`swatch ${STATE_TONES[state].name}`} aria-hidden="true" /> {state} (
            {number(counts.get(state) ?? 0)})
          </li>
        ))}
        <li>
          <i class="swatch work" aria-hidden="true" /> Chantier actif
        </li>
      </ul>
      <CityMap
        map={map}
        arcs={metrics.comptages?.metrics ?? []}
        works={metrics.chantiers?.chantiers_actifs ?? []}
        ranked={report.top_10_troncons_congestionnes}
        thresholds={thresholds}
      />
      <p class="note">
        Largeur du trait : véhicules de la journée. Couleur : état le plus chargé atteint pendant
        une heure au moins ; il ne dit rien du reste de la journée. Numéros : les dix tronçons qui
        perdent le plus de temps. Le nom d’une rue s’affiche sous le pointeur.
      </p>
    </section>
  );
}

/** How many segments of the map were at worst in each state. */
function countedStates(
  metrics: DayMetrics,
  thresholds: Thresholds,
  ids: readonly string[],
): Map<TrafficState, number> {
  const byId = new Map((metrics.comptages?.metrics ?? []).map((arc) => [arc.identifiant_arc, arc]));
  const counts = new Map<TrafficState, number>();
  for (const id of ids) {
    const state = worstState(byId.get(id), thresholds);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

/** Vehicles by hour, occupancy by zone and hour, and four lists. */
export function RoadSection({ report, metrics }: PageInputs): JSX.Element {
  const { comptages, history } = metrics;
  const hours = comptages?.by_hour ?? [];
  const zones = (comptages?.by_zone ?? []).filter((zone) => zone.taux_occupation_moyen !== null);
  return (
    <Section name="comptages" report={report}>
      <h3>Véhicules par heure, sur tous les capteurs</h3>
      <BarsLegend own="La journée" usual={history?.jour_type.vehicules?.jours ?? 0} />
      <HourBars
        label="Véhicules par heure"
        hours={hours.map(({ heure }) => heure)}
        values={hours.map(({ vehicules }) => vehicules)}
        usual={usualOf(
          hours.map(({ heure }) => heure),
          history?.jour_type.vehicules?.par_heure,
        )}
      />
      <h3>Taux d’occupation moyen par zone et par heure</h3>
      <HeatLegend zones={zones} />
      <OccupancyMap zones={zones} hours={hours.map(({ heure }) => heure)} />
      <div class="lists">
        <BusiestTable report={report} />
        <LostTimeTable report={report} />
        <AlertTable report={report} />
        <ZoneTable metrics={metrics} />
      </div>
    </Section>
  );
}

/** The usual value of each hour by its clock. */
export function usualOf(
  hours: readonly string[],
  byClock: readonly (number | null)[] | undefined,
): (number | null)[] {
  return hours.map((hour) => byClock?.[Number(hour.slice(11, 13))] ?? null);
}

function BusiestTable({ report }: { report: Report }): JSX.Element {
  return (
    <FigureTable
      caption="Tronçons les plus fréquentés"
      head={['Tronçon', 'Véhicules', 'Maximum/h', 'Pic']}
    >
      {report.top_10_troncons_frequentes.map((arc) => (
        <Row
          key={arc.identifiant_arc}
          name={streetOf(arc)}
          cells={[
            number(arc.debit_journalier_total),
            number(arc.debit_max),
            arc.heure_pic?.slice(11, 16) ?? '–',
          ]}
        />
      ))}
    </FigureTable>
  );
}

function LostTimeTable({ report }: { report: Report }): JSX.Element {
  return (
    <FigureTable caption="Temps perdu" head={['Tronçon', 'Zone', 'Minutes', 'Par véhicule']}>
      {report.top_10_troncons_congestionnes.map((arc, index) => (
        <Row
          key={arc.identifiant_arc}
          name={`${index + 1}. ${streetOf(arc)}`}
          cells={[
            shortZone(arc.zone ?? '–'),
            number(arc.temps_perdu_total_minutes),
            number(arc.temps_perdu_minutes, 3),
          ]}
        />
      ))}
    </FigureTable>
  );
}

/** `32`, or `20 sur 32` where not all are listed. */
export function shownOf(shown: number, all: number): string {
  return shown < all ? `${number(shown)} sur ${number(all)}` : number(all);
}

function AlertTable({ report }: { report: Report }): JSX.Element {
  return (
    <FigureTable
      caption={`Alertes de congestion (${shownOf(report.alertes_congestion.length, report.totaux.alertes)})`}
      head={['Tronçon', 'Occupation max.', 'Sévérité', 'Depuis']}
    >
      {report.alertes_congestion.map((alert) => (
        <Row
          key={alert.identifiant_arc}
          name={streetOf(alert)}
          cells={[
            `${number(alert.taux_occupation_max, 1)} %`,
            alert.severite,
            alert.alerte?.depuis.slice(11, 16) ?? '–',
          ]}
        />
      ))}
    </FigureTable>
  );
}

function ZoneTable({ metrics }: { metrics: DayMetrics }): JSX.Element {
  return (
    <FigureTable
      caption="Zones"
      head={['Zone', 'Tronçons', 'Surtout saturés', 'Occupation', 'Temps perdu (min)']}
    >
      {(metrics.comptages?.by_zone ?? []).map((zone) => (
        <Row
          key={zone.zone}
          name={shortZone(zone.nom)}
          cells={[
            number(zone.troncons),
            number(zone.troncons_satures),
            percentOf(
              zone.taux_occupation_moyen === null ? null : zone.taux_occupation_moyen / 100,
            ),
            number(zone.temps_perdu_minutes),
          ]}
        />
      ))}
    </FigureTable>
  );
}
