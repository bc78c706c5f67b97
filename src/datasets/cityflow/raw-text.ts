import { open } from 'node:fs/promises';
import { PipelineError } from '../../errors.ts';

/** What arrives in place of data, judged by the first bytes before anything reads the file. */

export const SAMPLE_BYTES = 65_536;

const NOT_DATA: readonly { readonly starts: RegExp; readonly is: string }[] = [
  {
    starts: /^version https:\/\/git-lfs/,
    is: 'a git-LFS pointer, not the data: fetch the object itself (`git lfs pull`)',
  },
  { starts: /^\s*</, is: 'an HTML or XML page: look at it, it may be an error page of the publisher' },
  { starts: /^PK\u{03}\u{04}/u, is: 'a ZIP archive: unpack it and give the file inside' },
  { starts: /^\u{1F}\u{8B}/u, is: 'compressed with gzip: unpack it first' },
  { starts: /^PAR1/, is: 'a Parquet file, not what the publisher exports here' },
  { starts: /\u{0}/u, is: 'binary or UTF-16, not text in UTF-8' },
];

export interface TextEnds {
  readonly head: string;
  readonly tail: string;
  readonly bytes: number;
}

/**
 * Both ends of a text file, without a byte order mark.
 * @throws `SRC_TRUNCATED` for an empty file, `SRC_SHAPE_CHANGED` for what is no text of a publisher.
 */
export async function readTextEnds(path: string, what: string): Promise<TextEnds> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, SAMPLE_BYTES);
    const [first, last] = [Buffer.alloc(length), Buffer.alloc(length)];
    await handle.read(first, 0, length, 0);
    await handle.read(last, 0, length, size - length);
    const head = first.toString('utf8').replace(/^\u{FEFF}/u, '');
    refuseWhatIsNoData(head, what, size);
    return { head, tail: last.toString('utf8'), bytes: size };
  } finally {
    await handle.close();
  }
}

function refuseWhatIsNoData(head: string, what: string, bytes: number): void {
  if (head.trim() === '') throw new PipelineError('SRC_TRUNCATED', `${what} is empty (${bytes} bytes)`);
  const wrong = NOT_DATA.find(({ starts }) => starts.test(head));
  if (wrong === undefined) return;
  const beginning = JSON.stringify(head.slice(0, 120));
  throw new PipelineError('SRC_SHAPE_CHANGED', `${what} is ${wrong.is}. It begins with ${beginning}`);
}
