import { definedMembers, required } from '../../given.ts';
import type { DecodedFile } from '../../pipelines/dataset.ts';
import type { NamedDay, FolderSource } from '../../pipelines/source-declaration.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { FetchedFile, OfferedFile, Source, SourceOptions } from '../../ports/source.ts';
import type { Engine } from '../engine.ts';

/**
 * The journal of a folder's files: what was seen, and what became of it. There is no other cursor:
 * a listing is held against the journal, and what it lacks or calls failed is fetched, however old.
 * It is written after the data, so that a run that breaks off fetches once more what it may have
 * lost, and never less.
 */

/** One row per file of a folder, by its name. */
export const ARRIVAL_TABLE = 'arrivals';

/** A file of a folder, as of its last listing or delivery. */
export interface Arrival {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: string | null;
  /**
   * - seen: it is listed, and not here yet.
   * - landed: its bytes are kept, and what is in it was taken in.
   * - failed: it cannot be read, or did not come whole; what came is kept.
   */
  readonly state: 'seen' | 'landed' | 'failed';
  readonly at: string;
  readonly sha256?: string;
  readonly failure?: { readonly cause: string; readonly message: string };
  /** Other bytes that had this name before, newest last; they are kept too. */
  readonly earlier?: readonly {
    readonly sha256: string;
    readonly bytes: number;
    readonly at: string;
  }[];
}

/**
 * A file of this name anywhere in a folder says that its files are made up; no publisher has one.
 */
const SAMPLE_FILE = 'QUOTIDIEN-SAMPLE';

/** A folder tells the size of every file. */
type ListedFile = OfferedFile & { readonly bytes: number };

/** A file that is to be fetched, and why. */
export interface DueFile {
  readonly file: ListedFile;
  readonly day: NamedDay;
  readonly why: 'new' | 'failed' | 'changed' | 'asked';
  readonly known?: Arrival;
}

/** What a folder has, held against the journal. */
export interface Survey {
  /** Every file of the parts that were asked about. */
  readonly files: readonly { readonly file: ListedFile; readonly day: NamedDay }[];
  readonly due: readonly DueFile[];
  /** Files of no part: those that are known and only noted, and names that nothing is known of. */
  readonly noted: readonly string[];
  readonly unknown: readonly string[];
  /** The folder says that a sample portal made its files up. */
  readonly isSample: boolean;
}

/** Which files of a folder are looked for. */
export interface SurveyRequest {
  readonly pipeline: string;
  readonly declaration: FolderSource;
  /** Default: every part. */
  readonly parts?: readonly string[];
  /** Fetch what has landed before as well. */
  readonly again?: boolean;
}

/**
 * Lists a folder once, and finds what is new in it, failed before or has other bytes than the last
 * time.
 */
export async function surveyFolder(
  engine: Pick<Engine, 'documents'>,
  source: Source,
  { pipeline, declaration, parts, again = false }: SurveyRequest,
  options: SourceOptions,
): Promise<Survey> {
  const files: { file: ListedFile; day: NamedDay }[] = [];
  const others: Record<'noted' | 'unknown', string[]> = { noted: [], unknown: [] };
  let isSample = false;
  for await (const file of source.list(options)) {
    if (file.name === SAMPLE_FILE) {
      isSample = true;
      continue;
    }
    const day = declaration.dayOf(file.name);
    if (typeof day === 'string') others[day].push(file.path);
    else if (parts?.includes(day.part) !== false)
      files.push({
        file: { ...file, bytes: required(file.bytes, `the size of ${file.path}`) },
        day,
      });
  }
  files.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const journal = await readJournal(engine, pipeline, [
    ...new Set(files.map(({ day }) => day.part)),
  ]);
  const due = files.flatMap(({ file, day }): DueFile[] => {
    const known = journal.get(`${day.part}/${arrivalSort(day.date, file.name)}`);
    const why = again ? 'asked' : whyDue(file, known);
    return why === undefined ? [] : [{ file, day, why, ...definedMembers({ known }) }];
  });
  return { files, due, noted: others.noted.sort(), unknown: others.unknown.sort(), isSample };
}

function orderOf({ file, day }: { readonly file: OfferedFile; readonly day: NamedDay }): string {
  return `${day.date}/${file.name}/${file.path}`;
}

function whyDue(file: ListedFile, known: Arrival | undefined): DueFile['why'] | undefined {
  if (known === undefined || known.state === 'seen') return 'new';
  if (known.state === 'failed') return 'failed';
  const isSame = known.bytes === file.bytes && known.modifiedAt === file.modifiedAt;
  return isSame ? undefined : 'changed';
}

async function readJournal(
  engine: Pick<Engine, 'documents'>,
  pipeline: string,
  parts: readonly string[],
): Promise<Map<string, Arrival>> {
  const journal = new Map<string, Arrival>();
  for (const part of parts)
    for (const [sort, body] of await readArrivals(engine, pipeline, part))
      journal.set(`${part}/${sort}`, body);
  return journal;
}

/** What the journal has of a part, by `<day>/<name>`. */
export async function readArrivals(
  { documents }: Pick<Engine, 'documents'>,
  pipeline: string,
  part: string,
): Promise<Map<string, Arrival>> {
  const arrivals = new Map<string, Arrival>();
  const query = { table: ARRIVAL_TABLE, partition: `${pipeline}/${part}` };
  for await (const { sort, body } of documents.query<Arrival>(query)) arrivals.set(sort, body);
  return arrivals;
}

type JournalStores = Pick<Engine, 'documents' | 'now'>;

/** Says that files are listed, before they are fetched; what is known of one already stays. */
export async function noteSeen(
  engine: JournalStores,
  pipeline: string,
  due: readonly DueFile[],
): Promise<void> {
  const at = engine.now().toISOString();
  const rows = due.flatMap((one) => {
    const { name, path, bytes, modifiedAt } = one.file;
    const body: Arrival = { name, path, bytes, modifiedAt, state: 'seen', at };
    return one.known === undefined ? [{ key: arrivalKey(pipeline, one), body }] : [];
  });
  if (rows.length > 0) await engine.documents.createMany(rows);
}

/** Says what became of a file, after everything that came of it is kept. */
export async function noteArrival(
  engine: JournalStores,
  pipeline: string,
  due: DueFile,
  came: {
    readonly fetched?: Pick<FetchedFile, 'sha256'>;
    readonly failure?: DecodedFile['failure'];
  },
): Promise<void> {
  const { name, path, bytes, modifiedAt } = due.file;
  const { failure, fetched } = came;
  const { known } = due;
  const other =
    known?.sha256 === undefined || known.sha256 === fetched?.sha256
      ? []
      : [{ sha256: known.sha256, bytes: known.bytes, at: known.at }];
  const earlier = [...(known?.earlier ?? []), ...other];
  const arrival: Arrival = {
    ...{ name, path, bytes, modifiedAt },
    state: failure === undefined ? 'landed' : 'failed',
    at: engine.now().toISOString(),
    ...definedMembers({ sha256: fetched?.sha256, failure }),
    ...(earlier.length === 0 ? {} : { earlier }),
  };
  await engine.documents.put(arrivalKey(pipeline, due), arrival);
}

function arrivalKey(pipeline: string, { day, file }: Pick<DueFile, 'day' | 'file'>): DocumentKey {
  return {
    table: ARRIVAL_TABLE,
    partition: `${pipeline}/${day.part}`,
    sort: arrivalSort(day.date, file.name),
  };
}

function arrivalSort(date: CivilDate, name: string): string {
  return `${date}/${name}`;
}
