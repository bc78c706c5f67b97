import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A script of this folder as a process of its own, for what only several processes can show. */
export interface Child {
  /** The lines it has printed up to and including the first that `is` accepts. */
  until(is: (line: string) => boolean): Promise<string[]>;
  /** All lines, once it has ended by itself; fails when it ended with an error. */
  end(): Promise<string[]>;
  /** kill -9, resolved when it is gone. */
  kill(): Promise<void>;
}

export function startChild(
  script: string,
  args: readonly string[],
  options: { fileLimitKib?: number } = {},
): Child {
  const command = [
    process.execPath,
    '--import',
    'tsx',
    path.join(import.meta.dirname, script),
    ...args,
  ];
  const limit = options.fileLimitKib === undefined ? '' : `ulimit -f ${options.fileLimitKib}; `;
  const child = spawn('bash', ['-c', `${limit}exec "$@"`, 'bash', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  return { ...followLines(child, exited), kill: () => killChild(child, exited) };
}

function followLines(
  child: ChildProcess,
  exited: Promise<[number | null, string | null]>,
): Omit<Child, 'kill'> {
  const lines: string[] = [];
  const errors: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const reader = createInterface({ input: child.stdout! });
  const closed = once(reader, 'close');
  let wake: () => void = () => undefined;
  reader.on('line', (line) => {
    lines.push(line);
    wake();
  });
  void closed.then(() => {
    wake();
  });
  let ended = false;
  void closed.then(() => (ended = true));

  return {
    async until(is) {
      for (;;) {
        const at = lines.findIndex(is);
        if (at >= 0) return lines.slice(0, at + 1);
        if (ended)
          throw new Error(
            `the child ended before it said so:\n${lines.join('\n')}\n${errors.join('')}`,
          );
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async end() {
      const [code, signal] = await exited;
      await closed;
      if (code !== 0)
        throw new Error(`the child ended with ${code ?? signal ?? 'nothing'}:\n${errors.join('')}`);
      return lines;
    },
  };
}

async function killChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}
