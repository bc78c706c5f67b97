import type { FetchWindow, HttpSource } from '../../pipelines/source-declaration.ts';
import { isRecord, textOf } from './json-documents.ts';

/** Portals of Opendatasoft (Explore API v2.1): ODRE, Paris open data and many more. */

const CATALOG = '/api/explore/v2.1/catalog/datasets';

const MEDIA_TYPES = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  geojson: 'application/json',
} as const;

/** What is asked for, and where. */
export interface OpendatasoftExport extends Pick<HttpSource, 'host' | 'baseUrl' | 'maxBytes'> {
  /** The portal's identifier, e.g. `eco2mix-national-tr`. */
  readonly dataset: string;
  readonly format: keyof typeof MEDIA_TYPES;
  /** `name=value` of the query, encoded, in the order in which they are sent. */
  readonly query: (window: FetchWindow) => readonly string[];
}

/**
 * A selection of a dataset in one answer. Exports are asked for, because the records endpoint ends
 * every page at 100 and the whole list at 10,000.
 */
export function opendatasoftExport({
  dataset,
  format,
  query,
  ...place
}: OpendatasoftExport): HttpSource {
  return {
    ...place,
    pathOf: (window) => `${CATALOG}/${dataset}/exports/${format}?${query(window).join('&')}`,
    freshness: { path: `${CATALOG}/${dataset}`, valueOf: dataProcessed },
    extension: format,
    mediaType: MEDIA_TYPES[format],
    requestsPerSecond: 2,
  };
}

/** A condition in the portal's query language, as a member of the query. */
export function odsWhere(condition: string): string {
  return `where=${encodeURIComponent(condition)}`;
}

/** The condition for a column that holds civil days. */
export function odsDays(column: string, { from, to }: FetchWindow): string {
  return odsWhere(
    from === to ? `${column}=date'${from}'` : `${column}>=date'${from}' and ${column}<=date'${to}'`,
  );
}

/**
 * `metas.default.data_processed` moves with every change of the data; `modified` is that of the
 * description, and frozen.
 */
function dataProcessed(document: unknown): string | undefined {
  const metas = isRecord(document) ? document['metas'] : undefined;
  const own = isRecord(metas) ? metas['default'] : undefined;
  return (isRecord(own) ? textOf(own['data_processed']) : null) ?? undefined;
}
