import { PipelineError } from '../../../../src/errors.ts';
import { createLocalObjectStore } from '../../../../src/storage/local/local-files.ts';

/** Puts one object of `bytes` bytes and prints `stored`, or the code and message of the error. */
const [root = '', key = '', bytes = '0'] = process.argv.slice(2);
try {
  const body = Buffer.alloc(Number(bytes));
  await createLocalObjectStore({ root }).put(key, body, {
    mode: 'create',
    mediaType: 'text/plain',
  });
  process.stdout.write('stored\n');
} catch (error) {
  if (!(error instanceof PipelineError)) throw error;
  process.stdout.write(`${error.code} ${error.message}\n`);
}
