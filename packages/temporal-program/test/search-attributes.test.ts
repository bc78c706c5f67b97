import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { TemporalProgramError } from '../src/program-error.ts';
import { startEphemeralServer } from '../src/ephemeral-server.ts';
import type { EphemeralServer } from '../src/ephemeral-server.ts';
import { ensureSearchAttributes } from '../src/search-attributes.ts';
import { SEARCH_ATTRIBUTES } from './attributes.ts';
import { testCli } from '../../../test/fixtures/temporal-server.ts';

let folder: string;
let server: EphemeralServer;
let connection: Connection;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-attributes-'));
  const logFile = path.join(folder, 'server.log');
  server = await startEphemeralServer({
    cli: await testCli(),
    logFile,
    searchAttributes: { FailedStep: 'Keyword' },
  });
  connection = await Connection.connect({ address: server.address });
});

afterAll(async () => {
  await connection.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function errorOf(work: Promise<unknown>): Promise<TemporalProgramError> {
  return work.then(() => expect.unreachable('nothing was thrown'), programError);
}

/** A server that refuses every call with one gRPC status, as a guarded one does. */
async function refusingServer(grpcStatus: number): Promise<Connection> {
  const guard = createServer().listen(0, '127.0.0.1');
  guard.on('stream', (stream) => {
    const headers = {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': grpcStatus,
    };
    stream.respond({ ...headers, 'grpc-message': 'Request unauthorized.' }, { endStream: true });
  });
  await once(guard, 'listening');
  const refused = Connection.lazy({
    address: `127.0.0.1:${(guard.address() as AddressInfo).port}`,
  });
  onTestFinished(async () => {
    await refused.close();
    guard.close();
  });
  return refused;
}

function programError(error: unknown): TemporalProgramError {
  if (error instanceof TemporalProgramError) return error;
  throw error;
}

describe('ensureSearchAttributes', () => {
  it('registers what is missing, usable when it resolves, and nothing the second time', async () => {
    const others = Object.keys(SEARCH_ATTRIBUTES).filter((name) => name !== 'FailedStep');
    expect(await ensureSearchAttributes(connection, 'default', SEARCH_ATTRIBUTES)).toEqual(others);
    const query = "Pipeline = 'eco2mix' AND FailedStep IS NULL";
    await connection.workflowService.countWorkflowExecutions({ namespace: 'default', query });
    expect(await ensureSearchAttributes(connection, 'default', SEARCH_ATTRIBUTES)).toEqual([]);
  });

  it('lets several programs do so at once', async () => {
    const wanted = { Shared: 'Keyword', AlsoShared: 'Int' } as const;
    const ensure = () => ensureSearchAttributes(connection, 'default', wanted);
    await Promise.all([ensure(), ensure(), ensure(), ensure()]);
    expect(await ensure()).toEqual([]);
  });

  it('refuses one that exists with another type, and names both', async () => {
    const error = await errorOf(
      ensureSearchAttributes(connection, 'default', { FailedStep: 'Datetime' }),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain('FailedStep is Keyword and must be Datetime');
  });

  it('names a namespace that does not exist, and how to make it', async () => {
    const error = await errorOf(ensureSearchAttributes(connection, 'nowhere', SEARCH_ATTRIBUTES));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain('namespace nowhere does not exist on this server');
    expect(error.message).toContain('temporal operator namespace create --namespace nowhere');
  });

  it.each([
    ['denied', 7],
    ['not signed in', 16],
    ['without the operator service', 12],
  ])('says what an administrator must add when it is %s', async (_case, status) => {
    const error = await errorOf(
      ensureSearchAttributes(await refusingServer(status), 'prod', SEARCH_ATTRIBUTES),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(
      'does not let us register search attributes in prod (Request unauthorized.)',
    );
    expect(error.message).toContain('add Pipeline=Keyword, DataDate=Keyword, FailedStep=Keyword');
    expect(error.context).toMatchObject({ namespace: 'prod', grpcCode: status });
  });

  it('calls a server that does not answer unavailable, which may pass', async () => {
    const silent = await refusingServer(14);
    const error = await errorOf(ensureSearchAttributes(silent, 'prod', SEARCH_ATTRIBUTES, 300));
    expect(error.code).toBe('STORE_UNAVAILABLE');
  });
});
