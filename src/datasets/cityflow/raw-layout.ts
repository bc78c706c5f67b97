import { addDays, isCivilDate } from '../kit/index.ts';
import type { CivilDate, RawNames } from '../kit/index.ts';

/**
 * The keys under which raw objects of this pipeline are kept by name, locally and in S3:
 * `raw/api/{bikes,traffic,weather}/dt=YYYY-MM-DD/hour=HH/{…}_data.json` and `raw/batch/{file}`.
 */

const API_PARTS = ['bikes', 'traffic', 'weather'] as const;
type ApiPart = (typeof API_PARTS)[number];

const BATCH_FILES: Readonly<Record<string, string>> = {
  comptages: 'comptages-routiers-permanents-2.csv',
  chantiers: 'chantiers-perturbants-la-circulation.csv',
  referentiel: 'referentiel-geographique-pour-les-donnees-trafic-issues-des-capteurs-permanents.csv',
};

interface ApiKey {
  readonly part: ApiPart;
  readonly date: CivilDate;
  /** 0–23. */
  readonly hour: number;
}

function apiRawKey({ part, date, hour }: ApiKey): string {
  return `${apiFolder(part, date)}hour=${String(hour).padStart(2, '0')}/${part}_data.json`;
}

function apiFolder(part: string, date: CivilDate): string {
  return `raw/api/${part}/dt=${date}/`;
}

const API_KEY = /(?:^|[/\\])(bikes|traffic|weather)[/\\]dt=(\d{4}-\d\d-\d\d)[/\\]hour=(\d\d)[/\\]/;

/** What the key or path of an hourly object says about it; undefined for any other. */
export function parseApiKey(key: string): ApiKey | undefined {
  const [, name, date = '', hour = ''] = API_KEY.exec(key) ?? [];
  const part = API_PARTS.find((known) => known === name);
  return part === undefined || !isCivilDate(date) || Number(hour) > 23 ? undefined : { part, date, hour: Number(hour) };
}

/** Answers are filed by day and hour of retrieval in UTC; batch files have one name each, the newest file has it. */
export const CITY_RAW_NAMES: RawNames = {
  roots: ['raw/api/', 'raw/batch/'],
  nameOf({ part, window: { from, to }, at, path }) {
    const batch = BATCH_FILES[part];
    if (batch !== undefined) return `raw/batch/${batch}`;
    const known = API_PARTS.find((name) => name === part);
    if (known === undefined) return undefined;
    const own = path === undefined ? undefined : parseApiKey(path);
    if (own?.part === known) return apiRawKey(own);
    return from === to ? apiRawKey({ part: known, date: from, hour: at.getUTCHours() }) : undefined;
  },
  dayOf(name) {
    const key = parseApiKey(name);
    return key === undefined ? undefined : { part: key.part, date: key.date };
  },
  // Bike counts tell their own hour: those of a Paris day lie in the folders of its UTC days, and late ones after it.
  besides: ({ part, date }) =>
    (part === 'bikes' ? [0, -1, 1] : [0]).map((days) => apiFolder(part, addDays(date, days))),
};
