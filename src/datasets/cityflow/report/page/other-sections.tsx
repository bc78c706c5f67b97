import type { JSX } from 'preact';
import { zonedDay } from '../../../kit/index.ts';
import {
  FigureTable,
  number,
  percentOf,
  PlainSection,
  Row,
  signed,
} from '../../../kit/page/index.ts';
import type { SectionName } from '../../definition.ts';
import type { Thresholds } from '../../thresholds.ts';
import { ZONE } from '../../zones.ts';
import type { Change } from '../../metrics/history.ts';
import type { TrafficMetrics } from '../../metrics/traffic.ts';
import type { Report } from '../model.ts';
import { BarsLegend, HourBars, SeverityLegend, Timeline } from './charts.tsx';
import type { PageInputs } from './inputs.ts';
import { shownOf, usualOf } from './road-sections.tsx';
import { Section } from './section.tsx';
import { THRESHOLD_WORDS } from './threshold-words.ts';
import { SECTION_TITLES } from './tones.ts';
import { districtOf, documentWords, figureWords, impactWords, weatherWords } from './words.ts';

const MAX_DISRUPTIONS = 30;
const MAX_SENSORS = 20;

/** Bikes by hour beside the usual day, busiest counters, corridors. */
export function BikeSection({ report, metrics, thresholds }: PageInputs): JSX.Element {
  const { bikes, history } = metrics;
  const hours = (bikes?.coverage.compteurs ?? 0) === 0 ? [] : hoursOf(metrics);
  return (
    <Section name="bikes" report={report}>
      <h3>Passages par heure, sur tous les compteurs</h3>
      <BarsLegend own="La journée" usual={history?.jour_type.velos?.jours ?? 0} />
      <HourBars
        label="Vélos par heure"
        hours={hours}
        values={bikes?.by_hour ?? []}
        usual={usualOf(hours, history?.jour_type.velos?.par_heure)}
      />
      <p class="note">
        {indexText(metrics, thresholds)} Écart au jour type&nbsp;:{' '}
        {signed(history?.jour_type.velos?.ecart_total_pct ?? null, 1)} %. Anomalies (|z| &gt;{' '}
        {thresholds.anomaly_z}) : {number(history?.anomalies_velos.nombre ?? null)}.
      </p>
      <div class="lists">
        <FigureTable
          caption="Compteurs les plus fréquentés"
          head={['Compteur', 'Arr.', 'Vélos', 'Pic']}
        >
          {(bikes?.top_counters ?? []).map((counter) => (
            <Row
              key={counter.id_compteur}
              name={counter.nom_compteur ?? counter.id_compteur}
              cells={[
                districtOf(counter.arrondissement),
                number(counter.total_jour),
                counter.heure_pic?.slice(11, 16) ?? '–',
              ]}
            />
          ))}
        </FigureTable>
        <FigureTable caption="Corridors" head={['Voie', 'Compteurs', 'Vélos']}>
          {(bikes?.corridors ?? []).map(({ voie, compteurs, total_jour }) => (
            <Row key={voie} name={voie} cells={[number(compteurs), number(total_jour)]} />
          ))}
        </FigureTable>
      </div>
    </Section>
  );
}

/**
 * The index ends at 100: from there on it says only that the day has more bikes than it counts to.
 */
function indexText({ bikes }: PageInputs['metrics'], { bike_index_full }: Thresholds): string {
  const full = number(bike_index_full);
  if ((bikes?.total_velos ?? 0) > bike_index_full)
    return `Indice de fréquentation : 100, son maximum, atteint dès ${full} vélos (${number(bikes?.total_velos ?? null)} ce jour).`;
  return `Indice de fréquentation : ${number(bikes?.frequentation_index ?? null, 1)} sur 100 (100 : ${full} vélos).`;
}

/** Every hour of the day has a label in whatever part is there. */
function hoursOf({ comptages, bikes }: PageInputs['metrics']): string[] {
  const roads = comptages?.by_hour.map(({ heure }) => heure);
  return (
    roads ??
    (bikes?.by_hour ?? []).map(
      (_, hour) => `${bikes?.date ?? ''}T${String(hour).padStart(2, '0')}:00`,
    )
  );
}

