import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { addDays, isCivilDate, PipelineError, required } from '../../kit/index.ts';
import type {
  CivilDate,
  CommandCall,
  CommandEnd,
  CommandHost,
  DatasetCommand,
  DaySpan,
  SqlSession,
} from '../../kit/index.ts';
import { FEATURES } from './meter-day.ts';
import { modelText, PSI_WARNED, promotionOf, readModel } from './model.ts';
import type { MethodMetrics, Model, ModelBody } from './model.ts';
import { LEAST_DAYS, trainModel } from './train.ts';
import type { TrainingRows } from './train.ts';

/** Four weeks of training, and what validates and tests them. */
const DAYS = 56;
const SEED = 42;
/** One meter of five is kept for the test: no day of it is trained on. */
const KEPT_OF = 5;
/**
 * More rows teach a forest of 256 rows a tree nothing, and cost memory: of more, a share of the
 * meters is taken by their key.
 */
const MOST_ROWS = 2_000_000;

/**
 * `quotidien smart-meter train`: a model from the days that there are, given to the day from which
 * it is meant to hold.
 */
export const TRAIN_COMMAND: DatasetCommand = {
  name: 'train',
  description:
    'train the model of odd days; a rule says whether it comes into force, or a person (decide)',
  options: [
    { flags: '--from <day>', description: `first day (default: ${DAYS} days before the last)` },
    { flags: '--to <day>', description: 'last day, included (default: the last that is known)' },
    {
      flags: '--valid-from <day>',
      description: 'the day from which it is meant to hold (default: that after the last)',
    },
    { flags: '--seed <number>', description: `of the random draws (default: ${SEED})` },
    { flags: '--output <file>', description: 'keep the artefact as a file too (.json)' },
    { flags: '--dry-run', description: 'train and tell, and give the model to no day' },
  ],
  run: (call, host) => train(call, host),
};

async function train(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const seed = seedOf(call);
  let span: DaySpan = { from: '', to: '' };
  const rows = await host.withTables(
    ['meter_features'],
    (sql, { meter_features: state }) => rowsOf(sql, required(state, 'the table of features').hash),
    { span: (known) => (span = spanOf(call, known)) },
  );
  if (rows.dates.length < LEAST_DAYS)
    throw new PipelineError(
      'INPUT_INVALID',
      `${span.from} … ${span.to} has ${rows.dates.length} days with meters beside four weeks of their own; a model needs ${LEAST_DAYS}`,
    );
  const validFrom = dayOption(call, 'validFrom') ?? addDays(span.to, 1);
  const champion = await host.withTables(['meter_models'], (sql) => championOf(sql, validFrom));
  const body = trainModel(rows, { features: FEATURES, seed, validFrom, champion });
  const text = modelText(body);
  tell(host, body, readModel(text));
  const { output } = call.options;
  if (typeof output === 'string') await host.writeText(output, text);
  if (call.options['dryRun'] === true) return 'done';
  return give(host, text, validFrom);
}

/** Imports the artefact, so that its day reads it. */
async function give(host: CommandHost, text: string, validFrom: CivilDate): Promise<CommandEnd> {
  const [outcome] = await host.withScratchFolder(async (folder) => {
    const file = path.join(folder, `model-${validFrom}.json`);
    await writeFile(file, text);
    return host.importFiles([file]);
  });
  if (outcome === undefined || 'code' in outcome)
    throw new PipelineError(
      outcome?.code ?? 'INTERNAL',
      outcome?.message ?? 'nothing came of the model',
    );
  host.line(
    `next: quotidien run smart-meter ${validFrom}, and quotidien stale smart-meter for days that it would change`,
  );
  return 'done';
}

function tell(host: CommandHost, body: ModelBody, { name }: Model): void {
  const { verdict, reason } = promotionOf(body);
  const { trees, ...told } = body;
  host.data({ name, verdict, reason, ...told, trees: trees.length });
  host.line(
    `model ${name}: ${body.rows} days of meters, ${body.days.train.from} … ${body.days.train.to}, seed ${body.seed}`,
  );
  host.line(
    `  ${['method'.padEnd(16), 'on'.padEnd(10), 'rows', 'flagged', 'P', 'R', 'F1', 'AP'].join('  ')}`,
  );
  for (const row of body.metrics) host.line(`  ${lineOf(row)}`);
  host.line(`  ${verdict}: ${reason}`);
  if (body.psi > PSI_WARNED)
    host.note(
      `the days of the validation are others than those of the training: PSI ${body.psi.toFixed(2)}`,
    );
  if (body.metrics.some(({ judged }) => judged !== null))
    host.note(
      'labels that a forest has made are found by a forest: that is imitation, and says nothing of fraud',
    );
}

