import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parsePayloadKeys } from '../../../src/config/payload-keys.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { dataConverterOf } from '../../../src/workers/payload-codec.ts';

const key = () => randomBytes(32).toString('base64');
const [A, B] = [key(), key()];

const codecOf = (env: Environment) => dataConverterOf(env).payloadCodecs[0]!;
const withKeys = (keys: string) => codecOf({ QUOTIDIEN_PAYLOAD_KEYS: keys });
const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const asText = (value: Payload): string =>
  Buffer.concat([...Object.values(value.metadata ?? {}), value.data ?? new Uint8Array()]).toString(
    'latin1',
  );

describe('the payload codec', () => {
  it('gives back any value, and shows nothing of it', async () => {
    const codec = withKeys(`a:${A}`);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const [sealed] = await codec.encode([payload({ marker: 'find-me', value })]);
        expect(asText(sealed!)).not.toContain('find-me');
        expect(asText(sealed!)).not.toContain('json/plain');
        const [opened] = await codec.decode([sealed!]);
        expect(defaultPayloadConverter.fromPayload(opened!)).toEqual(
          JSON.parse(JSON.stringify({ marker: 'find-me', value })),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('encrypts the same value differently each time', async () => {
    const codec = withKeys(`a:${A}`);
    const [first, second] = await codec.encode([payload('x'), payload('x')]);
    expect(Buffer.from(first!.data!).equals(Buffer.from(second!.data!))).toBe(false);
  });

  it('encrypts with the first key and decrypts with every one', async () => {
    const [old] = await withKeys(`a:${A}`).encode([payload('old')]);
    const rotated = withKeys(`b:${B} a:${A}`);
    const [opened] = await rotated.decode([old!]);
    expect(defaultPayloadConverter.fromPayload(opened!)).toBe('old');
    const [sealed] = await rotated.encode([payload('new')]);
    expect(Buffer.from(sealed!.metadata!['encryption-key-id']!).toString()).toBe('b');
  });

  it('reads what was never encrypted, with keys and without', async () => {
    for (const codec of [withKeys(`a:${A}`), codecOf({})]) {
      const [opened] = await codec.decode([payload('plain')]);
      expect(defaultPayloadConverter.fromPayload(opened!)).toBe('plain');
    }
    expect(await codecOf({}).encode([payload('plain')])).toEqual([payload('plain')]);
  });

  it('names the key that is missing, also when no key is set', async () => {
    const [sealed] = await withKeys(`2026-a:${A}`).encode([payload('x')]);
    for (const codec of [withKeys(`b:${B}`), codecOf({})])
      await expect(codec.decode([sealed!])).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/key "2026-a".*QUOTIDIEN_PAYLOAD_KEYS/) as string,
      });
  });

  it('refuses changed bytes, another key of the same id, and a payload passed off as another key’s', async () => {
    const [sealed] = await withKeys(`a:${A}`).encode([payload('x')]);
    const data = Buffer.from(sealed!.data!);
    data[20] = (data[20] ?? 0) ^ 1;
    await expect(withKeys(`a:${A}`).decode([{ ...sealed!, data }])).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
    await expect(withKeys(`a:${B}`).decode([sealed!])).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
    const renamed = {
      ...sealed!,
      metadata: { ...sealed!.metadata, 'encryption-key-id': Buffer.from('c') },
    };
    await expect(withKeys(`a:${A},c:${A}`).decode([renamed])).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
    const short = { ...sealed!, data: data.subarray(0, 5) };
    await expect(withKeys(`a:${A}`).decode([short])).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
  });
});

describe('the keys', () => {
  it('come from a command, which is asked once, and again only after it failed', async () => {
    const codec = codecOf({
      QUOTIDIEN_PAYLOAD_KEYS_COMMAND: `printf 'b:${B}\\na:${A}\\n'`,
      PATH: process.env['PATH'],
    });
    const [sealed] = await codec.encode([payload('x')]);
    const [opened] = await withKeys(`b:${B}`).decode([sealed!]);
    expect(defaultPayloadConverter.fromPayload(opened!)).toBe('x');
  });

  it('are never in the message of a command that fails', async () => {
    const command = `echo 'a:${A}'; echo 'vault: permission denied' >&2; exit 3`;
    const failed = codecOf({
      QUOTIDIEN_PAYLOAD_KEYS_COMMAND: command,
      PATH: process.env['PATH'],
    }).encode([payload('x')]);
    const error = (await failed.catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('permission denied') as string,
    });
    expect(`${error.message} ${error.stack}`).not.toContain(A);
  });

  it('are 32 bytes with an id of their own; a mistake is told without the key', () => {
    for (const text of ['', A, `a:${A.slice(4)}`, `a:${A} a:${B}`, `:${A}`, `a b:${A}`]) {
      const { problem } = parsePayloadKeys(text);
      expect(problem, text).toBeDefined();
      expect(problem).not.toContain(A.slice(4, 20));
    }
    expect([...parsePayloadKeys(`a:${A},b:${B}`).keys.keys()]).toEqual(['a', 'b']);
  });
});
