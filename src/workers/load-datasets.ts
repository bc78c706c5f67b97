import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { DatasetModules } from '../config/dataset-modules.ts';
import { KIT_VERSION } from '../datasets/kit/version.ts';
import { registerDataset } from '../datasets/registry.ts';
import { PipelineError } from '../errors.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import { definePipeline } from '../pipelines/define-pipeline.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';

/**
 * Loads the modules that the settings name, and registers their datasets; once in a process.
 * `CONFIG_INVALID` names module, place and next step.
 */
export async function loadDatasets({ modules, file }: DatasetModules): Promise<void> {
  for (const name of modules)
    registerDataset(await loadDataset(name, file), `${name} (datasets in ${file})`);
}

async function loadDataset(name: string, file: string): Promise<Dataset> {
  const refuse = (what: string, next: string, cause?: unknown): PipelineError =>
    new PipelineError(
      'CONFIG_INVALID',
      `the dataset module ${name} (datasets in ${file}) ${what}; ${next}`,
      { cause },
    );
  let place: string;
  try {
    place = createRequire(file).resolve(name);
  } catch (cause) {
    const next = /^[./]/.test(name)
      ? 'correct the path'
      : `install it with "npm install ${name}" there`;
    throw refuse('is not found', `${next}, or take it out of the list`, cause);
  }
  let exported: { readonly default?: unknown };
  try {
    exported = (await import(pathToFileURL(place).href)) as typeof exported;
  } catch (cause) {
    throw refuse(`cannot be loaded: ${(cause as Error).message}`, `correct ${place}`, cause);
  }
  const problem = problemOf(exported.default);
  if (problem !== undefined)
    throw refuse(problem, `correct ${place}; docs/kit.md says what a dataset is`);
  return exported.default as Dataset;
}

/** Why a default export is no dataset, in words. */
function problemOf(value: unknown): string | undefined {
  const dataset = value as Partial<Dataset> | null | undefined;
  if (typeof dataset !== 'object' || dataset === null)
    return 'has no dataset as its default export';
  if (dataset.kit === undefined)
    return 'exports what defineDataset() of quotidien/kit has not made';
  if (dataset.kit !== KIT_VERSION)
    return `is made for version ${dataset.kit} of quotidien/kit, and this one is ${KIT_VERSION}`;
  const { definition, steps = {}, sources = {} } = dataset;
  if (definition === undefined || typeof dataset.slice !== 'function')
    return 'has no definition or no slice()';
  const wrong = definitionProblem(definition);
  if (wrong !== undefined) return wrong;
  const made = [
    ...definition.steps.filter(({ part }) => part === undefined),
    ...definition.rollups,
  ].map(({ id }) => id);
  const lacking = [
    ...made.filter((id) => steps[id] === undefined).map((id) => `no code for ${id}`),
    ...definition.parts
      .filter(({ id, source }) => source === 'http' && sources[id] === undefined)
      .map(({ id }) => `no source for ${id}`),
  ];
  return lacking.length === 0 ? undefined : `has ${lacking.join(', ')}`;
}

function definitionProblem(definition: PipelineDefinition): string | undefined {
  try {
    definePipeline(definition);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