function lineOf({ method, on, rows, flagged, judged }: MethodMetrics): string {
  const share = (value: number | undefined): string =>
    value === undefined ? '–' : value.toFixed(2);
  const { precision, recall, f1, ap } = judged ?? {};
  return [
    method.padEnd(16),
    on.padEnd(10),
    rows,
    share(flagged),
    ...[precision, recall, f1, ap].map(share),
  ].join('  ');
}

/** The newest that came into force before the day. */
async function championOf(sql: SqlSession, day: CivilDate): Promise<Model | undefined> {
  const [row] = await sql.rows<{ artefact: string }>(
    `SELECT artefact FROM meter_models WHERE valid_from < DATE '${day}' ORDER BY valid_from DESC,
      name DESC LIMIT 1`,
  );
  return row === undefined ? undefined : readModel(row.artefact);
}

async function rowsOf(sql: SqlSession, hash: string): Promise<TrainingRows> {
  const [size] = await sql.rows<{ rows: number }>('SELECT count(*) AS rows FROM meter_features');
  const share = Math.max(1, Math.ceil((size?.rows ?? 0) / MOST_ROWS));
  // Keys are hashes: their remainders part meters at random, and the same meters each time.
  const from = `(SELECT *, CAST(meter_key AS UBIGINT) AS key FROM meter_features
    WHERE CAST(meter_key AS UBIGINT) % ${share} = 0)`;
  const days = await sql.rows<{ scope: CivilDate; rows: number }>(
    `SELECT scope, count(*) AS rows FROM ${from} GROUP BY scope ORDER BY scope`,
  );
  const total = days.reduce((sum, { rows }) => sum + rows, 0);
  const names = [...FEATURES, 'day_z'];
  const columns: Record<string, Float32Array> = Object.fromEntries(
    names.map((name) => [name, new Float32Array(total)]),
  );
  const [day, kept, truth] = [new Int32Array(total), new Uint8Array(total), new Uint8Array(total)];
  const place = new Map(days.map(({ scope }, index) => [scope, index]));
  let at = 0;
  for await (const batch of sql.batches<Record<string, number | boolean | string | null>>(
    `SELECT scope, (key // ${share}) % ${KEPT_OF} = 0 AS kept,
      is_labelled, ${names.join(', ')} FROM ${from} ORDER BY scope, key`,
  )) {
    for (const row of batch) {
      day[at] = place.get(String(row['scope'])) ?? 0;
      kept[at] = row['kept'] === true ? 1 : 0;
      truth[at] = row['is_labelled'] === true ? 1 : 0;
      for (const [name, column] of Object.entries(columns)) column[at] = Number(row[name] ?? 0);
      at += 1;
    }
  }
  return { dates: days.map(({ scope }) => scope), day, kept, truth, columns, hash };
}

function seedOf({ options }: CommandCall): number {
  const { seed = String(SEED) } = options;
  if (/^\d{1,9}$/.test(String(seed))) return Number(seed);
  throw new PipelineError(
    'INPUT_INVALID',
    `--seed takes a whole number of at most nine digits, not ${String(seed)}`,
  );
}

function spanOf(call: CommandCall, known: DaySpan): DaySpan {
  const to = dayOption(call, 'to') ?? known.to;
  const from = dayOption(call, 'from') ?? addDays(to, 1 - DAYS);
  if (to < from)
    throw new PipelineError('INPUT_INVALID', `the range ends (${to}) before it begins (${from})`);
  return { from, to };
}

function dayOption({ options }: CommandCall, name: string): CivilDate | undefined {
  const value = options[name];
  if (typeof value !== 'string') return undefined;
  if (isCivilDate(value)) return value;
  throw new PipelineError('INPUT_INVALID', `${value} is no day such as 2024-01-15`);
}
