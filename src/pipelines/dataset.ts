import type { ErrorCode, ErrorContext } from '../errors.ts';
import type { JsonObject, JsonValue } from '../ports/json.ts';
import type { ArtefactRef } from '../ports/objects.ts';
import type { SqlSession } from '../ports/sql.ts';
import type { CheckResult } from './check-result.ts';
import type { DatasetCommand } from './dataset-command.ts';
import type { PipelineDefinition } from './definition.ts';
import type { GivenFile, RecognisedFile } from './given-file.ts';
import type { AcceptedHold, PartNote } from './kept-delivery.ts';
import type { Shard } from './shard.ts';
import type { UnansweredNote } from './unanswered.ts';
import type { DashboardDefinition, QuestionDefinition, TableDefinition } from './tables.ts';
import type { UnitDecision } from './units.ts';
import type { CivilDate, Scope, StepId } from './vocabulary.ts';
import type { ZonedDay } from './zoned-day.ts';
import type { FetchWindow, NamedDay, SourceDeclaration } from './source-declaration.ts';

/**
 * What a dataset implements. Every step is written once, for a SET of scopes; a single day is the
 * set of one, and the outputs of a day must be the same bytes whatever set it is computed in.
 */

/** An input artefact as a verified local file. */
export interface LocalArtefact {
  readonly scope: Scope;
  readonly path: string;
  readonly ref: ArtefactRef;
  /** Of a gathered input: the shard that it is. */
  readonly shard?: Shard;
  /**
   * What its step recorded; only there for inputs declared `withFacts`, because only then they are
   * part of the step key.
   */
  readonly facts?: JsonObject;
  readonly checks?: readonly CheckResult[];
}

/** The work of a step on one scope: what it reads, and what it is told of that. */
export interface StepUnit {
  readonly scope: Scope;
  /** The instants of the data day; absent for periods. */
  readonly day?: ZonedDay;
  /**
   * By input name: none for a missing optional input, one for a step, one per scope for a rollup
   * (ascending).
   */
  readonly inputs: Readonly<Record<string, readonly LocalArtefact[]>>;
  /**
   * Of a step that declares `withNotes`: the parts that use what was delivered before. Absent where
   * there are none.
   */
  readonly notes?: readonly PartNote[];
  /**
   * Of a step that declares `withNotes`: the parts whose rows a sample portal made up; absent where
   * there are none.
   */
  readonly sample?: readonly string[];
  /**
   * Of a step that declares `withNotes`: the parts of which nothing came because the publisher was
   * not heard. Absent where there are none.
   */
  readonly unanswered?: readonly UnansweredNote[];
  /**
   * Of a step that declares `withNotes`: who accepted held data of its inputs `withFacts`, when and
   * why. Absent where there are none.
   */
  readonly accepted?: readonly AcceptedHold[];
  /**
   * Of a step with checks that name units: what people decided on units of this scope; for
   * `judgeUnits`.
   */
  readonly decided?: readonly UnitDecision[];
  /**
   * Of a rollup that declares `withPrevious`; absent where there is nothing to go on from, or not
   * all of it can be read any more.
   */
  readonly previous?: PreviousResult;
}

/**
 * What the newest version of a period was made from, as far as it is not what the period is made
 * from now, and what came of it.
 */
export interface PreviousResult {
  /** Those that `withPrevious` names. */
  readonly outputs: Readonly<Record<string, LocalArtefact>>;
  readonly facts: JsonObject;
  /** Empty where none were told. */
  readonly decided: readonly UnitDecision[];
  /**
   * By name, the inputs that are other ones: `before` was read then and is not now, `after` the
   * other way round.
   */
  readonly changed: Readonly<Record<string, ChangedInput>>;
}

/** Files of one input, ascending by scope. */
export interface ChangedInput {
  readonly before: readonly LocalArtefact[];
  readonly after: readonly LocalArtefact[];
}

