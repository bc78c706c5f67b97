import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const LONG = ['test/**/*.long.test.ts', 'packages/*/test/**/*.long.test.ts'];
/** They set up what a process has once, Temporal's runtime with its log and its metrics. */
const OWN_RUNTIME = ['classified-columns', 'sealed-payloads', 'workers'].map(
  (name) => `test/workflow/${name}.test.ts`,
);
const SIMULATE = new URL('test/simulate/', import.meta.url);
const STAND_INS = JSON.parse(readFileSync(new URL('stand-ins.json', SIMULATE), 'utf8')) as Record<
  string,
  string
>;

/** The packages of this repository are tested as sources: `@quotidien/machine/file-hash`. */
const PACKAGES = {
  find: /^@quotidien\/([^/]+)\/(.+)$/,
  replacement: fileURLToPath(new URL('packages/$1/src/$2.ts', import.meta.url)),
};

/**
 * Six projects: `parts` need no Temporal server, `workflow` and `runtime` run on real Temporal
 * servers, `long` are the tests of both that take their time (many random cases, whole
 * environments), `chaos` kills processes, so it runs alone, and `simulate` gives the product an
 * imitation of the workflow runtime and no clock.
 */
export default defineConfig({
  resolve: { alias: [PACKAGES] },
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The default on two cores is one, and most tests wait for servers and disks for a third of
    // their time.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: [
            'test/{unit,property,golden,conformance,arch,e2e}/**/*.test.ts',
            'packages/*/test/**/*.test.ts',
          ],
          exclude: LONG,
          // The files of one worker share what they import: loading it for each of them took a
          // quarter of the time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'workflow',
          include: ['test/{workflow,replay}/**/*.test.ts'],
          exclude: [...LONG, ...OWN_RUNTIME],
          isolate: false,
          globalSetup: ['test/fixtures/workflow-bundle.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'runtime',
          include: OWN_RUNTIME,
          globalSetup: ['test/fixtures/workflow-bundle.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'long', include: LONG, globalSetup: ['test/fixtures/workflow-bundle.ts'] },
      },
      {
        extends: true,
        resolve: {
          alias: Object.entries(STAND_INS).map(([name, file]) => ({
            find: new RegExp(`^${name}$`),
            replacement: fileURLToPath(new URL(file, SIMULATE)),
          })),
        },
        test: { name: 'simulate', include: ['test/simulate/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          globalSetup: ['test/fixtures/workflow-bundle.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
