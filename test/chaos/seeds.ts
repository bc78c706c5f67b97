const FIRST = 20_261_122;

/**
 * How many seeds each chaos test that draws its faults is played with: one, unless a long run asks
 * for more.
 */
const COUNT = Number(process.env['CHAOS_SEEDS'] ?? '1');

/** The seeds of this run; a failure names its own. */
export const SEEDS: readonly number[] = Array.from({ length: COUNT }, (_, index) => FIRST + index);
