import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSampleHome } from '../../../src/cli/services/sample-home.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { configuredDatasets, publisherHosts } from '../../../src/workers/configured-datasets.ts';
import { startSamplePortal } from '../../../src/cli/temporal/sample-portal.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-sample-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const settings = (): Promise<string> => readFile(path.join(home, 'settings.json'), 'utf8');

async function status(url: string): Promise<number> {
  return (await fetch(`${url}/api/explore/v2.1/catalog/datasets/eco2mix-national-tr`)).status;
}

describe('a home that works on sample data', () => {
  it('is joined by a second process, which rewrites no settings and ends no portal', async () => {
    const first = await openSampleHome(home);
    const changed = (await settings()).replace('1000', '2000');
    await writeFile(path.join(home, 'settings.json'), changed);
    const second = await openSampleHome(home);
    expect(second.portal.url).toBe(first.portal.url);
    expect(await settings()).toBe(changed);
    await second.portal.close();
    expect(await status(first.portal.url)).toBe(200);
    await first.portal.close();
  });

  it('has its portal where its settings look for it as soon as a command starts workers', async () => {
    const { portal } = await openSampleHome(home);
    await portal.close();
    const before = await settings();
    const again = await startSamplePortal(home);
    expect(again?.url).toBe(portal.url);
    expect(await status(portal.url)).toBe(200);
    expect(await startSamplePortal(home)).toBeUndefined();
    await again?.close();
    expect(await settings()).toBe(before);
  });

  it('has settings that every dataset takes', async () => {
    const { portal } = await openSampleHome(home);
    await portal.close();
    const config = loadConfig({ env: {}, cwd: home, home, hosts: publisherHosts(DATASETS) });
    const { cityflow } = configuredDatasets(DATASETS, config.hosts);
    const addresses = Object.values(cityflow?.sources ?? {}).map((source) =>
      'baseUrl' in source ? source.baseUrl : '',
    );
    expect(new Set(addresses)).toEqual(new Set([portal.url]));
  });

  it('is none without its record', async () => {
    expect(await startSamplePortal(home)).toBeUndefined();
  });
});
