import path from 'node:path';
import type { Environment } from './environment.ts';

/**
 * Settings of the two earlier systems that are no setting of ours: each is read with its meaning,
 * or refused with the setting to use. None is ignored, because an installation that carries its
 * environment over would then run otherwise than it was told to.
 */

interface EarlierSetting {
  /** What it does here, or why it is refused: a sentence for the page of settings. */
  readonly meaning: string;
  /** Why a value cannot be taken, and what to set instead; undefined when it can. */
  refuse?(value: string): string | undefined;
}

const always =
  (instead: string): NonNullable<EarlierSetting['refuse']> =>
  () =>
    instead;

/** Python's names of levels, and ours. */
const LOG_LEVELS: Readonly<Record<string, string>> = {
  critical: 'error',
  fatal: 'error',
  error: 'error',
  warning: 'warn',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'trace',
  notset: 'trace',
};

/** By name of the variable; without `refuse` every value is taken. */
export const EARLIER_SETTINGS: Readonly<Record<string, EarlierSetting>> = {
  LOG_LEVEL: {
    meaning:
      'Least level of the log lines where QUOTIDIEN_LOG_LEVEL is not set: DEBUG, INFO, WARNING, ERROR or CRITICAL',
    refuse: (value) =>
      value.toLowerCase() in LOG_LEVELS
        ? undefined
        : 'takes DEBUG, INFO, WARNING, ERROR or CRITICAL; ours is QUOTIDIEN_LOG_LEVEL',
  },
  TRAFFIC_MODE: {
    meaning: 'Whose disruptions CityFlow reads: idfm (Île-de-France Mobilités) alone',
    refuse: (value) =>
      value.toLowerCase() === 'idfm'
        ? undefined
        : 'takes idfm; another server with the same answers is set by QUOTIDIEN_IDFM_URL and QUOTIDIEN_IDFM_KEY',
  },
  DATA_DIR: {
    meaning:
      'Folder with api/ and batch/ in which other programs put raw files; it is read and never written',
  },
  API_DATA_PATH: { meaning: 'The same for hourly answers alone: <source>/dt=YYYY-MM-DD/hour=HH/…' },
  BATCH_DATA_PATH: { meaning: 'The same for batch files alone' },
  COMPTAGES_CSV: {
    meaning: 'Path of the newest file of road counts, wherever it lies; read and never written',
  },
  CHANTIERS_CSV: { meaning: 'The same for the list of roadworks' },
  REFERENTIEL_CSV: { meaning: 'The same for the road network' },
  API_DATE: {
    meaning:
      'Refused: the date is an argument (`quotidien run cityflow 2025-11-04`), for reports also REPORT_DATE',
    refuse: always(
      'the date is an argument, such as quotidien run cityflow 2025-11-04; for reports set REPORT_DATE',
    ),
  },
  API_HOUR: {
    meaning: 'Refused: all hours of a day are read together',
    refuse: always('all hours of a day are read together: remove it'),
  },
  OUTPUT_DIR: {
    meaning:
      'Refused: files lie in the folder of QUOTIDIEN_HOME, published ones in its store/processed',
    refuse: always('set QUOTIDIEN_HOME; published files are then in its folder store/processed'),
  },
  DYNAMODB_TABLE_PREFIX: {
    meaning:
      'Refused: tables are named by DYNAMODB_METRICS_TABLE, DYNAMODB_REPORTS_TABLE and QUOTIDIEN_DYNAMODB_PREFIX',
    refuse: always(
      'name the tables by DYNAMODB_METRICS_TABLE and DYNAMODB_REPORTS_TABLE, and the beginning of all others by QUOTIDIEN_DYNAMODB_PREFIX',
    ),
  },
};

/** Folders within a bucket that the earlier system set one by one. */
const PATH_NAME = /^S3_PATH_\w+$/;

/** The page of settings shows them as one. */
export const PATH_SETTINGS = {
  name: 'S3_PATH_*',
  meaning: 'Refused: folders are set by S3_RAW_PREFIX, S3_REPORTS_PREFIX and the bucket settings',
} as const;

/**
 * Every earlier setting that cannot be taken, by name, with what to set instead; values are never
 * quoted.
 */
export function earlierProblems(env: Environment, place: (name: string) => string): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const why = PATH_NAME.test(name)
      ? 'set S3_RAW_PREFIX and S3_REPORTS_PREFIX, or bucket/folder in S3_RAW_BUCKET, S3_BUCKET_METRICS and S3_REPORTS_BUCKET'
      : EARLIER_SETTINGS[name]?.refuse?.(value);
    return why === undefined
      ? []
      : [`${name} (from ${place(name)}), a setting of an earlier system: ${why}`];
  });
}

/** The environment with our settings where an earlier one means the same and ours is not set. */
export function withEarlierNames(env: Environment): Environment {
  const asked = env['LOG_LEVEL']?.toLowerCase();
  const level = asked === undefined ? undefined : LOG_LEVELS[asked];
  return level === undefined ? env : { QUOTIDIEN_LOG_LEVEL: level, ...env };
}

/**
 * Where other programs put raw files on this machine, by the folder of keys that they have here.
 */
export interface DepositPlaces {
  /** `deposited/local/api` → an absolute path of a folder. */
  readonly folders: Readonly<Record<string, string>>;
  /** `deposited/local/batch/….csv` → an absolute path of a file. */
  readonly files: Readonly<Record<string, string>>;
}

const DEPOSITED = 'deposited/local';

const BATCH_FILES = ['COMPTAGES_CSV', 'CHANTIERS_CSV', 'REFERENTIEL_CSV'] as const;

/** Undefined when nothing of it is set. */
export function depositPlaces(env: Environment, cwd: string): DepositPlaces | undefined {
  const base = env['DATA_DIR'];
  const below = (name: string): string | undefined =>
    base === undefined ? undefined : path.join(base, name);
  const given = {
    [`${DEPOSITED}/api`]: env['API_DATA_PATH'] ?? below('api'),
    [`${DEPOSITED}/batch`]: env['BATCH_DATA_PATH'] ?? below('batch'),
  };
  const folders = Object.entries(given).flatMap(([key, folder]) =>
    folder === undefined ? [] : [[key, path.resolve(cwd, folder)] as const],
  );
  const files = BATCH_FILES.flatMap((name) => {
    const file = env[name];
    return file === undefined
      ? []
      : [[`${DEPOSITED}/files/${name}/${path.basename(file)}`, path.resolve(cwd, file)] as const];
  });
  if (folders.length === 0 && files.length === 0) return undefined;
  return { folders: Object.fromEntries(folders), files: Object.fromEntries(files) };
}
