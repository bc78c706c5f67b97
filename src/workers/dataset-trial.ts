import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { required } from '../given.ts';
import type { CheckResult } from '../pipelines/check-result.ts';
import type {
  Dataset,
  LocalArtefact,
  StagedOutput,
  StepUnit,
  UnitOutcome,
} from '../pipelines/dataset.ts';
import type { StepDefinition } from '../pipelines/definition.ts';
import { PipelineError } from '../errors.ts';
import type { JsonObject } from '../ports/json.ts';
import type { SqlSession } from '../ports/sql.ts';
import { zonedDay } from '../pipelines/zoned-day.ts';
import type { ZonedDay } from '../pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../storage/sql/duckdb.ts';
import { encodeFlatParquet } from '../storage/sql/parquet-export.ts';

/**
 * `quotidien/kit/testing`: a dataset's own tests make a day of it with the SQL engine that runs it
 * later, without stores and without Temporal.
 */

/** An output that a step wrote. */
export interface TrialOutput {
  readonly bytes: Buffer;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What came of a day. */
export interface Trial {
  /** By `<step>:<output>`. */
  readonly outputs: Readonly<Record<string, TrialOutput>>;
  readonly checks: readonly CheckResult[];
  /** By step. */
  readonly facts: Readonly<Record<string, JsonObject>>;
}

/**
 * The day, and by part the raw file that is cut. Parts without a file have no slice; no step sees
 * previous days.
 */
export interface TrialRequest {
  readonly date: string;
  readonly files: Readonly<Record<string, string | URL>>;
}

const NEVER = new AbortController().signal;

/**
 * Runs all steps of one day in their order. @throws the `PipelineError` of the first step that
 * fails.
 */
export async function makeDay(dataset: Dataset, { date, files }: TrialRequest): Promise<Trial> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-trial-'));
  const engine = createDuckDbEngine({
    memoryLimitMb: 512,
    threads: 2,
    scratchRoot: path.join(folder, 'sql'),
  });
  try {
    const day = zonedDay(date, dataset.definition.zone);
    const trial = new TrialDay(dataset, day, folder, (work) => engine.session(work));
    for (const step of dataset.definition.steps) await trial.run(step, files);
    return trial;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type WithSql = <T>(work: (sql: SqlSession) => Promise<T>) => Promise<T>;

class TrialDay implements Trial {
  readonly outputs: Record<string, TrialOutput> = {};
  readonly checks: CheckResult[] = [];
  readonly facts: Record<string, JsonObject> = {};
  readonly #artefacts = new Map<string, LocalArtefact>();
  readonly #dataset: Dataset;
  readonly #day: ZonedDay;
  readonly #folder: string;
  readonly #withSql: WithSql;

  constructor(dataset: Dataset, day: ZonedDay, folder: string, withSql: WithSql) {
    this.#dataset = dataset;
    this.#day = day;
    this.#folder = folder;
    this.#withSql = withSql;
  }

  async run(step: StepDefinition, files: TrialRequest['files']): Promise<void> {
    if (step.part !== undefined) {
      const file = files[step.part];
      if (file !== undefined)
        await this.#cut(step, typeof file === 'string' ? file : fileURLToPath(file));
      return;
    }
    const code = this.#dataset.steps[step.id];
    if (code === undefined)
      throw new PipelineError('PLAN_INVALID', `the dataset has no code for ${step.id}`);
    const unit = this.#unitOf(step);
    if (unit === undefined) return;
    const task = {
      step: step.id,
      params: step.params ?? {},
      units: [unit],
      progress: () => undefined,
      signal: NEVER,
    };
    const tools = {
      read: ({ path: file }: LocalArtefact) => readFile(file),
      writeFlatParquet: encodeFlatParquet,
    };
    await this.#withSql(async (sql) => {
      const outcomes =
        code.kind === 'plain' ? await code.run(task, tools) : await code.run(task, sql);
      await this.#keep(step, outcomes);
    });
  }

  async #cut(step: StepDefinition, file: string): Promise<void> {
    const bytes = await readFile(file);
    const raw = { path: file, sha256: hashOf(bytes), bytes: bytes.length };
    const task = {
      part: required(step.part, 'the part of a download'),
      raw,
      days: [this.#day],
      progress: () => undefined,
    };
    await this.#withSql(async (sql) => {
      await this.#keep(step, await this.#dataset.slice(task, sql));
    });
  }

  /** Undefined where an input that the step needs is not there. */
  #unitOf(step: StepDefinition): StepUnit | undefined {
    const inputs: Record<string, LocalArtefact[]> = {};
    for (const { name, step: from, output, daysBefore, optional } of step.inputs) {
      const found = daysBefore === undefined ? this.#artefacts.get(`${from}:${output}`) : undefined;
      if (found === undefined && optional !== true && daysBefore === undefined) return undefined;
      inputs[name] = found === undefined ? [] : [found];
    }
    const anyOf = step.needsAnyOf ?? [];
    if (anyOf.length > 0 && anyOf.every((name) => inputs[name]?.length === 0)) return undefined;
    return { scope: this.#day.date, day: this.#day, inputs };
  }

  async #keep(step: StepDefinition, outcomes: readonly UnitOutcome[]): Promise<void> {
    for (const outcome of outcomes) {
      if ('failure' in outcome)
        throw new PipelineError(outcome.failure.code, outcome.failure.message);
      this.checks.push(...outcome.checks);
      this.facts[step.id] = outcome.facts;
      for (const [name, staged] of Object.entries(outcome.outputs))
        await this.#keepOutput(step, name, staged, outcome);
    }
  }

  async #keepOutput(
    step: StepDefinition,
    name: string,
    staged: StagedOutput,
    { facts, checks }: { facts: JsonObject; checks: readonly CheckResult[] },
  ): Promise<void> {
    const id = `${step.id}:${name}`;
    const bytes = 'path' in staged ? await readFile(staged.path) : Buffer.from(staged.bytes);
    const file = path.join(this.#folder, 'artefacts', id.replaceAll(/[/:]/g, '-'));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
    const ref = {
      key: id,
      sha256: hashOf(bytes),
      bytes: (await stat(file)).size,
      mediaType: required(step.outputs[name], `the output ${name}`).mediaType,
    };
    this.outputs[id] = { bytes, sha256: ref.sha256 };
    this.#artefacts.set(id, { scope: this.#day.date, path: file, ref, facts, checks });
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
