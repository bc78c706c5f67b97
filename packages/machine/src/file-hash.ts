import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Lower-case hex sha256 of a local file, read in pieces. */
export async function sha256OfFile(name: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(name);
  try {
    for await (const chunk of file.createReadStream() as AsyncIterable<Uint8Array>) hash.update(chunk);
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
