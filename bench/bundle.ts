import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode } from '@temporalio/worker';

const OWN_FILE = fileURLToPath(import.meta.url);
const LARGEST_BUNDLE_BYTES = 64 << 20;

/**
 * Bundles workflow code in a process of its own: the bundler takes more memory than the worker
 * whose peak is measured.
 */
export async function bundleElsewhere(workflowsPath: string): Promise<{ readonly code: string }> {
  const child = [...process.execArgv, OWN_FILE, workflowsPath];
  const { stdout } = await promisify(execFile)(process.execPath, child, {
    maxBuffer: LARGEST_BUNDLE_BYTES,
  });
  return { code: stdout };
}

if (process.argv[1] === OWN_FILE) {
  const [workflowsPath = ''] = process.argv.slice(2);
  // What the bundler says goes to stderr, which the other side shows only when this process fails.
  const { code } = await bundleWorkflowCode({ workflowsPath });
  process.stdout.write(code);
}
