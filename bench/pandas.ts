import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Peers written with pandas, in an environment of their own that the first of them installs. */

const PACKAGES = ['pandas==2.2.3', 'pyarrow==18.1.0'];

/**
 * Seconds that a script says it took, its first word on stdout; undefined where pandas cannot be
 * installed.
 */
export async function pandasSeconds(
  script: string,
  args: readonly string[],
): Promise<number | undefined> {
  const run = promisify(execFile);
  const home = path.resolve('.cache', 'bench-pandas');
  const python = path.join(home, 'bin', 'python');
  const file = path.join(home, 'peer.py');
  try {
    await access(path.join(home, 'ready')).catch(async () => {
      await run('python3', ['-m', 'venv', home]);
      await run(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES]);
      await writeFile(path.join(home, 'ready'), '');
    });
    await writeFile(file, script);
    const { stdout } = await run(python, [file, ...args]);
    return Number(stdout.split(' ')[0]);
  } catch (error) {
    process.stderr.write(`  pandas could not run: ${(error as Error).message.slice(0, 300)}\n`);
    return undefined;
  }
}
