import { addDays, isCivilDate } from '../kit/index.ts';
import type { CivilDate, RawNames } from '../kit/index.ts';

/**
 * The keys under which raw objects of this pipeline are kept by name, locally and in S3:
 * `raw/api/{bikes,traffic,weather}/dt=YYYY-MM-DD/hour=HH/{…}_data.json` and `raw/batch/{file}`.
 * Other programs put theirs beside them, also as
 * `raw/api/{…}/YYYY-MM-DD/stream-data-<seconds>-<id>.json`, or into places that are only read, with
 * the same names below `DEPOSITED`.
 */

/** The folders that are only read: a bucket of another program, and a folder of this machine. */
const DEPOSITED = ['deposited/bucket', 'deposited/local'] as const;
const PLACES = ['raw', ...DEPOSITED] as const;

const API_PARTS = ['bikes', 'traffic', 'weather'] as const;
type ApiPart = (typeof API_PARTS)[number];

const BATCH_FILES: Readonly<Record<string, string>> = {
  comptages: 'comptages-routiers-permanents-2.csv',
  chantiers: 'chantiers-perturbants-la-circulation.csv',
  referentiel:
    'referentiel-geographique-pour-les-donnees-trafic-issues-des-capteurs-permanents.csv',
  'service-quality': 'indicateurs-de-qualite-de-service-sncf-et-ratp.csv',
};

interface ApiKey {
  readonly part: ApiPart;
  readonly date: CivilDate;
  /** 0–23. */
  readonly hour: number;
}

function apiRawKey({ part, date, hour }: ApiKey): string {
  return `raw/api/${part}/dt=${date}/hour=${String(hour).padStart(2, '0')}/${part}_data.json`;
}

/** Where other programs may have put answers of a day. */
function depositFolders(part: string, date: CivilDate): string[] {
  return PLACES.flatMap((place) => [
    `${place}/api/${part}/dt=${date}/`,
    `${place}/api/${part}/${date}/`,
  ]);
}

const API_KEY = /(?:^|[/\\])(bikes|traffic|weather)[/\\]dt=(\d{4}-\d\d-\d\d)[/\\]hour=(\d\d)[/\\]/;
const STREAM_KEY =
  /(?:^|[/\\])(bikes|traffic|weather)[/\\](\d{4}-\d\d-\d\d)[/\\]stream-data-(\d{9,11})\b/;

/** What the key or path of an hourly object says about it; undefined for any other. */
export function parseApiKey(key: string): ApiKey | undefined {
  const [, name, date = '', hour = ''] = API_KEY.exec(key) ?? streamOf(key);
  const part = API_PARTS.find((known) => known === name);
  return part === undefined || !isCivilDate(date) || Number(hour) > 23
    ? undefined
    : { part, date, hour: Number(hour) };
}

/** A stream is named by the second in which it was written. */
function streamOf(key: string): (string | undefined)[] {
  const [whole, name, date, seconds] = STREAM_KEY.exec(key) ?? [];
  return whole === undefined
    ? []
    : [whole, name, date, new Date(Number(seconds) * 1_000).toISOString().slice(11, 13)];
}

/**
 * Answers are filed by day and hour of retrieval in UTC; batch files have one name each, the newest
 * file has it.
 */
export const CITY_RAW_NAMES: RawNames = {
  roots: [
    ...PLACES.flatMap((place) => [`${place}/api/`, `${place}/batch/`]),
    'deposited/local/files/',
  ],
  parts: [...API_PARTS, ...Object.keys(BATCH_FILES)],
  sources: { bikes: ['bikes'], traffic: ['traffic'], weather: ['weather', 'open-meteo'] },
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
  // Bike counts tell their own hour: those of a Paris day lie in the folders of its UTC days, and
  // late ones after it.
  besides: ({ part, date }) =>
    (part === 'bikes' ? [0, -1, 1] : [0]).flatMap((days) =>
      depositFolders(part, addDays(date, days)),
    ),
};
