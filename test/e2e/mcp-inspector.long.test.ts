import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../src/api/security/keys.ts';
import type { ApiApp } from '../../src/api/shared/app.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { openTestApi } from '../fixtures/api-server.ts';
import { runDay } from '../fixtures/run-day.ts';
import { inspect, MCP_INSPECTOR } from '../fixtures/servers/mcp-inspector.ts';
import type { InspectedServer } from '../fixtures/servers/mcp-inspector.ts';
import { builtServer, missingTool, say } from '../fixtures/servers/server-build.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

/**
 * The questions, asked by a client that is not ours: of the command over stdin and stdout, and of
 * the server over HTTP.
 */

const DAY = '2026-05-01';
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

const missing = await missingTool(MCP_INSPECTOR);
if (missing === undefined) await builtServer(MCP_INSPECTOR);
else say(`SKIPPED: the inspector needs ${missing}, which is not installed`);

interface Tools {
  readonly tools: readonly {
    readonly name: string;
    readonly annotations: { readonly readOnlyHint: boolean };
  }[];
}
interface Told {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent?: {
    readonly rows: readonly unknown[];
    readonly standing: readonly object[];
  };
}

function overStdio(): InspectedServer {
  return {
    command: [
      process.execPath,
      '--import',
      import.meta.resolve('tsx'),
      MAIN,
      'mcp',
      '--home',
      engine.home,
    ],
  };
}

async function overHttp(scope: string): Promise<InspectedServer> {
  const { port } = api.server.address() as AddressInfo;
  const { key } = await createKey(
    engine.documents,
    { owner: 'test', scopes: [scope], days: 1, by: 'test' },
    new Date(),
  );
  return { url: `http://127.0.0.1:${port}/mcp`, header: `X-API-Key: ${key}` };
}

const ways: readonly (readonly [string, () => InspectedServer | Promise<InspectedServer>])[] = [
  ['stdio', overStdio],
  ['HTTP', () => overHttp('data:read')],
];

describe.skipIf(missing !== undefined)(
  'the inspector of the protocol',
  { timeout: 120_000 },
  () => {
    beforeAll(async () => {
      portal = await startPortal({ now: () => new Date('2026-05-20T10:00:00Z') });
      engine = await openTestEngine(
        Object.values(configuredDatasets(DATASETS, { odre: { url: portal.url } })),
      );
      await runDay(engine, 'eco2mix', DAY);
      api = await openTestApi(engine);
      await api.listen({ host: '127.0.0.1', port: 0 });
    }, 120_000);

    afterAll(async () => {
      api.server.closeAllConnections();
      await api.close();
      await engine.close();
      await portal.close();
    });

    it.each(ways)('lists every question over %s, as what only reads', async (_, way) => {
      const { tools } = await inspect<Tools>(await way(), 'tools/list');
      const declared = Object.values(DATASETS).flatMap(({ questions = [] }) =>
        questions.map(({ id }) => id),
      );
      expect(tools.map(({ name }) => name).sort()).toEqual(declared.sort());
      expect(tools.every(({ annotations }) => annotations.readOnlyHint)).toBe(true);
    });

    it.each(ways)(
      'gets the same answer over %s as anybody, with what it stands on',
      async (_, way) => {
        const arguments_ = ['granularity=raw', `start=${DAY}`, `end=${DAY}`].flatMap((one) => [
          '--tool-arg',
          one,
        ]);
        const call = ['--tool-name', 'get_consommation', ...arguments_];
        const { structuredContent } = await inspect<Told>(await way(), 'tools/call', ...call);
        const { rows, standing } = (
          await api.inject({
            url: `/api/v1/questions/get_consommation?granularity=raw&start=${DAY}&end=${DAY}`,
            headers: { host: 'localhost' },
          })
        ).json<NonNullable<Told['structuredContent']>>();
        expect(rows).toHaveLength(96);
        expect(structuredContent).toMatchObject({ rows, standing });
      },
    );

    it.each(ways)('is refused over %s in words, by our codes', async (_, way) => {
      const call = ['--tool-name', 'get_peak', '--tool-arg', 'n=21'];
      const { isError, content } = await inspect<Told>(await way(), 'tools/call', ...call);
      expect([isError, content[0]?.text]).toEqual([
        true,
        expect.stringMatching(/^INPUT_INVALID: n: /),
      ]);
    });

    it('is shown by the server what its key may read, and nothing else', async () => {
      const { tools } = await inspect<Tools>(await overHttp('data:read:parc'), 'tools/list');
      expect(tools.map(({ name }) => name).sort()).toEqual(
        DATASETS['parc']?.questions?.map(({ id }) => id).sort(),
      );
    });
  },
);
