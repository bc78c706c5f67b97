import { PipelineError } from '../kit/index.ts';
import type { GivenFile, RecognisedFile, SqlSession } from '../kit/index.ts';
import { isModel, recogniseModel } from './anomalies/model-file.ts';
import { DIALECTS, readHead } from './dialects/dialects.ts';
import { recogniseReadings } from './readings/slice.ts';
import { SIDE_PARTS } from './side/parts.ts';
import { recogniseSide, sidePartOf } from './side/slice.ts';

/**
 * `Dataset.recognise`: readings in any dialect, and the lists beside them, by their content.
 * @throws `INPUT_INVALID` with what would be recognised
 */
export async function recogniseFile(
  file: GivenFile,
  sql: SqlSession,
  secret: string,
): Promise<RecognisedFile> {
  try {
    const head = await readHead(file.path, file.name);
    if (isModel(head)) return await recogniseModel(head);
    const side = sidePartOf(head);
    return side === undefined
      ? await recogniseReadings(head, sql, secret)
      : await recogniseSide(head, side, sql, secret);
  } catch (cause) {
    if (!(cause instanceof PipelineError) || !cause.code.startsWith('SRC_')) throw cause;
    const known = [
      ...DIALECTS.map(({ title }) => title),
      ...SIDE_PARTS.map(({ title }) => title.toLowerCase()),
    ];
    throw new PipelineError(
      'INPUT_INVALID',
      `${cause.message}. What can be imported: ${known.join('; ')}`,
      { cause },
    );
  }
}