/** One call of a step: the scopes of a window, or a single day as a set of one. */
export interface StepTask {
  /** As the definition declares it, without a shard. */
  readonly step: StepId;
  /** Of a step that declares `shards`: the one that is asked for. */
  readonly shard?: Shard;
  readonly params: JsonObject;
  readonly units: readonly StepUnit[];
  /** Tells how far the step is; also its heartbeat. */
  readonly progress: (note: string) => void;
  readonly signal: AbortSignal;
}

/** An output that waits to be committed: a file in the step's scratch folder, or bytes. */
export type StagedOutput = { readonly rows?: number } & (
  | { readonly path: string }
  | { readonly bytes: Uint8Array }
);

/** What a step made for one scope, before it is committed. */
export interface UnitResult {
  readonly scope: Scope;
  readonly outputs: Readonly<Record<string, StagedOutput>>;
  readonly checks: readonly CheckResult[];
  /**
   * Small facts about the scope, kept in ledger and manifest: `revision`, `coverage`, `rows` mean
   * the same everywhere.
   */
  readonly facts: Readonly<Record<string, JsonValue>>;
}

/** One scope of a set could not be made; the others go on. */
export interface UnitFailure {
  readonly scope: Scope;
  readonly failure: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly context?: ErrorContext;
  };
}

/** Each unit of a task has exactly one. */
export type UnitOutcome = UnitResult | UnitFailure;

/**
 * A table of the light report worker: flat, small, exported by a writer that needs no native
 * engine.
 */
export interface FlatTable {
  readonly columns: readonly {
    readonly name: string;
    readonly type: 'text' | 'integer' | 'number' | 'instant' | 'boolean';
  }[];
  /** Instants are ISO-8601 text with offset or `Z`. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  /** Key and value pairs of the file’s own metadata; absent where there are none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** All that a `plain` step may use besides its task. */
export interface PlainTools {
  /** The whole bytes of a (small) input. */
  read(artefact: LocalArtefact): Promise<Uint8Array>;
  readonly writeFlatParquet: (table: FlatTable) => Promise<Uint8Array>;
}

/**
 * `sql` steps work in one session on the embedded engine; `plain` steps run in the light worker
 * without it.
 */
export type StepImplementation =
  | {
      readonly kind: 'sql';
      run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]>;
    }
  | {
      readonly kind: 'plain';
      run(task: StepTask, tools: PlainTools): Promise<readonly UnitOutcome[]>;
    };

/** A raw download or imported file, and the days wanted from it. */
export interface SliceTask {
  readonly part: string;
  /**
   * Of a part that declares `decoding`: what was decoded of it, or of several; then `sha256` has
   * the hashes of all, with commas between.
   */
  readonly raw: { readonly path: string; readonly sha256: string; readonly bytes: number };
  readonly days: readonly ZonedDay[];
  readonly progress: (note: string) => void;
}

/** A raw file as it was delivered, on this disk. */
export interface EncodedFile {
  readonly name: string;
  readonly path: string;
  /** Of the bytes as delivered. */
  readonly sha256: string;
  readonly bytes: number;
}

/** What `Dataset.decode` is to do. */
export interface DecodeTask {
  readonly part: string;
  /**
   * The files of one raw file, one after the other; each is removed when the next one is asked for.
   */
  readonly files: AsyncIterable<EncodedFile>;
  /** The publisher's keys of files, as the configuration has them. */
  readonly keys: string;
  /** Where what `Dataset.slice` reads is written. */
  readonly target: string;
  /** A folder for files in between; it is removed afterwards. */
  readonly scratch: string;
  readonly progress: (note: string) => void;
  readonly signal: AbortSignal;
}

/**
 * What came of one file: `failure` is why nothing can be read of it, with what a person does about
 * it.
 */
export interface DecodedFile {
  readonly name: string;
  readonly sha256: string;
  readonly failure?: { readonly cause: string; readonly message: string };
}

/**
 * From files as delivered to what `Dataset.slice` reads, for the parts that declare `decoding`. A
 * file of which nothing can be read is a result of its own, and known to have come; the others go
 * on.
 */
