import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddressInfo } from 'node:net';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { createMcpServer } from '../../../src/mcp/question-tools.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DAY = '2026-05-01';

let portal: Portal;
let engine: TestEngine;

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-05-20T10:00:00Z') });
  engine = await openTestEngine(
    Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } })),
  );
  await runDay(engine, 'eco2mix', DAY);
});

afterAll(async () => {
  await engine.close();
  await portal.close();
});

async function withTools<T>(transport: Transport, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function direct<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await createMcpServer({ engine, known: new KnownVersions(engine), version: 'test' }).connect(
    theirs,
  );
  return withTools(ours, use);
}

describe('the tools', () => {
  it('are the nine questions of the earlier chat, those about all time and those of the dashboards, and only read', async () => {
    const { tools } = await direct((client) => client.listTools());
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'get_calendrier',
      'get_consommation',
      'get_courbe_consommation',
      'get_courbes_echanges',
      'get_dashboard',
      'get_echanges',
      'get_echanges_energie',
      'get_jours_ouvres',
      'get_mix',
      'get_overview',
      'get_parc',
      'get_part_bas_carbone',
      'get_peak',
      'get_production',
      'get_qualite_previsions',
      'get_records',
      'get_soldes',
    ]);
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    const peak = tools.find(({ name }) => name === 'get_peak');
    expect(peak?.inputSchema).toMatchObject({
      properties: { n: { minimum: 1, maximum: 20 } },
      additionalProperties: false,
    });
  });

  it('answer exactly, with what the answer stands on', async () => {
    const answer = await direct((client) =>
      client.callTool({ name: 'get_peak', arguments: { n: 2 } }),
    );
    const { rows, standing } = answer.structuredContent as {
      rows: { value: number }[];
      standing: { coverage: number }[];
    };
    expect(rows).toHaveLength(2);
    expect(rows[0]!.value).toBeGreaterThanOrEqual(rows[1]!.value);
    expect(standing).toMatchObject([{ coverage: 1 }]);
  });

  it('refuse what they do not know, in words', async () => {
    const refused = await direct((client) =>
      client.callTool({ name: 'get_peak', arguments: { n: 21 } }),
    );
    expect(refused).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^INPUT_INVALID: n: /) as string }],
    });
    const none = await direct((client) =>
      client.callTool({ name: 'drop_everything', arguments: {} }),
    );
    expect(none).toMatchObject({ isError: true });
  });

  it('are the same over streamable HTTP', async () => {
    const api = await openTestApi(engine);
    await api.listen({ host: '127.0.0.1', port: 0 });
    try {
      const { port } = api.server.address() as AddressInfo;
      const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`));
      const answer = await withTools(transport as Transport, (client) =>
        client.callTool({
          name: 'get_consommation',
          arguments: { granularity: 'raw', start: DAY, end: DAY },
        }),
      );
      expect((answer.structuredContent as { rows: unknown[] }).rows).toHaveLength(96);
    } finally {
      api.server.closeAllConnections();
      await api.close();
    }
  });
});