/** Disruptions on the clock of the day, and the metro lines that they touch. */
export function TrafficSection({ report, metrics }: PageInputs): JSX.Element {
  const { traffic } = metrics;
  return (
    <Section name="traffic" report={report}>
      <p class="note">
        Fiabilité du métro : {percentOf(traffic?.fiabilite_metro ?? null)}. Au plus{' '}
        {number(traffic?.simultanees.maximum ?? null)} perturbations à la fois ;{' '}
        {number(traffic?.resolues ?? null)} résolues, dont{' '}
        {number(traffic?.resolues_sous_24h ?? null)} en moins de 24 h ;{' '}
        {number(traffic?.planifiees ?? null)} planifiées.
      </p>
      {traffic !== null && traffic.disruptions.length > 0 && (
        <DisruptionPlot traffic={traffic} date={report.date} />
      )}
      <FigureTable caption="Lignes perturbées" head={['Ligne', 'Perturbations', 'Minutes']}>
        {(traffic?.lignes_perturbees ?? []).map(({ ligne, count, minutes }) => (
          <Row key={ligne} name={`Métro ${ligne}`} cells={[number(count), number(minutes)]} />
        ))}
      </FigureTable>
    </Section>
  );
}

function DisruptionPlot({ traffic, date }: { traffic: TrafficMetrics; date: string }): JSX.Element {
  const { disruptions } = traffic;
  const shown = disruptions.slice(0, MAX_DISRUPTIONS);
  return (
    <>
      <h3>Perturbations au fil de la journée ({shownOf(shown.length, disruptions.length)})</h3>
      <SeverityLegend />
      <Timeline disruptions={shown} day={zonedDay(date, ZONE)} />
    </>
  );
}

function categoryWords({ weather }: PageInputs['metrics']): string {
  if (weather === null) return '–';
  return weather.categories.length === 0 ? 'aucune' : weather.categories.join(', ');
}

/** A missing figure is a dash, never 0. */
export function WeatherSection({ report, metrics }: PageInputs): JSX.Element {
  const figures = metrics.weather?.metrics;
  return (
    <Section name="weather" report={report}>
      <FigureTable
        caption={weatherWords(figures?.conditions ?? null)}
        head={['Grandeur', 'Valeur']}
      >
        <Row
          name="Température moyenne"
          cells={[`${number(figures?.temp_moyenne ?? null, 1)} °C`]}
        />
        <Row
          name="Minimum, maximum"
          cells={[
            `${number(figures?.temp_min ?? null, 1)} · ${number(figures?.temp_max ?? null, 1)} °C`,
          ]}
        />
        <Row name="Précipitations" cells={[`${number(figures?.precip_totale ?? null, 1)} mm`]} />
        <Row name="Vent" cells={[`${number(figures?.vent_moyen ?? null, 1)} km/h`]} />
        <Row name="Catégories" cells={[categoryWords(metrics)]} />
        <Row
          name="Impact sur la mobilité"
          cells={[`${number(figures?.impact_mobilite ?? null)} sur 100`]}
        />
      </FigureTable>
    </Section>
  );
}

/** Impacts of the active works, and the districts that have too many. */
export function WorksSection({ report, metrics, thresholds }: PageInputs): JSX.Element {
  const works = metrics.chantiers;
  return (
    <Section name="chantiers" report={report}>
      <p class="note">
        {number(works?.total_chantiers_actifs ?? null)} actifs ;{' '}
        {number(works?.demarrent.length ?? null)} démarrent et{' '}
        {number(works?.se_terminent.length ?? null)} se terminent sous{' '}
        {thresholds.roadworks_horizon_days} jours. Surface :{' '}
        {number(works?.surface_totale_impactee_m2 ?? null)} m².
      </p>
      <div class="lists">
        <FigureTable caption="Impact sur la circulation" head={['Impact', 'Chantiers']}>
          {Object.entries(works?.impacts ?? {}).map(([impact, count]) => (
            <Row key={impact} name={impactWords(impact)} cells={[number(count)]} />
          ))}
        </FigureTable>
        <FigureTable caption="Arrondissements critiques" head={['Arrondissement', 'Chantiers']}>
          {(works?.zones_critiques ?? []).map(({ arrondissement, nombre_chantiers }) => (
            <Row
              key={arrondissement}
              name={districtOf(arrondissement)}
              cells={[number(nombre_chantiers)]}
            />
          ))}
        </FigureTable>
      </div>
    </Section>
  );
}

/** Says that there is no comparison where the week before is not stored. */
export function EvolutionSection({ report }: { report: Report }): JSX.Element {
  const evolution = report.evolution_vs_semaine_precedente;
  const sections = 'sections' in evolution ? Object.entries(evolution.sections) : [];
  return (
    <PlainSection id="evolution" title="Par rapport au même jour de la semaine précédente">
      {!evolution.disponible && (
        <p class="note">Le même jour de la semaine précédente n’est pas enregistré.</p>
      )}
      <FigureTable
        class="evolution"
        caption="Écarts"
        head={['Grandeur', 'Journée', 'Semaine précédente', 'Écart', '%']}
      >
        {sections.flatMap(([section, figures]) =>
          figures === 'not available'
            ? [
                <Row
                  key={section}
                  name={SECTION_TITLES[section as SectionName]}
                  cells={['–', '–', 'indisponible', '–']}
                />,
              ]
            : Object.entries(figures).map(([name, change]) => (
                <ChangeRow key={name} name={name} change={change} />
              )),
        )}
      </FigureTable>
    </PlainSection>
  );
}

