import { findServer } from '../runtime/current-server.ts';
import { Random } from '../random.ts';

/** Stands in for `node:crypto`: what is drawn comes from the seed. */

const crypto = process.getBuiltinModule('node:crypto');

/** What modules draw before a seed runs is in no story. */
const before = new Random(0);

function random(): Random {
  return findServer()?.scheduler.random ?? before;
}

export const { createHash, hash, createHmac, timingSafeEqual, createCipheriv, createDecipheriv } =
  crypto;

export function randomUUID(): string {
  const hex = randomBytes(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export function randomBytes(size: number): Buffer {
  const draw = random();
  return Buffer.from(Array.from({ length: size }, () => draw.whole(0, 255)));
}

export function randomInt(low: number, high?: number): number {
  const [from, to] = high === undefined ? [0, low] : [low, high];
  return random().whole(from, to - 1);
}
