import { PipelineError } from '../../errors.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type {
  AnswerRow,
  ChartDefinition,
  QuestionDefinition,
  TableColumn,
  Words,
} from '../../pipelines/tables.ts';
import type { Engine } from '../engine.ts';
import type { KnownVersions } from './known-versions.ts';
import { cutTable, tablesOf } from './table-cut.ts';
import type { TableCut } from './table-cut.ts';
import { withViews } from './table-rows.ts';

/** Answers to declared questions: exact rows over all data of the span, with what they stand on. */

/** A question and the pipeline that declares it; ids of questions are unique among all. */
export interface PlacedQuestion {
  readonly pipeline: string;
  readonly question: QuestionDefinition;
}

/** Every question of the datasets, by id; `PLAN_INVALID` when two have one id. */
export function questionsOf(
  datasets: Readonly<Record<string, Dataset>>,
): ReadonlyMap<string, PlacedQuestion> {
  const questions = new Map<string, PlacedQuestion>();
  for (const [pipeline, dataset] of Object.entries(datasets)) {
    for (const question of dataset.questions ?? []) {
      if (questions.has(question.id))
        throw new PipelineError('PLAN_INVALID', `two questions have the name ${question.id}`);
      questions.set(question.id, { pipeline, question });
    }
  }
  return questions;
}

/** The rows, with what is needed to say where they come from: the cuts name every version. */
export interface Answer {
  readonly pipeline: string;
  readonly question: QuestionDefinition;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly sentence: Words;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly AnswerRow[];
  readonly chart: ChartDefinition | null;
  readonly cuts: readonly TableCut[];
}

/** An answer has at most so many rows; more are for the rows and files of tables. */
export const MAX_ANSWER_ROWS = 10_000;

/** The parameters as the question understands them; `INPUT_INVALID` names each that it does not. */
export function readParameters(
  { question }: PlacedQuestion,
  given: Readonly<Record<string, unknown>>,
) {
  const read = question.parameters.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map(
    ({ path, message }) => `${path.join('.') || question.id}: ${message}`,
  );
  throw new PipelineError('INPUT_INVALID', problems.join('; '));
}

/** What the answer stands on, without asking: for whoever has an earlier answer to the same. */
export async function cutsOf(
  engine: Engine,
  known: KnownVersions,
  { pipeline, question }: PlacedQuestion,
  parameters: Readonly<Record<string, unknown>>,
  asOf?: string,
): Promise<{ readonly cuts: readonly TableCut[]; readonly sql: string }> {
  const span = await known.span(pipeline);
  if (span === undefined)
    throw new PipelineError('NOT_FOUND', `${pipeline} has no finished day yet`);
  const scene = { known: span };
  const range = question.span(parameters, scene);
  if (range.to < range.from)
    throw new PipelineError(
      'INPUT_INVALID',
      `the range ends (${range.to}) before it begins (${range.from})`,
    );
  const tables = tablesOf(engine.datasets);
  const cuts = await Promise.all(
    question.tables.map((id) => {
      const table = tables.get(id);
      if (table === undefined)
        throw new PipelineError('PLAN_INVALID', `${question.id} reads ${id}, no declared table`);
      return cutTable(engine, known, table, { ...range, asOf });
    }),
  );
  return { cuts, sql: question.sql(parameters, scene) };
}

/**
 * The answer to a question with parameters that it has read. `RANGE_TOO_LARGE` when it has too many
 * rows.
 */
export async function askQuestion(
  engine: Engine,
  known: KnownVersions,
  placed: PlacedQuestion,
  parameters: Readonly<Record<string, unknown>>,
  { asOf, signal }: { readonly asOf?: string | undefined; readonly signal?: AbortSignal } = {},
): Promise<Answer> {
  const { question, pipeline } = placed;
  const { cuts, sql } = await cutsOf(engine, known, placed, parameters, asOf);
  const read = cuts.filter(({ table }) => new RegExp(`\\b${table.id}\\b`).test(sql));
  const limited = `SELECT * FROM (${sql}) LIMIT ${MAX_ANSWER_ROWS + 1}`;
  const rows = await withViews(engine, read, (session) => session.rows<AnswerRow>(limited), signal);
  if (rows.length > MAX_ANSWER_ROWS) {
    throw new PipelineError(
      'RANGE_TOO_LARGE',
      `the answer has more than ${MAX_ANSWER_ROWS} rows: ask for a shorter range, a coarser granularity or top_n`,
    );
  }
  return {
    pipeline,
    question,
    parameters,
    sentence: question.sentence(rows, parameters),
    columns: question.columns(parameters),
    rows,
    chart: question.chart?.(parameters) ?? null,
    cuts: read,
  };
}
