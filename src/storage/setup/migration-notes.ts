import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** What was copied: an object by its key, or a document. */
export type CopiedName = string | DocumentKey;

/** A copy that this migration made, or was about to make. */
export interface CopyNote {
  readonly name: CopiedName;
  /**
   * Of the bytes or the body in the target; null before they are known: the target had nothing of
   * the name, and the copy began.
   */
  readonly sha256: string | null;
  /** The etags of an object on both sides when its copy was found right. */
  readonly from?: string;
  readonly to?: string;
}

/**
 * What a migration wrote into its target, so that a later try of it tells its own earlier copies,
 * which it may replace when the source has moved on, from what somebody else put there, which it
 * never touches.
 */
export interface MigrationNotes {
  find(name: CopiedName): CopyNote | undefined;
  /** Every note, the newest of each name. */
  all(): Iterable<CopyNote>;
  /** Durable against the end of this process when it resolves. */
  save(notes: readonly CopyNote[]): Promise<void>;
  /** Takes the note of a name away that the target has no more. */
  forget(name: CopiedName): Promise<void>;
  /** The migration has ended well. */
  clear(): Promise<void>;
}

/** Notes of a migration that is not gone on with. */
export function createMemoryNotes(): MigrationNotes {
  return new Notes(new Map(), undefined);
}

/**
 * Opens the notes in a file of JSON lines, made with the first note. What a kill cut short of a
 * line is as if it had not been written.
 */
export async function openMigrationNotes(file: string): Promise<MigrationNotes> {
  const known = new Map<string, CopyNote>();
  for (const line of (await readLines(file)).split('\n')) {
    const note = parsed(line);
    if (note === undefined) continue;
    if (note.forgotten === true) known.delete(idOf(note.name));
    else known.set(idOf(note.name), note);
  }
  return new Notes(known, file);
}

class Notes implements MigrationNotes {
  readonly #known: Map<string, CopyNote>;
  readonly #file: string | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(known: Map<string, CopyNote>, file: string | undefined) {
    this.#known = known;
    this.#file = file;
  }

  find(name: CopiedName): CopyNote | undefined {
    return this.#known.get(idOf(name));
  }

  all(): Iterable<CopyNote> {
    return [...this.#known.values()];
  }

  async save(notes: readonly CopyNote[]): Promise<void> {
    for (const note of notes) this.#known.set(idOf(note.name), note);
    await this.#append(notes);
  }

  async forget(name: CopiedName): Promise<void> {
    this.#known.delete(idOf(name));
    await this.#append([{ name, sha256: null, forgotten: true }]);
  }

  async clear(): Promise<void> {
    await this.#written;
    this.#known.clear();
    if (this.#file !== undefined) await rm(this.#file, { force: true });
  }

  /** One after the other; each begins a line of its own, whatever a kill left before it. */
  #append(lines: readonly Line[]): Promise<void> {
    const file = this.#file;
    if (file === undefined || lines.length === 0) return Promise.resolve();
    const text = lines.map((line) => `\n${JSON.stringify(line)}`).join('');
    this.#written = this.#written.then(async () => {
      try {
        await mkdir(path.dirname(file), { recursive: true });
        await appendFile(file, text);
      } catch (error) {
        throw fileError(error, 'write the notes of the migration', file);
      }
    });
    return this.#written;
  }
}

interface Line extends CopyNote {
  readonly forgotten?: true;
}

function parsed(line: string): Line | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as Line);
  } catch {
    return undefined;
  }
}

async function readLines(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw fileError(error, 'read the notes of the migration', file);
  }
}

function idOf(name: CopiedName): string {
  return typeof name === 'string' ? name : JSON.stringify([name.table, name.partition, name.sort]);
}
