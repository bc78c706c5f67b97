import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const linesOf = (name: string): string[] => readFileSync(path.join(ROOT, name), 'utf8').split('\n');

/** What the image is built from, as its file copies it from the folder of the project. */
const copied = linesOf('infra/Dockerfile')
  .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));
const sent = linesOf('infra/Dockerfile.dockerignore').flatMap((line) =>
  line.startsWith('!') ? [line.slice(1)] : [],
);

describe('the image of the workers', () => {
  it.each(copied)('is given %s, which is there', (name) => {
    expect(sent).toContain(name);
    expect(existsSync(path.join(ROOT, name))).toBe(true);
  });

  it('is given nothing else', () => {
    expect(sent.filter((name) => !copied.includes(name))).toEqual([]);
  });
});
