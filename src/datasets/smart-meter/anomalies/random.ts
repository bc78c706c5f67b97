/**
 * Random numbers that are a function of a seed and a counter alone: the same on every machine, in
 * any order.
 */

/** Mixes a 32-bit state (splitmix32). */
export function mix(state: number): number {
  let z = (state + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** A stream of numbers in [0, 1) with 53 bits for a seed and a stream of it. */
export function randomStream(seed: number, stream: number): () => number {
  const key = mix(mix(seed >>> 0) ^ Math.imul(stream + 1, 0x85ebca6b));
  let counter = 0;
  return () => {
    const high = mix(key ^ mix(counter));
    const low = mix(Math.imul(key, 0x27d4eb2f) ^ mix(counter ^ 0x5bd1e995));
    counter += 1;
    return ((high >>> 5) * 67_108_864 + (low >>> 6)) / 9_007_199_254_740_992;
  };
}
