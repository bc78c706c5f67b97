import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { october } from '@quotidien/sample-portal/sftp/october';
import {
  OCTOBER_DAYS,
  c15Archive,
  octoberArchives,
  wrongArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { fetchFolder } from '../../src/cli/make/fetch.ts';
import type { FetchCommand } from '../../src/cli/make/fetch.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { readArrivals } from '../../src/engine/sources/arrivals.ts';
import { testContext } from '../fixtures/cli-context.ts';
import {
  enedisSettings,
  fetchedFrom,
  putArchives,
  startDistributor,
} from '../fixtures/enedis-server.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';

/** The ways to fetch a folder, each after the one before, over one folder and one home. */

let server: SftpServer;
let installation: Installation;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  installation = await openInstallation({
    datasets: { enedis },
    settings: enedisSettings(server),
  });
});

afterAll(async () => {
  await installation.close();
  await server.close();
});

async function fetched(command: Partial<FetchCommand> = {}) {
  const { engine, home, address } = installation;
  const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
  const before = fetchedFrom(server).length;
  const exit = await fetchFolder(context, { pipeline: 'enedis', parts: [], ...command });
  return { exit, names: fetchedFrom(server).slice(before), text: context.terminal.text() };
}

async function journal(): Promise<string[]> {
  const parts = await Promise.all(
    ['c15', 'r151', 'r64'].map((part) => readArrivals(installation.engine, 'enedis', part)),
  );
  return parts
    .flatMap((part) => [...part.values()].map(({ name, state }) => `${state} ${name}`))
    .sort();
}

/** Keys of what the days are made of; whether a page is made is a matter of how a day was run. */
async function madeOf(dates: readonly string[]): Promise<unknown> {
  const manifests = await newestManifests(installation.engine.documents, 'enedis', dates);
  return dates.map((date) =>
    Object.entries(manifests.get(date)?.steps ?? {})
      .filter(([step]) => step !== 'report/page')
      .map(([step, state]) => [step, 'key' in state ? state.key : state]),
  );
}

describe('a folder of files', () => {
  it('is tried with two files of each part, of which nothing is kept', async () => {
    const { exit, names, text } = await fetched({ mode: 'test', parts: ['C15'] });
    expect(exit).toBe(0);
    expect(names).toHaveLength(2);
    expect(names.every((name) => name.includes('_C15_'))).toBe(true);
    expect(text).toContain('c15: 2 files, 2 read, 0 failed, 0 did not come');
    expect(await journal()).toEqual([]);
    for await (const { key } of installation.engine.objects.list('raw/')) expect.fail(key);
  });

  it('gives the files of the parts that are named, and then the others', async () => {
    const listed = await fetched({ parts: ['r64'] });
    expect(listed).toMatchObject({ exit: 0 });
    // Its day is made, and a day looks for the files of all its parts; other days wait.
    expect(listed.names.every((name) => name.includes('20251101'))).toBe(true);
    expect(await journal()).toContainEqual(expect.stringMatching(/^landed .*_R64_/));
    const rest = await fetched();
    expect(rest).toMatchObject({ exit: 0 });
    expect([...listed.names, ...rest.names].sort()).toEqual(
      octoberArchives()
        .map(({ name }) => name)
        .sort(),
    );
    const verdicts = await newestManifests(installation.engine.documents, 'enedis', OCTOBER_DAYS);
    expect([...verdicts.values()].map(({ verdict }) => verdict)).toEqual(
      OCTOBER_DAYS.map(() => 'ok'),
    );
    expect((await fetched({ mode: 'all' })).text).toBe('the folder has nothing new');
  });

  it('is fetched once more as a whole when a person confirms it, and gives the same', async () => {
    const before = await madeOf(OCTOBER_DAYS);
    await expect(fetched({ mode: 'resync' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('5 files of 3 days') as string,
    });
    const { exit, names } = await fetched({ mode: 'resync', yes: true });
    expect(exit).toBe(0);
    expect(names).toHaveLength(5);
    expect(await madeOf(OCTOBER_DAYS)).toEqual(before);
  });

  it('is not asked when days are made of what is kept', async () => {
    const before = await madeOf(OCTOBER_DAYS);
    const asked = server.requests.length;
    const { exit, text } = await fetched({ mode: 'rebuild' });
    expect(text).toBe('3 days made of what is kept');
    expect(exit).toBe(0);
    expect(server.requests.length).toBe(asked);
    expect(await madeOf(OCTOBER_DAYS)).toEqual(before);
  });

  it('fails where a part has only files that cannot be read, and makes the others', async () => {
    const wrong = wrongArchives()['no_key']!;
    const { name } = octoberArchives().find((archive) => archive.name.includes('_R64_'))!;
    putArchives(server, [
      wrong,
      { name: name.replace('20251101', '20251102'), bytes: octoberArchives().at(-1)!.bytes },
    ]);
    const { exit, text } = await fetched();
    expect(exit).toBe(1);
    expect(text).toContain('c15: 1 file, 0 read, 1 failed');
    expect(text).toContain(wrong.name);
    expect(text).toContain('r64: 1 file, 1 read');
    expect(
      (await newestManifests(installation.engine.documents, 'enedis', ['2025-11-02'])).size,
    ).toBe(1);
    // Beside one that can be read it is no failure of the command, and the exit code says that not
    // all is there.
    putArchives(server, [c15Archive(11, '20251103050000', october().c15.slice(0, 1))]);
    expect((await fetched({ parts: ['c15'] })).exit).toBe(3);
  });

  it('is refused under a name or in a mode that there is not', async () => {
    await expect(fetched({ parts: ['r99'] })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(fetched({ mode: 'everything' })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(fetched({ mode: 'rebuild', parts: ['c15'] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
