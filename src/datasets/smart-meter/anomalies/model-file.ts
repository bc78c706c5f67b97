import { readFile } from 'node:fs/promises';
import { quoteText } from '../../kit/index.ts';
import type { RecognisedFile, SliceTask, SqlSession, UnitOutcome } from '../../kit/index.ts';
import type { FileHead } from '../dialects/dialect.ts';
import { copyTable } from '../tables.ts';
import { MODEL_KIND, promotionOf, readModel } from './model.ts';

/** The part that models are given to: a file is of the day from which it is meant to hold. */
export const MODEL_PART = 'model';

const BEGINNING = new RegExp(`^\\s*\\{\\s*"kind"\\s*:\\s*"${MODEL_KIND}"`);

/** Whether a file is a model, by its beginning. */
export function isModel({ text }: Pick<FileHead, 'text'>): boolean {
  return BEGINNING.test(text);
}

/** Reads all of it: a model that was changed by hand is refused. */
export async function recogniseModel({ path }: Pick<FileHead, 'path'>): Promise<RecognisedFile> {
  const model = readModel(await readFile(path, 'utf8'));
  const { verdict } = promotionOf(model);
  return {
    ...{
      part: MODEL_PART,
      kind: `model ${model.name} (${verdict})`,
      from: model.valid_from,
      to: model.valid_from,
    },
    ...{ rows: 1, extension: 'json', mediaType: 'application/json' },
  };
}

/** One row, of the day from which the model is meant to hold. */
export async function sliceModel(task: SliceTask, sql: SqlSession): Promise<UnitOutcome[]> {
  const model = readModel(await readFile(task.raw.path, 'utf8'));
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    const facts = { rows: date === model.valid_from ? 1 : 0, published_columns: 3 };
    const outputs =
      date === model.valid_from
        ? {
            slice: await copyTable(
              sql,
              `SELECT ${quoteText(model.name)} AS name, DATE '${date}' AS valid_from,
                content AS artefact FROM read_text(${quoteText(task.raw.path)})`,
              `model-${date}`,
            ),
          }
        : {};
    outcomes.push({ scope: date, outputs, checks: [], facts });
  }
  return outcomes;
}
