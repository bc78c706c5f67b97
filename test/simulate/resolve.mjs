import { readFileSync } from 'node:fs';

/**
 * Gives the product its stand-ins, in a process that vitest does not prepare. Names are patterns: a
 * file is imported from near and far.
 */
const named = JSON.parse(readFileSync(new URL('stand-ins.json', import.meta.url), 'utf8'));
const STAND_INS = Object.entries(named).map(([name, file]) => ({
  name: new RegExp(`^${name}$`),
  file,
}));

export function resolve(specifier, context, next) {
  const isPackage = context.parentURL?.includes('/node_modules/') === true;
  const standIn = isPackage ? undefined : STAND_INS.find(({ name }) => name.test(specifier));
  return next(
    standIn === undefined ? specifier : new URL(standIn.file, import.meta.url).href,
    context,
  );
}
