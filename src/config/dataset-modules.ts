import path from 'node:path';
import { PipelineError } from '../errors.ts';
import type { Environment } from './environment.ts';
import { homeOf } from './load-config.ts';
import { readSettingsFile } from './settings-file.ts';

/**
 * The modules that `datasets` of `settings.json` names, and the file, from whose folder they are
 * looked for.
 */
export interface DatasetModules {
  readonly modules: readonly string[];
  readonly file: string;
}

/**
 * Reads which modules bring datasets. Their code is run, so they are taken only from a file that is
 * ours, in a folder that a person named.
 * @throws `CONFIG_INVALID`
 */
export function readDatasetModules(sources: {
  readonly env: Environment;
  readonly cwd: string;
  readonly home?: string | undefined;
}): DatasetModules {
  const { home, named } = homeOf(sources);
  const file = path.join(home, 'settings.json');
  const { datasets = [], foreign } = readSettingsFile(file);
  if (
    !Array.isArray(datasets) ||
    !datasets.every((name) => typeof name === 'string' && name !== '')
  ) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `datasets in ${file} takes a list of npm packages and paths: ["./my-dataset"]`,
    );
  }
  const why =
    foreign ?? (named ? undefined : 'whose folder nobody named: use --home or QUOTIDIEN_HOME');
  if (datasets.length > 0 && why !== undefined) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `datasets names modules, which are programs, and is not taken from ${file}, ${why}`,
    );
  }
  return { modules: datasets as readonly string[], file };
}
