import type { JsonObject, JsonValue } from '../ports/json.ts';
import type { Decision } from './decision.ts';
import type { ManifestStep } from './manifest.ts';
import type { Scope, StepId, Verdict } from './vocabulary.ts';

/**
 * What changed between two versions of a day or period. Small enough to be kept: counts, and for
 * each column or path the largest change, never the rows themselves.
 */
export interface VersionDiff {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly from: VersionSummary;
  readonly to: VersionSummary;
  /** Changed facts, such as `revision`. */
  readonly facts: readonly ValueChange[];
  /**
   * What people decided since the version before; absent in records that are older than this
   * member.
   */
  readonly decisions?: readonly Decision[];
  /** Steps that differ, in the order of the definition. */
  readonly steps: readonly StepDiff[];
}

/** A version as both sides of a difference name it. */
export interface VersionSummary {
  readonly version: number;
  readonly verdict: Verdict;
  /** ISO instant. */
  readonly committedAt: string;
}

/** What became of one step between two versions. */
export interface StepDiff {
  readonly step: StepId;
  /** Null: the version does not know the step. */
  readonly before: ManifestStep['state'] | null;
  readonly after: ManifestStep['state'] | null;
  /** In words, which of its inputs, version or parameters changed, or why it has no outputs now. */
  readonly why: string;
  /** Outputs whose bytes differ; empty when the step was made anew and gave the same bytes. */
  readonly outputs: readonly OutputDiff[];
}

/** `before` is null for an output that is new, `after` for one that is gone. */
export interface OutputDiff {
  readonly output: string;
  readonly before: OutputSummary | null;
  readonly after: OutputSummary | null;
  readonly content: ContentDiff;
}

/** The stored object; `rows` is absent for what is no table. */
export interface OutputSummary {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows?: number;
}

/** How two contents differ, as far as it can be told for their kind. */
export type ContentDiff =
  | ({ readonly kind: 'table' } & TableDiff)
  | ({ readonly kind: 'document' } & DocumentDiff)
  /** Not compared: new, gone, damaged, or of a kind that is only known by its bytes. */
  | { readonly kind: 'bytes'; readonly why: string };

/** Counts of rows, by key columns. */
export interface TableDiff {
  /**
   * The columns by which rows were told apart; empty when no such columns were found and whole rows
   * were compared.
   */
  readonly keyColumns: readonly string[];
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  readonly added: number;
  readonly removed: number;
  /** Rows with the same key and another value in any column. */
  readonly changed: number;
  readonly columnsAdded: readonly string[];
  readonly columnsRemoved: readonly string[];
  /** The columns with changed values, in the order of the table. */
  readonly columns: readonly ColumnDiff[];
  /**
   * Where the dataset has names for the rows: changed ones first, then removed, then added, at most
   * `MAX_NAMED`.
   */
  readonly named?: readonly NamedRow[];
}

/** Differing rows of a table that are named at most. */
export const MAX_NAMED = 20;

/** A row that is not the same in both versions, as its dataset calls it. */
export interface NamedRow {
  readonly name: string;
  readonly change: 'changed' | 'removed' | 'added';
}

/** What changed in one column, over the rows that both versions have. */
export interface ColumnDiff {
  readonly column: string;
  /** Rows in which the value differs. */
  readonly changed: number;
  /** Where both values are numbers and differ most. */
  readonly largest: LargestChange | null;
}

/** The change with the largest absolute difference. */
export interface LargestChange {
  /** After minus before. */
  readonly difference: number;
  readonly before: JsonValue;
  readonly after: JsonValue;
  /** The row, by its key columns. */
  readonly at: JsonObject;
}

/** Counts of values at the leaves of two JSON documents. */
export interface DocumentDiff {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /**
   * At most `MAX_CHANGES`: the largest numeric changes first, then the others in the order of the
   * document.
   */
  readonly changes: readonly ValueChange[];
}

/** One value of a JSON document; an absent side is undefined and left out when stored. */
export interface ValueChange {
  /** Such as `load.energy_mwh` or `curves.load_mw[12]`. */
  readonly path: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
  /** After minus before, when both are numbers. */
  readonly difference?: number;
}
