import { simulate } from './simulate.ts';

const argument = (name: string): number | undefined => {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? undefined : Number(process.argv[place + 1]);
};

async function main(): Promise<void> {
  Error.stackTraceLimit = process.argv.includes('--seed') ? 20 : 0;
  const seed = argument('seed');
  const from = seed ?? argument('from') ?? 1;
  const count = seed === undefined ? (argument('seeds') ?? 100) : 1;
  const begun = Date.now();
  const failing: number[] = [];
  let turns = 0;
  for (let one = from; one < from + count; one += 1) {
    const result = await simulate(one);
    turns += result.turns;
    if (result.violations.length > 0) failing.push(one);
    if (seed !== undefined) process.stdout.write(`${result.story.join('\n')}\nhash ${result.hash}\n`);
    const promises = new Set(result.violations.map(({ promise }) => promise));
    for (const promise of promises) {
      const [first] = result.violations.filter((violation) => violation.promise === promise);
      process.stdout.write(`seed ${one}: ${promise}: ${first?.what ?? ''}\n`);
    }
  }
  const ms = Date.now() - begun;
  process.stdout.write(`${count} seeds, ${failing.length} with a violation, ${turns} turns, ${ms} ms\n`);
}

await main();
