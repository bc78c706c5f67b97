import type { RunnableCli } from './find-cli.ts';
import { unusedPort } from './ports.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import type { SearchAttributeTypes } from './search-attributes.ts';
import { serverArguments } from './server-flags.ts';
import { EarlyExitError, spawnServer, startFailure, untilReady } from './server-process.ts';
import type { ServerExit } from './server-process.ts';

/** A server whose state is in memory. */
export interface EphemeralServerOptions {
  readonly cli: RunnableCli;
  readonly searchAttributes: SearchAttributeTypes;
  /** Of this server alone: what it writes there tells that it is ready. */
  readonly logFile: string;
}

/** A server that ends with the process that started it. */
export interface EphemeralServer {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** Of the shell that watches the server, whose only lasting child the server is. */
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  /** Ends the server and forgets all it knew; resolves once it is gone. Repeatable. */
  stop(): Promise<void>;
}

/**
 * Runs a program and kills it when standard input ends, without grace: what is in memory only has
 * nothing to put in order. The pipe on standard input ends with its owner, kill -9 included, so a
 * test run that was shot down leaves no server behind. The shell outlives the program, so its end
 * says that the program is gone.
 */
export const UNTIL_STDIN_ENDS = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ read -r _ <&3; kill -KILL "$server"; } 2>/dev/null &
watch=$!
wait "$server"
code=$?
kill "$watch" 2>/dev/null
exit "$code"`;

/**
 * Starts that may lose a port: a server looks for more of them by itself, also for one that nobody
 * asked for.
 */
const PORT_RACES = 5;

/**
 * Starts a tuned server of its own: in memory, without a UI, on a free port, known to nobody else,
 * and gone with this process however that ends. Needs a POSIX shell. Throws `CONFIG_INVALID`, with
 * the server's last lines, when it ends before it is ready.
 */
export async function startEphemeralServer(
  options: EphemeralServerOptions,
): Promise<EphemeralServer> {
  for (let race = 1; ; race += 1) {
    try {
      return await launch(options, await unusedPort());
    } catch (error) {
      if (error instanceof EarlyExitError && error.portLost && race < PORT_RACES) continue;
      throw startFailure(error, options, 'Correct what it says, and start again.');
    }
  }
}

async function launch({ cli, searchAttributes, logFile }: EphemeralServerOptions, port: number) {
  const args = serverArguments({ serverVersion: cli.serverVersion, port, searchAttributes });
  const server = await spawnServer({
    command: '/bin/sh',
    args: ['-c', UNTIL_STDIN_ENDS, 'temporal-server', cli.path, ...args],
    logFile,
    stdinPipe: true,
  });
  const stop = async (): Promise<void> => {
    server.child.stdin?.end();
    await server.exited;
  };
  try {
    const connection = await untilReady(server, port);
    try {
      await ensureSearchAttributes(connection, 'default', searchAttributes);
    } finally {
      await connection.close();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, pid: server.pid, exited: server.exited, stop };
}
