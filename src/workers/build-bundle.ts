import { writeWorkflowBundles } from './workflow-bundle.ts';

/** The last step of the build: `node dist/workers/build-bundle.js`. */
await writeWorkflowBundles();
