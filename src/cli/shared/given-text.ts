import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { PipelineError } from '../../errors.ts';

/**
 * The text of a file that a person names; of standard input without one, and for `-`.
 * `INPUT_INVALID` where it cannot be read.
 */
export async function readGivenText(file: string | undefined): Promise<string> {
  if (file === undefined || file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PipelineError('INPUT_INVALID', `${file} cannot be read`, { cause });
  });
}
