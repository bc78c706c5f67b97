import { firstOf } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { surveyFolder } from '../../engine/sources/arrivals.ts';
import { withSource } from '../../engine/sources/open-source.ts';
import type { Survey } from '../../engine/sources/arrivals.ts';
import { folderSourceOf } from '../../pipelines/source-declaration.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { FolderSource } from '../../pipelines/source-declaration.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import { timed, whyFailed } from './finding.ts';
import type { Finding } from './finding.ts';

/**
 * Lists the folders of publishers for real: address, pinned key, credentials, and what is new.
 * Nothing is fetched.
 */

const LISTED_WITHIN_MS = 20_000;

/** One finding for each folder that the configuration gives access to. */
export async function examineFolders(engine: OpenEngine, signal: AbortSignal): Promise<Finding[]> {
  const folders = Object.values(engine.datasets).flatMap((dataset) => {
    const declarations = dataset.definition.parts.flatMap(
      ({ id }) => folderSourceOf(dataset, id) ?? [],
    );
    const hosts = new Map(declarations.map((declaration) => [declaration.host, declaration]));
    return [...hosts.values()]
      .filter(({ access }) => access !== undefined)
      .map((folder) => ({ dataset, folder }));
  });
  return Promise.all(
    folders.map(({ dataset, folder }) => examine(engine, dataset, folder, signal)),
  );
}

async function examine(
  engine: OpenEngine,
  { definition }: Dataset,
  declaration: FolderSource,
  signal: AbortSignal,
): Promise<Finding> {
  const common = {
    area: 'publishers',
    subject: `${definition.name}, folder of ${declaration.host}`,
  } as const;
  const limited = { signal: AbortSignal.any([signal, AbortSignal.timeout(LISTED_WITHIN_MS)]) };
  try {
    const { value, durationMs } = await timed(() =>
      withSource(engine, declaration, (source) =>
        surveyFolder(engine, source, { pipeline: definition.name, declaration }, limited),
      ),
    );
    return { ...common, status: 'ok', detail: describe(value), durationMs };
  } catch (error) {
    signal.throwIfAborted();
    const next =
      error instanceof PipelineError
        ? error.remedy
        : 'Check the network and the address of the folder.';
    return { ...common, status: 'warn', detail: whyFailed(error), next, degrades: true };
  }
}

function describe({ files, due, noted, unknown }: Survey): string {
  const failed = due.filter(({ why }) => why === 'failed').length;
  const names =
    unknown.length === 0 ? '' : `, ${unknown.length} unknown names such as ${firstOf(unknown)}`;
  return `${files.length} files, ${due.length} to be fetched (${failed} failed before), ${noted.length} only noted${names}`;
}
