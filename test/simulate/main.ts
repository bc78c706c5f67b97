import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { Mutation } from './installation.ts';
import { MUTATIONS } from './mutations.ts';
import { THEMES, simulate } from './simulate.ts';
import type { SeedOptions, SeedResult } from './simulate.ts';

/**
 * `npm run simulate -- --seeds 1000 [--from 1] [--jobs 2]` runs seeds one after the other and tells
 * which of them break a promise; `--seed 4711 [--shrink]` tells the story of one. `--mutation
 * <name>` takes a mend out first; `--theme near` or `remote` has every seed play there.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    seed: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    mutation: { type: 'string' },
    theme: { type: 'string' },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function optionsOf(): SeedOptions {
  const { mutation: name, theme: asked } = values;
  const theme = THEMES.find((known) => known === asked);
  if (asked !== undefined && theme === undefined)
    throw new Error(`the themes are ${THEMES.join(', ')}`);
  const themed = theme === undefined ? {} : { theme };
  if (name === undefined) return themed;
  const mutation = Object.entries<Mutation>(MUTATIONS).find(([known]) => known === name)?.[1];
  if (mutation === undefined)
    throw new Error(`the mutations are ${Object.keys(MUTATIONS).join(', ')}`);
  return { ...themed, mutation };
}

/** The first violation of each promise, a line each. */
function linesOf({ seed, theme, violations }: SeedResult): string[] {
  const promises = [...new Set(violations.map(({ promise }) => promise))];
  return promises.map((promise) => {
    const found = violations.filter((violation) => violation.promise === promise);
    return `seed ${seed} (${theme}): ${promise}: ${found[0]?.what ?? ''}${found.length > 1 ? ` (and ${found.length - 1} more)` : ''}`;
  });
}

/** Leaves out one operation after the other as long as the same promise breaks without it. */
async function shrink(full: SeedResult, options: SeedOptions): Promise<SeedResult> {
  const promise = full.violations[0]?.promise;
  let smallest = full;
  const without = new Set<number>();
  for (let place = full.operations - 1; place >= 0; place -= 1) {
    const fewer = await simulate(full.seed, { ...options, without: new Set([...without, place]) });
    if (!fewer.violations.some((violation) => violation.promise === promise)) continue;
    without.add(place);
    smallest = fewer;
  }
  say(`left out: ${[...without].sort((a, b) => a - b).join(', ')}`);
  return smallest;
}

async function tellOne(seed: number): Promise<number> {
  const options = optionsOf();
  let result = await simulate(seed, options);
  if (values.shrink && result.violations.length > 0) result = await shrink(result, options);
  for (const line of result.story) say(line);
  for (const line of linesOf(result)) say(line);
  say(`hash ${result.hash}, ${result.turns} turns, ${result.operations} operations`);
  return result.violations.length;
}

async function tellMany(from: number, count: number): Promise<number> {
  // Nobody reads the stacks of thousands of expected failures, and each costs as much as a turn.
  Error.stackTraceLimit = 0;
  const options = optionsOf();
  const begun = performance.now();
  let [failing, turns] = [0, 0];
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await simulate(seed, options);
    turns += result.turns;
    if (result.violations.length > 0) failing += 1;
    for (const line of linesOf(result)) say(line);
  }
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  say(
    `seeds ${from} to ${from + count - 1}: ${failing} of ${count} break a promise; ${turns} turns in ${seconds} s`,
  );
  return failing;
}

/** Shares of the seeds, each in a process of its own. */
async function tellInParallel(from: number, count: number, jobs: number): Promise<number> {
  const share = Math.ceil(count / jobs);
  const codes = Array.from({ length: jobs }, (_, job) => {
    const first = from + job * share;
    const own = ['--from', String(first), '--seeds', String(Math.min(share, from + count - first))];
    const mutation = values.mutation === undefined ? [] : ['--mutation', values.mutation];
    const theme = values.theme === undefined ? [] : ['--theme', values.theme];
    const args = [...process.execArgv, process.argv[1] ?? '', ...own, ...mutation, ...theme];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    return new Promise<number>((resolve) => {
      child.on('close', (code) => {
        resolve(code ?? 1);
      });
    });
  });
  return Math.max(...(await Promise.all(codes)));
}

const [from, count, jobs] = [Number(values.from), Number(values.seeds), Number(values.jobs)];
const broken =
  values.seed !== undefined
    ? await tellOne(Number(values.seed))
    : jobs > 1
      ? await tellInParallel(from, count, jobs)
      : await tellMany(from, count);
process.exitCode = broken > 0 ? 1 : 0;
