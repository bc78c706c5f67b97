import { isCivilDate } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';

/**
 * The keys under which raw objects of this pipeline are kept by name, locally and in S3:
 * `raw/api/{bikes,traffic,weather}/dt=YYYY-MM-DD/hour=HH/{…}_data.json` and `raw/batch/{file}`.
 */

const API_PARTS = ['bikes', 'traffic', 'weather'] as const;
type ApiPart = (typeof API_PARTS)[number];

interface ApiKey {
  readonly part: ApiPart;
  readonly date: CivilDate;
  /** 0–23. */
  readonly hour: number;
}

const API_KEY = /(?:^|[/\\])(bikes|traffic|weather)[/\\]dt=(\d{4}-\d\d-\d\d)[/\\]hour=(\d\d)[/\\]/;

/** What the key or path of an hourly object says about it; undefined for any other. */
export function parseApiKey(key: string): ApiKey | undefined {
  const [, name, date = '', hour = ''] = API_KEY.exec(key) ?? [];
  const part = API_PARTS.find((known) => known === name);
  return part === undefined || !isCivilDate(date) || Number(hour) > 23 ? undefined : { part, date, hour: Number(hour) };
}