function ChangeRow({ name: key, change }: { name: string; change: Change }): JSX.Element {
  const { name, decimals, factor = 1, noPercent = false } = figureWords(key);
  const shown = (value: number | null): number | null => (value === null ? null : value * factor);
  return (
    <Row
      name={name}
      cells={[
        number(shown(change.valeur), decimals),
        number(shown(change.reference), decimals),
        signed(shown(change.ecart), decimals),
        noPercent ? '–' : signed(change.ecart_pct, 1),
      ]}
    />
  );
}

/** Correlations and daily means; null for a day without stored days before it. */
export function HistorySection({ metrics: { history } }: PageInputs): JSX.Element | null {
  if (history === null) return null;
  return (
    <PlainSection
      id="historique"
      title={
        history.jours_disponibles === 1
          ? 'Sur un seul jour'
          : `Sur ${history.jours_disponibles} jours`
      }
    >
      <div class="lists">
        <FigureTable caption="Corrélations (Pearson)" head={['Grandeurs', 'n', 'r']}>
          {history.correlations.map(({ nom, n, r, note }) => (
            <Row
              key={nom}
              name={nom}
              cells={[number(n), r === null ? (note ?? '–') : signed(r, 2)]}
            />
          ))}
        </FigureTable>
        <FigureTable
          caption="Moyennes journalières"
          head={['Grandeur', 'Moyenne', 'Semaine', 'Week-end', 'Ratio']}
        >
          {(['velos', 'vehicules'] as const).map((name) => {
            const usual = history.moyennes[name];
            return (
              <Row
                key={name}
                name={name === 'velos' ? 'Vélos' : 'Véhicules'}
                cells={[
                  number(usual?.moyenne ?? null),
                  number(usual?.moyenne_semaine ?? null),
                  number(usual?.moyenne_week_end ?? null),
                  number(usual?.ratio_week_end_semaine ?? null, 2),
                ]}
              />
            );
          })}
        </FigureTable>
      </div>
    </PlainSection>
  );
}

/** Names at most twenty failing sensors, and says of how many. */
export function SensorSection({ report, metrics, thresholds }: PageInputs): JSX.Element {
  const health = metrics.history?.capteurs;
  const failing = report.capteurs_defaillants.slice(0, MAX_SENSORS);
  return (
    <PlainSection id="capteurs" title="Santé des capteurs">
      <p class="note">
        Disponibilité routière : {percentOf(health?.disponibilite ?? null)} de{' '}
        {number(health?.attendus ?? null)} capteurs attendus ; {number(health?.silencieux ?? null)}{' '}
        muets depuis plus de {thresholds.sensor_silent_hours} h, dont{' '}
        {number(health?.longtemps_silencieux ?? null)} depuis plus de{' '}
        {thresholds.sensor_long_silent_hours} h.
      </p>
      <FigureTable
        class="words"
        caption={`Capteurs défaillants (${shownOf(failing.length, report.totaux.capteurs_defaillants)})`}
        head={['Capteur', 'Type', 'Raison']}
      >
        {failing.map(({ id_compteur, type, raison }) => (
          <Row
            key={`${type} ${id_compteur}`}
            name={id_compteur}
            cells={[type === 'bike' ? 'vélo' : 'route', raison]}
          />
        ))}
      </FigureTable>
    </PlainSection>
  );
}

/** Hash and size of each document that the report rests on, and every limit that was used. */
export function ProvenanceSection({ report }: { report: Report }): JSX.Element {
  return (
    <PlainSection id="provenance" title="Provenance et seuils">
      <FigureTable class="provenance" caption="Métriques" head={['Document', 'Octets', 'SHA-256']}>
        {Object.entries(report.provenance.metrics).map(([name, identity]) => (
          <Row
            key={name}
            name={documentWords(name)}
            cells={[
              number(identity?.bytes ?? null),
              <code class="hash" key="hash">
                {identity?.sha256 ?? '–'}
              </code>,
            ]}
          />
        ))}
      </FigureTable>
      <details>
        <summary>Seuils</summary>
        <FigureTable caption="Seuils" head={['Nom', 'Valeur']}>
          {Object.entries(report.seuils).map(([name, value]) => (
            <Row
              key={name}
              name={THRESHOLD_WORDS[name as keyof Thresholds]}
              cells={[number(value, Number.isInteger(value) ? 0 : 2)]}
            />
          ))}
        </FigureTable>
      </details>
    </PlainSection>
  );
}
