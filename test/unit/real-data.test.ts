import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/real-data.mjs', import.meta.url));
const RIGHT = 'date;n\n2024-01-15;1\n';

interface Answer {
  readonly code: number;
  readonly stdout: string;
}

function runScript(args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], (error, stdout) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout });
    });
  });
}

/**
 * A publisher with one right file, and one that has other bytes by now; it counts how often it was
 * asked.
 */
async function openPublisher() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/right.csv') response.end(RIGHT);
    else if (request.url === '/moved.csv') response.end('something else');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const folder = await mkdtemp(path.join(tmpdir(), 'real-data-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const about = { what: 'counts', publisher: 'a city', licence: 'ODbL 1.0' };
  const sha256 = createHash('sha256').update(RIGHT).digest('hex');
  const list = async (names: readonly string[]): Promise<string[]> => {
    const files = names.map((name) => ({
      ...about,
      path: `paris/${name}`,
      sha256,
      ...(name === 'nowhere.csv' ? {} : { url: `${url}/${name}` }),
    }));
    await writeFile(path.join(folder, 'list.json'), JSON.stringify(files));
    return ['--list', path.join(folder, 'list.json'), '--into', folder];
  };
  return { asked, folder, list };
}

describe('npm run real-data', () => {
  it('keeps what has the hash of the list, names publisher and licence, and asks once', async () => {
    const { asked, folder, list } = await openPublisher();
    const args = await list(['right.csv', 'nowhere.csv']);
    const first = await runScript(args);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/fetched +paris\/right\.csv: counts; a city, ODbL 1\.0/);
    expect(first.stdout).toMatch(/no address +paris\/nowhere\.csv/);
    expect(await readFile(path.join(folder, 'paris/right.csv'), 'utf8')).toBe(RIGHT);
    const second = await runScript(args);
    expect([second.code, asked]).toEqual([0, ['/right.csv']]);
    expect(second.stdout).toMatch(/there +paris\/right\.csv/);
  });

  it('keeps nothing of a file with other bytes or of an address that is gone, and fails', async () => {
    const { folder, list } = await openPublisher();
    const { code, stdout } = await runScript(await list(['moved.csv', 'gone.csv']));
    expect(code).toBe(1);
    expect(stdout).toMatch(/moved\.csv has other bytes now/);
    expect(stdout).toMatch(/gone\.csv answered 404/);
    expect(stdout).toMatch(/^0 files are in .*, 2 could not be fetched/m);
    await expect(readFile(path.join(folder, 'paris/moved.csv'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
