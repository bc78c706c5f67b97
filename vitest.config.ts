import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Three projects: `parts` need no Temporal server, `workflow` runs on real Temporal servers, and `chaos` kills processes,
 * so it runs alone.
 */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The default on two cores is one, and most tests wait for servers and disks half of their time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/{unit,property,golden,conformance,arch,e2e}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'workflow',
          include: ['test/{workflow,replay}/**/*.test.ts'],
          globalSetup: ['test/fixtures/workflow-bundle.ts'],
        },
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