export interface Decoder {
  /** Names the host's setting `QUOTIDIEN_<HOST>_FILE_KEYS`. */
  readonly host: string;
  /** Refuses keys that cannot be read with `CONFIG_INVALID`; says nothing of them. */
  checkKeys(keys: string): void;
  decode(task: DecodeTask): Promise<readonly DecodedFile[]>;
  /** Set by the configuration. A secret. */
  readonly keys?: string;
}

/**
 * Names under which raw files are also kept, for other programs and from them. Files of one day
 * (the pages and hours of an API) are read together; any other file stands for itself.
 */
export interface RawNames {
  /** Beginnings of all names, for listing. */
  readonly roots: readonly string[];
  /**
   * The parts whose files other programs bring: runs and watches look for them. Absent: people
   * import them.
   */
  readonly parts?: readonly string[];
  /** The parts of each source, by the names of `ENABLE_SOURCES`. */
  readonly sources?: Readonly<Record<string, readonly string[]>>;
  /**
   * The name of an answer or imported file: as the end of its own path says, else by what it holds;
   * undefined: it has none.
   */
  nameOf(file: {
    readonly part: string;
    readonly window: FetchWindow;
    readonly at: Date;
    readonly path?: string;
  }): string | undefined;
  /** The day that the objects of this name are of; undefined for a file that stands for itself. */
  dayOf(name: string): NamedDay | undefined;
  /** Beginnings of the names whose objects may hold records of a day, the day's own first. */
  besides(day: NamedDay): readonly string[];
}

/**
 * What the rows of a slice say, as SQL over its columns. Keys and values are the same text for the
 * same fact in every dialect of a publisher, so that slices of different files can be held against
 * each other.
 */
export interface RowMeaning {
  /** Names a row; NULL for one that is not looked at. */
  readonly key: string;
  /**
   * What rows with the same key have in common, where it is cheaper than the key: a few new rows
   * are held against those with the same alone. Only of rows that are all of one subject.
   */
  readonly within?: string;
  /**
   * The row in words, for a person who is told of two that disagree; absent where rows are about
   * persons.
   */
  readonly called?: string;
  /**
   * What the row is about where a day has rows of several things, such as a counter; absent: all
   * rows of a day are about one.
   */
  readonly subject?: string;
  /** What the row tells, by our names; NULL where it tells nothing. */
  readonly values: Readonly<Record<string, string>>;
  /** How final the row is: a number that grows with each revision; absent: nothing says so. */
  readonly finality?: string;
  /** The values that a later revision must have as well; in all others it may differ. */
  readonly essential?: readonly string[];
  /** The published name of each column that is known, by our name. */
  readonly names: Readonly<Record<string, string>>;
}

/** Persons of whom a dataset tells, and whom `quotidien forget` removes. */
export interface Persons {
  /** What one is called, such as `meter`. */
  readonly called: string;
  /**
   * The key by which slices know the person that an operator names.
   * @throws `INPUT_INVALID` for what can be nobody's id
   */
  keyOf(id: string): Promise<string>;
  /**
   * SQL over the columns of a slice of the part: the key of the person that a row is about, NULL
   * for a row about nobody. Undefined for slices that are about nobody. A row is about one person
   * at most.
   */
  keySql(part: string, columns: readonly string[]): string | undefined;
  /**
   * SQL over the columns of a slice of the part: another name of the person of `keySql`, by which
   * rows of other slices may know that person alone and which is then their key; NULL where a row
   * has none. Whoever is forgotten is forgotten by these names too. Undefined for slices without
   * such names.
   */
  otherNameSql?(part: string, columns: readonly string[]): string | undefined;
}

/**
 * What rows of a table are called where versions are compared: one name for each row, of which the
 * key columns are given. Names are kept and shown: they hold nothing personal.
 */
export type NameRows = (rows: readonly JsonObject[]) => Promise<readonly string[]>;

/**
 * A table with rows on which living things rest for longer than it is kept, such as the event that
 * began a contract.
 */
