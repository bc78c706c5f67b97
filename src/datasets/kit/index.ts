/**
 * `quotidien/kit`: everything that a dataset may use, ours and strangers' alike. Described name by
 * name in `docs/kit.md`; a name that is here stays, with its meaning, until the next major version.
 */

// What a dataset is, and what its code is given.
export type { CheckResult } from '../../pipelines/check-result.ts';
export type {
  AgedList,
  Dataset,
  DecodedFile,
  Decoder,
  DecodeTask,
  EncodedFile,
  FlatTable,
  LocalArtefact,
  NameRows,
  NeededTable,
  PlainTools,
  RawNames,
  Persons,
  RowMeaning,
  SliceTask,
  StagedOutput,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitFailure,
  UnitOutcome,
  UnitResult,
} from '../../pipelines/dataset.ts';
export type {
  NamedDay,
  Credential,
  FetchWindow,
  FolderAccess,
  FolderSource,
  HttpSource,
  SourceDeclaration,
} from '../../pipelines/source-declaration.ts';
export type { GivenFile, OddColumns, RecognisedFile } from '../../pipelines/given-file.ts';
export type {
  CheckDefinition,
  OutputDefinition,
  PartDefinition,
  PipelineDefinition,
  RecordDefinition,
  RecordTable,
  RollupDefinition,
  RollupInput,
  ScheduledWork,
  Severity,
  StepDefinition,
  StepInput,
} from '../../pipelines/definition.ts';
export * from '../../pipelines/tables.ts';
export * from './asked-days.ts';
export * from './column.ts';
export type {
  CommandCall,
  CommandEnd,
  CommandHost,
  DatasetCommand,
  ImportedFile,
  RowsFileRequest,
  RowsSheet,
  TablesCut,
  TableState,
  WrittenFile,
} from '../../pipelines/dataset-command.ts';
export type { AcceptedHold, PartNote } from '../../pipelines/kept-delivery.ts';
export type { UnansweredNote } from '../../pipelines/unanswered.ts';
export type {
  CivilDate,
  ColumnClass,
  Period,
  Revision,
  Scope,
  Stage,
  StepId,
} from '../../pipelines/vocabulary.ts';
export { REVISIONS } from '../../pipelines/vocabulary.ts';
export type { JsonObject, JsonValue } from '../../ports/json.ts';
export type { ArtefactRef } from '../../ports/objects.ts';
export type { SqlSession } from '../../ports/sql.ts';
export { PipelineError } from '../../errors.ts';
export type { ErrorCode, ErrorContext } from '../../errors.ts';
export {
  definedMembers,
  firstOf,
  lastOf,
  matchOf,
  nthOf,
  required,
  textBefore,
} from '../../given.ts';
export type { Given } from '../../given.ts';

// The definition, with defaults and durations as people write them.
export * from './define-dataset.ts';
export * from './define-pipeline.ts';
export * from './define-step.ts';
export * from './durations.ts';

export * from './sample-data.ts';

// Days.
export {
  addDays,
  addMonths,
  datesBetween,
  datesOfMonth,
  isCivilDate,
  MONTH_FORM,
  toEpochDay,
} from '../../pipelines/civil-date.ts';
export { civilDateAt, instantMs, wallTime, zonedDay } from '../../pipelines/zoned-day.ts';
export type { ZonedDay } from '../../pipelines/zoned-day.ts';
export * from './local-time.ts';

// Shards of a day, and units that a check holds.
export { shardName, shardOf, shardSql, shardsOf } from '../../pipelines/shard.ts';
export type { Shard } from '../../pipelines/shard.ts';
export { judgeUnits } from '../../pipelines/held-units.ts';
export type { FailingRow, JudgedRows } from '../../pipelines/held-units.ts';
export type { HeldUnit, UnitDecision } from '../../pipelines/units.ts';

// Reading what a publisher gives.
export * from './alike-files.ts';
export * from './csv-file.ts';
export * from './header.ts';
export * from './json-documents.ts';
export * from './not-data.ts';
export * from './opendatasoft.ts';
export * from './text-ends.ts';
export { refuseUnreadable, rowsOfCsv } from './unreadable-rows.ts';
export type { Readable, TextRows } from './unreadable-rows.ts';
export * from './version.ts';

// Steps and what they write.
export * from './checks.ts';
export * from './csv.ts';
export * from './day-files.ts';
export * from './each-unit.ts';
export * from './flat-table.ts';
export * from './french-csv.ts';
export * from './json.ts';
export * from './kept-words.ts';
export * from './keyed-names.ts';
export * from './parquet.ts';
export * from './lost-columns.ts';
export * from './row-checks.ts';
export { csvField } from '@quotidien/machine/csv-field';
export { measuring, sha256OfFile } from '@quotidien/machine/file-hash';
export type { Measured, Measuring } from '@quotidien/machine/file-hash';
export { canonicalJson } from '../../canonical-json.ts';
export { quoteIdentifier, quoteList, quoteText, quoteTexts } from '../../pipelines/sql-text.ts';
