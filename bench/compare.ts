import { inParallel } from '../test/conformance/byte-streams.ts';
import { report } from './figures.ts';

/** Ours may cost so much of the bare driver's time. */
const TARGET_RATIO = 1.15;

/**
 * The two take turns in at most so many blocks, so that a server (or machine) that slows down does
 * so for both.
 */
const MAX_BLOCKS = 20;

/** What is called how often, and how many calls are under way together. */
export interface Comparison {
  readonly name: string;
  readonly count: number;
  readonly atOnce: number;
  /**
   * `null` where the bare driver does less than the port promises, so that no ratio can be asked
   * for.
   */
  readonly target?: null;
  readonly note?: string;
}

type Work = (at: number) => Promise<unknown>;

/** So many calls of both come first and are not measured. */
const WARM_UP = 0.1;

/**
 * Times `count` calls of ours and of the bare driver, each with its own number, and reports the
 * seconds of both.
 */
export async function compare(what: Comparison, own: Work, bare: Work): Promise<void> {
  const blocks = Math.min(MAX_BLOCKS, Math.floor(what.count / what.atOnce));
  const perBlock = Math.ceil(what.count / blocks);
  const warmUp = what.count < 100 ? 0 : Math.ceil(what.count * WARM_UP);
  for (const work of [own, bare]) {
    await inParallel(warmUp, what.atOnce, (at) => work(perBlock * blocks + at));
  }
  let [ownMs, bareMs] = [0, 0];
  for (let block = 0; block < blocks; block += 1) {
    const inBlock = (work: Work) => (): Promise<unknown> =>
      inParallel(perBlock, what.atOnce, (at) => work(block * perBlock + at));
    const turns = [
      async () => (ownMs += await millisecondsOf(inBlock(own))),
      async () => (bareMs += await millisecondsOf(inBlock(bare))),
    ];
    for (const turn of block % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  report({
    name: what.name,
    value: ownMs / 1_000,
    unit: 's',
    floor: bareMs / 1_000,
    ...(what.target === null ? {} : { target: TARGET_RATIO, bounds: 'ratio' as const }),
    ...(what.note === undefined ? {} : { note: what.note }),
  });
}

/** Elapsed, not processor time; what fails is not measured. */
export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
