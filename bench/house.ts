import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { FIRST_DAY } from './city-counts.ts';
import { median, report } from './figures.ts';
import { oneArcHome } from './one-arc-home.ts';

/**
 * What the people who work with Quotidien wait for at a prompt: commands from process start to end,
 * beside a bare Node.js.
 */

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 21);
const MAIN = path.resolve('bin/quotidien.js');

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-house-'));
  try {
    const home = await oneArcHome(folder, 2);
    const commands = [
      { name: 'quotidien --version', args: ['--version'], target: 3 },
      {
        name: 'quotidien show of a day',
        args: ['--home', home, 'show', 'cityflow', FIRST_DAY],
        target: 4,
      },
    ];
    for (const { name, args, target } of commands) {
      const ours: number[] = [];
      const bare: number[] = [];
      // In turns, so that a machine whose speed changes is the same one for both.
      for (let round = 0; round < ROUNDS; round += 1) {
        bare.push(await millisecondsOf(['-e', '0']));
        ours.push(await millisecondsOf([MAIN, ...args]));
      }
      report({
        name,
        value: median(ours),
        unit: 'ms',
        floor: median(bare),
        target,
        bounds: 'ratio',
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function millisecondsOf(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
  return performance.now() - startedAt;
}
