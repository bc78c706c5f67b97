import type { Answer } from './answer.ts';
import { jsonAnswer, parameterRefusal } from './answer.ts';
import type { DatasetState, PortalDataset } from './dataset.ts';
import { refuseUnsupported, zoneOf } from './query.ts';
import { parseWhere } from './odsql.ts';
import type { PortalRequest } from './requests.ts';

const MAX_LIMIT = 100;
const MAX_WINDOW = 10_000;

/** An instant as the catalogue writes it. */
function catalogInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}+00:00`;
}

/**
 * The entry of one dataset in the catalogue: what a client asks to learn whether anything is new.
 */
export async function catalogAnswer(dataset: PortalDataset, state: DatasetState): Promise<Answer> {
  return jsonAnswer(200, {
    dataset_id: dataset.id,
    has_records: true,
    features: ['analyze', 'timeserie'],
    metas: {
      default: {
        title: dataset.title,
        modified: catalogInstant(dataset.modified),
        modified_updates_on_data_change: false,
        data_processed: catalogInstant(state.processedAt),
        records_count: await state.countRecords(),
        license: 'Licence Ouverte v2.0 (Etalab)',
        publisher: 'RTE',
      },
    },
    fields: state.fields.map(({ name, label, type }) => ({
      name,
      label,
      type,
      description: null,
      annotations: {},
    })),
  });
}

function integer(
  query: PortalRequest['query'],
  name: string,
  fallback: number,
  max: number,
): number {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < 0 || value > max) {
    throw parameterRefusal(
      `Invalid value for ${name} API parameter: ${text} was found but 0 <= ${name} <= ${max} is expected.`,
    );
  }
  return value;
}

/**
 * One page of records as JSON: at most 100 at once, and none past the 10,000th, as the publisher's
 * API has it.
 */
export async function recordsAnswer(request: PortalRequest, state: DatasetState): Promise<Answer> {
  const { query } = request;
  refuseUnsupported(query);
  const limit = integer(query, 'limit', 10, MAX_LIMIT);
  const offset = integer(query, 'offset', 0, MAX_WINDOW - limit);
  const zone = zoneOf(query);
  const { total, rows } = await state
    .select(parseWhere(query['where']), zone)
    .records(offset, limit, zone);
  return jsonAnswer(200, { total_count: total, results: rows });
}
