import { readFileSync } from 'node:fs';

/** Gives the product its stand-ins, in a process that vitest does not prepare. */
const STAND_INS = JSON.parse(readFileSync(new URL('stand-ins.json', import.meta.url), 'utf8'));

export function resolve(specifier, context, next) {
  const isPackage = context.parentURL?.includes('/node_modules/') === true;
  const standIn = isPackage ? undefined : STAND_INS[specifier];
  return next(standIn === undefined ? specifier : new URL(standIn, import.meta.url).href, context);
}
