import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishRollup, dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import type { Portal } from '@quotidien/sample-portal/portal';
import type { Installation } from '../fixtures/installation.ts';
import { FERRETDB, startFerretDb } from '../fixtures/servers/ferretdb.ts';
import type { MongoTestServer } from '../fixtures/servers/mongo-java-server.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { installOn, portalOfThen, reconciled, stateOf } from './remote-stores.ts';

const DATE = '2026-03-29';

let portal: Portal;
beforeAll(async () => {
  portal = await portalOfThen();
});
afterAll(() => portal.close());

/** Local files and a database of its own. */
function installed(
  mongo: MongoTestServer,
  name: string,
  before?: () => Promise<unknown>,
): Promise<Installation> {
  return installOn(portal, { MONGODB_URL: mongo.url, MONGODB_DATABASE: name }, before);
}

async function runDay({ target }: Installation) {
  return dayResult(await startDay(target, { pipeline: 'eco2mix', date: DATE }));
}

// FerretDB, because it keeps what it acknowledged through a kill -9. A day needs nothing of it that
// it does not do atomically.
await describeWithServer(FERRETDB, startFerretDb, (server) => {
  describe('a day on local files and MongoDB (FerretDB), which is killed in the middle', () => {
    it('ends degraded, and after MongoDB is back and reconciled is the day that was not disturbed', async () => {
      const mongo = await server();
      const calm = await installed(mongo, 'calm');
      expect(await runDay(calm)).toMatchObject({ verdict: 'ok' });
      await finishRollup(calm.target, 'eco2mix');
      const undisturbed = await stateOf(calm.engine.stores.primary);
      expect(Object.keys(undisturbed).length).toBeGreaterThan(40);
      await calm.close();

      const installation = await installed(mongo, 'stormy', () => mongo.kill());
      try {
        expect(await runDay(installation)).toMatchObject({ verdict: 'degraded', version: 1 });
        await mongo.restart();
        const replayed = await reconciled(installation);
        expect(replayed).toMatchObject({
          converged: true,
          pending: 0,
          conflicts: 0,
          lifted: { eco2mix: [DATE] },
        });
        await finishRollup(installation.target, 'eco2mix');
        expect(await stateOf(installation.engine.stores.primary)).toEqual(undisturbed);
        expect(await runDay(installation)).toMatchObject({ verdict: 'ok', version: 1, ran: [] });
      } finally {
        await installation.close();
      }
    });
  });
});
