import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';

const PREBUILT = fileURLToPath(new URL('../workflows.bundle.js', import.meta.url));

/**
 * Evaluated once per worker instead of once per run: pure code keeps nothing between calls, so that runs may share it. With what these
 * import they are all of `pipelines` that workflows use.
 */
const PURE_MODULES = ['pipelines/backfill', 'pipelines/execution'];

/** Bundles the workflow code; takes 1–3 s, so it is done once in the build and once per test run. */
export async function bundleWorkflows(): Promise<string> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const source = (name: string): string => fileURLToPath(new URL(`../${name}.${extension}`, import.meta.url));
  const { code } = await bundleWorkflowCode({
    workflowsPath: source('workflows/index'),
    preloadModules: PURE_MODULES.map(source),
    logger: QUIET,
  });
  return code;
}

/** The bundle of the build where there is one, else a fresh one. */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  if (existsSync(PREBUILT)) return { code: await readFile(PREBUILT, 'utf8') };
  return { code: await bundleWorkflows() };
}

export async function writeWorkflowBundle(): Promise<void> {
  await writeFile(PREBUILT, await bundleWorkflows());
}

/** The bundler reports sizes and progress that nobody needs; its errors are thrown. */
const ignore = (): void => undefined;
const QUIET = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
