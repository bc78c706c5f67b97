import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { definedMembers } from '../given.ts';
import { SEALED_FAILURES } from './payload-codec.ts';

/** One bundle for readable payloads, one for encrypted ones. */
function prebuilt(failureConverterPath: string | undefined): string {
  const name = failureConverterPath === undefined ? 'workflows' : 'workflows-sealed';
  return fileURLToPath(new URL(`../${name}.bundle.js`, import.meta.url));
}

/**
 * Evaluated once per worker instead of once per run: pure code keeps nothing between calls, so that
 * runs may share it. With what these import they are all of `pipelines` that workflows use.
 */
const PURE_MODULES = ['pipelines/backfill', 'pipelines/execution'];

/**
 * Bundles the workflow code; takes 1–3 s, so it is done once in the build and once per test run.
 * Where payloads are encrypted the workflows need the same converter of failures as their worker.
 */
export async function bundleWorkflows(failureConverterPath?: string): Promise<string> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const source = (name: string): string =>
    fileURLToPath(new URL(`../${name}.${extension}`, import.meta.url));
  const { code } = await bundleWorkflowCode({
    workflowsPath: source('workflows/index'),
    workflowInterceptorModules: [source('workflows/host-routing')],
    preloadModules: PURE_MODULES.map(source),
    logger: QUIET,
    ...definedMembers({ failureConverterPath }),
  });
  return code;
}

/** The bundle of the build where there is one, else a fresh one. */
export async function workflowBundle(failureConverterPath?: string): Promise<WorkflowBundleOption> {
  const file = prebuilt(failureConverterPath);
  if (existsSync(file)) return { code: await readFile(file, 'utf8') };
  return { code: await bundleWorkflows(failureConverterPath) };
}

/** Called by the build; workers without these files bundle at their start, which takes seconds. */
export async function writeWorkflowBundles(): Promise<void> {
  for (const converter of [undefined, SEALED_FAILURES])
    await writeFile(prebuilt(converter), await bundleWorkflows(converter));
}

/** The bundler reports sizes and progress that nobody needs; its errors are thrown. */
const ignore = (): void => undefined;
const QUIET = {
  log: ignore,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};
