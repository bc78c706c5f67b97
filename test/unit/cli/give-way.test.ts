import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** Linux's SCHED_IDLE, in the 41st field of `/proc/<pid>/stat` (proc(5)). */
const IDLE = '5';

/**
 * Gives way, then starts threads by the first reading of a file, and tells the policies of all that
 * there are.
 */
const PROGRAM = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { readFile } from 'node:fs/promises';
  import { giveWay } from './src/cli/services/give-way.ts';
  await giveWay();
  await readFile('package.json');
  const policies = readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync('/proc/self/task/' + thread + '/stat', 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38];
  });
  console.log(JSON.stringify(policies));
`;

describe.runIf(process.platform === 'linux')('a process that gives way', () => {
  it('has the idle policy, and so have threads that are started later', async () => {
    const how = ['--import', 'tsx', '--input-type=module', '-e', PROGRAM];
    const { stdout } = await promisify(execFile)(process.execPath, how);
    const policies = JSON.parse(stdout) as string[];
    expect(policies.length).toBeGreaterThan(1);
    expect(new Set(policies)).toEqual(new Set([IDLE]));
  });
});
