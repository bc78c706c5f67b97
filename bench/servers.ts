import { builtServer, missingTool } from '../test/fixtures/servers/server-build.ts';
import type { ServerBuild } from '../test/fixtures/servers/server-build.ts';
import type { TestServer } from '../test/fixtures/servers/server-process.ts';

/**
 * Runs `work` on a server of its own; where a tool is missing to build or run it, a line says so.
 */
export async function withServer<S extends TestServer>(
  build: ServerBuild,
  start: () => Promise<S>,
  work: (server: S) => Promise<void>,
): Promise<void> {
  const missing = await missingTool(build);
  if (missing !== undefined) {
    process.stderr.write(
      `not measured on ${build.name}: it needs ${missing}, which is not installed\n`,
    );
    return;
  }
  await builtServer(build);
  const server = await start();
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}
