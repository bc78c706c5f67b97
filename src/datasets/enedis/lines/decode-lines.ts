import { writeFile, appendFile } from 'node:fs/promises';
import { definedMembers, PipelineError } from '../../kit/index.ts';
import type { DecodedFile, DecodeTask } from '../../kit/index.ts';
import type { InvoiceLine } from './invoice-line.ts';
import { invoiceLines } from './invoice-line.ts';
import { rowsOfFile } from './objects-of-file.ts';

/** A line on its way from a file of the ERP to the slice of its day. */
export interface DecodedLine extends InvoiceLine {
  /** The name of the file, and where in it. */
  readonly fichier: string;
  readonly fichier_sha256: string;
  readonly ligne: number;
}

/**
 * Files of the ERP become lines of JSON. One that cannot be read any more is told of, and has no
 * lines.
 */
export async function decodeLines({
  files,
  target,
  progress,
  signal,
}: DecodeTask): Promise<readonly DecodedFile[]> {
  const decoded: DecodedFile[] = [];
  await writeFile(target, '', { mode: 0o600 });
  for await (const { name, path, sha256 } of files) {
    signal.throwIfAborted();
    progress(`reading ${name}`);
    const { lines, failure } = await linesOf(path, { fichier: name, fichier_sha256: sha256 });
    await appendFile(target, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    decoded.push({ name, sha256, ...definedMembers({ failure }) });
  }
  return decoded;
}

async function linesOf(
  path: string,
  file: Pick<DecodedLine, 'fichier' | 'fichier_sha256'>,
): Promise<{
  readonly lines: readonly DecodedLine[];
  readonly failure?: { cause: string; message: string };
}> {
  try {
    const rows = await rowsOfFile(path);
    return {
      lines: invoiceLines(rows).map((line, at) => ({
        ...line,
        ...file,
        ligne: rows[at]?.line ?? 0,
      })),
    };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return {
      lines: [],
      failure: { cause: 'unreadable_lines', message: `${file.fichier}: ${error.message}` },
    };
  }
}
