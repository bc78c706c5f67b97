/**
 * A program that starts a server, says so on stdout, and holds it until it is killed: for the tests
 * of what remains when an owner dies. `hold-server.ts durable <dbFile>` or `hold-server.ts
 * ephemeral <folder>`.
 */
import path from 'node:path';

import { startDevServer } from '../src/dev-server.ts';
import { startEphemeralServer } from '../src/ephemeral-server.ts';
import { SEARCH_ATTRIBUTES as searchAttributes } from './attributes.ts';
import { testCli } from '../../../test/fixtures/temporal-server.ts';

const [kind, place = ''] = process.argv.slice(2);
const cli = await testCli();
const server =
  kind === 'durable'
    ? await startDevServer({
        cli,
        dbFile: place,
        logFile: path.join(path.dirname(place), 'server.log'),
        searchAttributes,
      })
    : await startEphemeralServer({
        cli,
        logFile: path.join(place, 'server.log'),
        searchAttributes,
      });
process.stdout.write(`${JSON.stringify({ address: server.address })}\n`);
setInterval(() => undefined, 60_000);
