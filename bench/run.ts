/** `npm run bench -- <name>…`: one JSON object a line on stdout, a readable table on stderr. */

const BENCHES = {
  api: () => import('./api.ts'),
  cityflow: () => import('./cityflow.ts'),
  console: () => import('./console.ts'),
  'corrected-meter': () => import('./corrected-meter.ts'),
  eco2mix: () => import('./eco2mix.ts'),
  enedis: () => import('./enedis.ts'),
  home: () => import('./home-size.ts'),
  house: () => import('./house.ts'),
  orchestration: () => import('./orchestration.ts'),
  'meter-anomalies': () => import('./meter-anomalies.ts'),
  'meter-workers': () => import('./meter-workers.ts'),
  'meter-year': () => import('./meter-year.ts'),
  'smart-meter': () => import('./smart-meter.ts'),
  storage: () => import('./storage.ts'),
} as const;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (names.length === 0 || unknown.length > 0) {
  process.stderr.write(
    `usage: npm run bench -- <name>…; the names are ${Object.keys(BENCHES).join(', ')}\n`,
  );
  process.exitCode = 2;
} else {
  for (const name of names) await (await BENCHES[name as keyof typeof BENCHES]()).run();
}