export interface NeededTable {
  /** `<step>:<output>` of a day: its rows decide whether the day's file stays. */
  readonly table: string;
  /** What stays with it: `<step>:<output>` of the same day, and of the month that has it. */
  readonly with: readonly string[];
  /** The output of the newest version of the whole history that tells what lives. */
  readonly living: { readonly step: StepId; readonly output: string };
  /**
   * SQL over the rows of the table: whether something rests on the row that lives in the days from
   * `since` on. `living` is that output as a table in SQL.
   */
  where(living: string, since: CivilDate): string;
}

/**
 * A list of values that came with the code, such as rates, of which a newer one may be in force.
 */
export interface AgedList {
  /** Such as `rates of TURPE`. */
  readonly subject: string;
  /** From when the newest known one holds, and since when it has to be looked at. */
  readonly detail: string;
  /** What a person does about it. */
  readonly next: string;
}

/** Everything the engine needs from a dataset: its definition as data and its code. */
export interface Dataset {
  readonly definition: PipelineDefinition;
  /**
   * The version of the kit that a dataset of a module is written against; `defineDataset` fills it
   * in.
   */
  readonly kit?: number;
  /** What only this dataset can do, as `quotidien <pipeline> <name>`. */
  readonly commands?: readonly DatasetCommand[];
  /** By part, for parts of the kinds `http` and `folder`. */
  readonly sources: Readonly<Record<string, SourceDeclaration>>;
  /**
   * Cuts raw bytes into the slices of the wanted days: per day the output `slice` (Parquet; text
   * columns, canonical order; left out when the file has no row of the day; one output per shard,
   * where the part has `shards`) with the facts `rows` and `published_columns`. Refuses what is not
   * the expected format as a whole with `SRC_SHAPE_CHANGED` or `SRC_TRUNCATED`.
   */
  slice(task: SliceTask, sql: SqlSession): Promise<readonly UnitOutcome[]>;
  /**
   * The rule by which answers for a part are held against what is known: with it, what a day has
   * stays until an answer has as much. Undefined for a part whose every answer is a whole of its
   * own, such as a state of the moment: then the newest one counts. Lists of different days are not
   * held against each other.
   */
  rowsOf?(part: string, columns: readonly string[]): RowMeaning | undefined;
  readonly decoder?: Decoder;
  /** Whose rows can be removed for good; absent where no slice tells of persons. */
  readonly persons?: Persons;
  /**
   * By step id and output, for tables with `keyColumns`: differences of versions name the rows that
   * differ.
   */
  readonly rowNames?: Readonly<Record<StepId, Readonly<Record<string, NameRows>>>>;
  /** By step id, for every step except downloads, and for every rollup. */
  readonly steps: Readonly<Record<string, StepImplementation>>;
  readonly rawNames?: RawNames;
  /**
   * What of ended tables stays because something that lives rests on it; without it nothing does.
   */
  readonly neededTables?: readonly NeededTable[];
  /**
   * Lists that a person has to look at on a day; `quotidien doctor` tells of those of pipelines
   * that have made a day.
   */
  readonly agedLists?: (today: CivilDate) => readonly AgedList[];
  /** What readers may ask for: routes, documents, exports and tools are made from these. */
  readonly tables?: readonly TableDefinition[];
  readonly questions?: readonly QuestionDefinition[];
  readonly dashboards?: readonly DashboardDefinition[];
  /**
   * Recognises a file for `quotidien import` by its content; `INPUT_INVALID` says what it would
   * need to be.
   */
  readonly recognise?: (file: GivenFile, sql: SqlSession) => Promise<RecognisedFile>;
  /**
   * The same with the secret of the installation, by which names of people become keys or
   * pseudonyms; it is asked for when files are read or such names are made.
   */
  readonly withSecret?: (secret: () => Promise<string>) => Dataset;
  /**
   * The numbers of shards in which days may come, 1 for none, and the same dataset in one of them:
   * the configuration chooses.
   */
  readonly shards?: { readonly of: readonly number[]; readonly with: (of: number) => Dataset };
}
