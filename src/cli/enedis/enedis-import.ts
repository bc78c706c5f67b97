import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { importFiles } from '../../engine/download/import-file.ts';
import type { ImportOutcome } from '../../engine/download/import-file.ts';
import type { ArchiveName, OtherName } from '../../datasets/enedis/decode/archive-name.ts';
import { parseArchiveName } from '../../datasets/enedis/decode/archive-name.ts';
import { parseKeyRing } from '../../datasets/enedis/decode/key-ring.ts';
import type { ArchiveKey } from '../../datasets/enedis/decode/key-ring.ts';
import { makePiece } from '../../datasets/enedis/days/make-piece.ts';
import { PipelineError } from '../../errors.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';

export interface EnedisImport {
  /** Archives, and folders that are searched for them. */
  readonly paths: readonly string[];
  /** The file with the keys of the distributor; without it only plain archives can be read. */
  readonly keys?: string | undefined;
  /** Only these flux, such as `c15,r151`. */
  readonly flux?: string | undefined;
}

interface Found {
  readonly path: string;
  readonly name: ArchiveName;
}

/** Pieces that are on the scratch disk at a time. */
const AT_ONCE = 200;

/**
 * `quotidien enedis import`: opens archives, checks them, and takes in what they hold. Each archive is told of; one that cannot be read is known to have
 * come, and the others go on. The exit code is 1 when one could not be read.
 */
export async function enedisImport(context: CommandContext, command: EnedisImport): Promise<ExitCode> {
  const ring = command.keys === undefined ? [] : await readKeys(command.keys);
  const { archives, others } = await findArchives(command);
  const engine = await context.engine();
  const control = commandControl(context, 'enedis import');
  const failures: { archive: string; cause: string; message: string }[] = [];
  const outcomes: ImportOutcome[] = [];
  for (let from = 0; from < archives.length; from += AT_ONCE) {
    await engine.withScratchFolder(async (scratch) => {
      const pieces: string[] = [];
      for (const { path: file, name } of archives.slice(from, from + AT_ONCE)) {
        context.signal.throwIfAborted();
        const piece = await makePiece({ path: file, name, ring, scratch });
        pieces.push(piece.path);
        if (piece.failure !== undefined) failures.push({ archive: name.name, ...piece.failure });
      }
      outcomes.push(...(await importFiles(engine, 'enedis', pieces, control)));
    });
  }
  tell(context, { archives: archives.length, failures, others, outcomes });
  return failures.length > 0 || outcomes.some((outcome) => 'code' in outcome) ? EXIT.failed : EXIT.done;
}

async function readKeys(file: string): Promise<ArchiveKey[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PipelineError('CONFIG_INVALID', `the key file ${file} cannot be read`, { cause });
  });
  return parseKeyRing(text);
}

async function findArchives({ paths, flux }: EnedisImport): Promise<{ archives: Found[]; others: OtherName[] }> {
  const wanted = flux?.toUpperCase().split(',');
  const archives: Found[] = [];
  const others: OtherName[] = [];
  for (const file of (await Promise.all(paths.map(filesUnder))).flat()) {
    const name = parseArchiveName(file);
    if ('other' in name) others.push(name);
    else if (wanted?.includes(name.flux) !== false) archives.push({ path: file, name });
  }
  const byTime = (a: Found, b: Found): number =>
    `${a.name.timestamp}/${a.name.name}` < `${b.name.timestamp}/${b.name.name}` ? -1 : 1;
  return { archives: archives.sort(byTime), others };
}

/** A file, or all files below a folder. */
async function filesUnder(given: string): Promise<string[]> {
  const place = path.resolve(given);
  const found = await stat(place).catch((cause: unknown) => {
    throw new PipelineError('INPUT_INVALID', `${given} cannot be read; give archives, or folders with archives`, {
      cause,
    });
  });
  if (!found.isDirectory()) return [place];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

interface Result {
  readonly archives: number;
  readonly failures: readonly { readonly archive: string; readonly cause: string; readonly message: string }[];
  readonly others: readonly OtherName[];
  readonly outcomes: readonly ImportOutcome[];
}

function tell({ terminal }: CommandContext, result: Result): void {
  const { archives, failures, others, outcomes } = result;
  for (const outcome of outcomes) {
    if ('code' in outcome) terminal.line(`not taken in, ${outcome.code}: ${outcome.message}`);
    else {
      const { recognised } = outcome;
      terminal.line(`${recognised.from}  ${recognised.kind}, ${recognised.rows} occurrences`);
    }
  }
  for (const { message } of failures) terminal.line(message);
  for (const { name, other } of others) {
    terminal.line(`${name}: ${other === 'noted' ? 'a flux that is only noted' : 'an unknown name, left out'}`);
  }
  terminal.line(`${archives} archives, ${failures.length} that could not be read, ${others.length} others`);
  const days = outcomes.flatMap((outcome) => ('code' in outcome ? [] : [outcome.recognised.from])).sort();
  if (days.length > 0) terminal.line(`next: quotidien backfill enedis ${days[0] ?? ''} ${days.at(-1) ?? ''}`);
  terminal.data(result);
}
