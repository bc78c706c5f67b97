import { open, stat } from 'node:fs/promises';
import { PipelineError, refuseWhatIsNoData } from '../../kit/index.ts';
import { bulk } from './bulk.ts';
import type { Dialect, FileHead } from './dialect.ts';
import { greenButton } from './green-button.ts';
import { kaggle } from './kaggle.ts';
import { linkyApi } from './linky-api.ts';
import { linkyExport } from './linky-export.ts';
import { london } from './london.ts';
import { r63Csv, r63Json } from './r63.ts';

/** Every dialect of readings, in the order in which a file is held against them. */
export const DIALECTS: readonly Dialect[] = [
  ...[kaggle, linkyExport, r63Csv, r63Json, linkyApi],
  ...[greenButton, london, bulk],
];

const HEAD_BYTES = 65_536;

/** The beginning of a file; `SRC_TRUNCATED` for an empty one. */
export async function readHead(path: string, name: string): Promise<FileHead> {
  const { size } = await stat(path);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytesRead === 0) refuseWhatIsNoData(bytes, name, size);
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    const [first = '', ...lines] = text.split(/\r\n|\n/).slice(0, 50);
    return { path, name, text, lines: [first, ...lines] };
  } finally {
    await file.close();
  }
}

/** The dialect of a file; undefined where it is none of readings. */
export function dialectOf(head: FileHead): Dialect | undefined {
  return DIALECTS.find((dialect) => dialect.matches(head));
}

/** @throws `SRC_SHAPE_CHANGED` that says what the file looks like and what would be read */
export function requireDialect(head: FileHead): Dialect {
  const dialect = dialectOf(head);
  if (dialect !== undefined) return dialect;
  refuseWhatIsNoData(Buffer.from(head.text), head.name, head.text.length);
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${head.name} is in no known dialect of readings; it begins with ${JSON.stringify(head.lines[0].slice(0, 120))}. ` +
      `Known are ${DIALECTS.map(({ title }) => title).join(', ')}`,
  );
}
