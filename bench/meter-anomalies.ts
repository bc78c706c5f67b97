import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { averagePrecision, judge } from '../src/datasets/smart-meter/anomalies/judge.ts';
import { SUSPICION_THRESHOLD } from '../src/datasets/smart-meter/anomalies/suspicion.ts';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import { judgeWorld } from '../test/fixtures/meter-fraud.ts';
import type { JudgedMeter } from '../test/fixtures/meter-fraud.ts';
import { median, report } from './figures.ts';

/**
 * How well suspicions tell fraud from honest change in made-up worlds that nothing was chosen on,
 * beside plain rules on the same meters and days, and for each kind of fraud. Not measured: real
 * fraud. Made-up meters are simpler, and their balance is exact.
 */

const SEEDS = [11, 12];

interface Rule {
  readonly name: string;
  readonly score: (meter: JudgedMeter) => number;
  /** From it on a meter is flagged. */
  readonly threshold: number;
}

const RULES: readonly Rule[] = [
  { name: 'largest |z| of a day > 3.5', score: ({ z }) => z, threshold: 3.5 },
  { name: 'drop of more than half', score: ({ drop }) => drop, threshold: 0.5 },
  {
    name: 'persistence of a drop > 0.22',
    score: ({ persistence }) => persistence,
    threshold: 0.22,
  },
  {
    name: 'suspicions, with transformer balance',
    score: ({ suspicion }) => suspicion,
    threshold: SUSPICION_THRESHOLD,
  },
];

/** One world after the other; about two minutes of processor time. */
export async function run(): Promise<void> {
  const scratchRoot = await mkdtemp(path.join(tmpdir(), 'quotidien-anomalies-'));
  const engine = createDuckDbEngine({ memoryLimitMb: 800, threads: 2, scratchRoot });
  try {
    const meters: JudgedMeter[] = [];
    for (const seed of SEEDS)
      meters.push(...(await engine.session((sql) => judgeWorld(sql, seed))));
    for (const rule of RULES) tellRule(rule, meters);
    const kinds = new Set(meters.flatMap(({ truth }) => (truth === undefined ? [] : [truth.kind])));
    for (const kind of [...kinds].sort()) tellKind(kind, meters);
  } finally {
    await engine.close();
    await rm(scratchRoot, { recursive: true, force: true });
  }
}

function tellRule({ name, score, threshold }: Rule, meters: readonly JudgedMeter[]): void {
  const truth = meters.map((meter) => meter.truth?.explained === false);
  const scores = meters.map(score);
  const { precision, recall, f1, flagged } = judge(
    scores.map((one) => one >= threshold),
    truth,
  );
  const note = `P ${precision.toFixed(2)} R ${recall.toFixed(2)} F1 ${f1.toFixed(2)}, ${flagged} of ${meters.length} flagged; P at 1 % of meters ${atOnePercent(scores, truth).toFixed(2)}`;
  report({
    name: `fraud: ${name}`,
    value: averagePrecision(scores, truth),
    unit: 'AP',
    more: true,
    note,
  });
}

/** Precision of the highest hundredth. */
function atOnePercent(scores: readonly number[], truth: readonly boolean[]): number {
  const most = Math.max(1, Math.round(scores.length / 100));
  const order = scores.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  return order.slice(0, most).filter((index) => truth[index] === true).length / most;
}

/**
 * The meters of one kind beside all without fraud; for an honest kind how many are flagged in
 * error.
 */
function tellKind(kind: string, meters: readonly JudgedMeter[]): void {
  const own = meters.filter(({ truth }) => truth?.kind === kind);
  const found = own.filter(({ suspicion }) => suspicion >= SUSPICION_THRESHOLD);
  const isFraud = own[0]?.truth?.explained === false;
  if (!isFraud) {
    report({ name: `honest: ${kind}`, value: found.length, unit: `of ${own.length} flagged` });
    return;
  }
  const beside = meters.filter(({ truth }) => truth?.kind === kind || truth?.explained !== false);
  const ap = (score: Rule['score']): number =>
    averagePrecision(
      beside.map(score),
      beside.map(({ truth }) => truth?.kind === kind),
    );
  const days = found.flatMap(({ truth, flaggedOn }) =>
    truth === undefined || flaggedOn === undefined ? [] : [flaggedOn - truth.from],
  );
  report({
    name: `fraud of kind ${kind}`,
    value: ap(({ suspicion }) => suspicion),
    unit: 'AP',
    more: true,
    note: `R ${(found.length / own.length).toFixed(2)} (${found.length} of ${own.length}), ${median(days)} days to detection (median); AP of persistence ${ap(({ persistence }) => persistence).toFixed(2)}, of |z| ${ap(({ z }) => z).toFixed(2)}`,
  });
}
