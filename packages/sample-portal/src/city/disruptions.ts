import { hash, seriesKey } from '../synthetic/noise.ts';
import { dayText } from '../synthetic/paris-days.ts';
import { HOUR_MS, localText } from './rhythm.ts';

/** Disruptions of public transport in the form of Navitia. */

/** Begun on one day. */
const INCIDENTS_A_DAY = 9;
/** Long works, some of them without an end in sight; each takes the place of the one before it. */
const WORKS = 14;
const WORK_DAYS = 21;
const DAY_MS = 86_400_000;

const CAUSES = [
  'Incident technique',
  'Incident voyageur',
  'Bagage oublié',
  'Panne de signalisation',
];

/** `20250828T182100`, local time without offset. */
function compact(ms: number): string {
  return localText(ms).replace(/[-:]/g, '');
}

interface Disruption {
  readonly id: string;
  readonly from: number;
  /** Null: published as a far day in another century, as the publisher does. */
  readonly to: number | null;
  readonly priority: number;
  readonly text: string;
  readonly cause: string;
  readonly updated: number;
}

/** What the operator knows of the days `[firstDay, lastDay]` (numbers since 1970). */
export function disruptionsBetween(seed: number, firstDay: number, lastDay: number): object[] {
  const key = seriesKey(seed, 'city/disruptions');
  const found = new Map<string, Disruption>();
  // An incident may last into the next day.
  for (let day = firstDay - 1; day <= lastDay; day += 1) {
    for (let place = 0; place < INCIDENTS_A_DAY; place += 1) {
      const incident = incidentOf(key, day, place);
      if ((incident.to ?? Infinity) > firstDay * DAY_MS - 2 * HOUR_MS)
        found.set(incident.id, incident);
    }
  }
  for (let place = 0; place < WORKS; place += 1) {
    const rounds = [firstDay, lastDay].map((day) => Math.floor((day + place * 2) / WORK_DAYS));
    for (let round = rounds[0] ?? 0; round <= (rounds[1] ?? 0); round += 1) {
      const work = workOf(key, place, round);
      found.set(work.id, work);
    }
  }
  return [...found.values()].map(published);
}

function incidentOf(key: number, day: number, place: number): Disruption {
  const chance = hash(key ^ place, day);
  const from = day * DAY_MS + (4 + (chance % 18)) * HOUR_MS + (chance % 60) * 60_000;
  const line = 1 + (hash(key, day * 16 + place) % 14);
  return {
    id: `inc-${dayText(day)}-${place}`,
    from,
    to: from + (20 + (chance % 150)) * 60_000,
    priority: [10, 20, 35, 50][chance % 4] ?? 20,
    text:
      place % 3 === 2
        ? `Bus ligne ${60 + line} : déviation`
        : `Métro ${line} : ${CAUSES[chance % 4] ?? ''}, trafic perturbé`,
    cause: 'perturbation',
    updated: from + 10 * 60_000,
  };
}

function workOf(key: number, place: number, round: number): Disruption {
  const from = (round * WORK_DAYS - place * 2) * DAY_MS + 4 * HOUR_MS;
  const line = 1 + (hash(key, place) % 14);
  return {
    id: `trv-${place}-${round}`,
    from,
    to: place === 0 ? null : from + (WORK_DAYS - 3) * DAY_MS,
    priority: place % 5 === 0 ? 30 : 15,
    text:
      place % 2 === 0
        ? `<p>Tramway T${1 + (place % 8)}&nbsp;: travaux</p>`
        : `<p>Métro ligne ${line}&nbsp;: travaux, station fermée</p>`,
    cause: 'travaux',
    updated: from - 12 * DAY_MS,
  };
}

function published({ id, from, to, priority, text, cause, updated }: Disruption): object {
  return {
    id,
    disruption_id: id,
    status: 'active',
    severity: {
      name: 'perturbée',
      effect: priority >= 50 ? 'NO_SERVICE' : 'REDUCED_SERVICE',
      priority,
    },
    // Some have their period twice.
    application_periods: Array.from({ length: id.endsWith('5') ? 2 : 1 }, () => ({
      begin: compact(from),
      end: to === null ? '20991231T235900' : compact(to),
    })),
    messages: [{ text, channel: { content_type: 'text/html', name: 'titre' } }],
    cause,
    category: cause === 'travaux' ? 'Travaux' : 'Incidents',
    updated_at: compact(updated),
  };
}
