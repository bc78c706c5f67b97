import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { unlinkSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import type { DictionarySamples } from '../shared/packing.ts';
import { DICTIONARIES_PART, STAGING_PART } from '../shared/object-key.ts';
import { ownerMark } from './file-owner.ts';

/**
 * The samples of the dictionaries of a folder of objects, each a file of its own below
 * `<root>/.dictionaries`, as deep as the folder that its kind is of:
 * `metrics/cityflow/bikes/json-1`. There are few of them, so that calls which wait for the disk do
 * no harm here.
 *
 * A file is made like an object: whole, fsynced, then given its name, which no other process has
 * given. What cannot be kept is not: a text is packed without it.
 */
export function createSampleFiles(root: string): DictionarySamples {
  const fileOf = (kind: string, number: number): string =>
    path.join(root, DICTIONARIES_PART, `${kind}-${number}`);

  return {
    of(kind) {
      const samples: Uint8Array[] = [];
      for (;;) {
        const sample = readSample(fileOf(kind, samples.length + 1));
        if (sample === undefined) return samples;
        samples.push(sample);
      }
    },
    add(kind, number, sample) {
      const staged = path.join(root, STAGING_PART, `${ownerMark()}${randomUUID()}`);
      const file = fileOf(kind, number);
      try {
        writeFileSync(staged, deflateSync(sample), { flag: 'wx' });
        sync(staged);
        mkdirSync(path.dirname(file), { recursive: true });
        linkSync(staged, file);
        for (
          let folder = path.dirname(file);
          folder.startsWith(root);
          folder = path.dirname(folder)
        )
          sync(folder);
      } catch {
        // Without this sample, or with that of another process.
      } finally {
        removeIfThere(staged);
      }
    },
    has: (kind, number) => existsSync(fileOf(kind, number)),
  };
}

/** Undefined when it is missing or damaged, which for those that need it is the same. */
function readSample(file: string): Uint8Array | undefined {
  try {
    return inflateSync(readFileSync(file));
  } catch {
    return undefined;
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function removeIfThere(staged: string): void {
  try {
    unlinkSync(staged);
  } catch {
    // The sweep of staged files finds it.
  }
}
