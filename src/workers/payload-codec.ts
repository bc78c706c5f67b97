import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../config/environment.ts';
import { PipelineError } from '../errors.ts';
import { isSealed, readPayloadKeys } from './payload-keys.ts';
import type { PayloadKeys } from './payload-keys.ts';

/**
 * Encrypts what Temporal keeps of runs: inputs, results, signals, updates, details, headers, and
 * the words of failures. Each payload is encrypted whole by AES-256-GCM under the first key, with a
 * nonce of its own; its metadata name the key. Payloads that are not encrypted, as those of runs
 * from before, are read as they are.
 */

const { Payload: WholePayload } = proto.temporal.api.common.v1;

const ENCODING = 'binary/encrypted';
const CIPHER = 'AES-256-GCM';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * How every client and worker of an installation reads and writes payloads; the one place that
 * decides it. Without keys nothing is encrypted, and what others have encrypted is refused with the
 * name of the key.
 */
export function dataConverterOf(
  env: Environment,
): DataConverter & { readonly payloadCodecs: PayloadCodec[] } {
  let keys: Promise<PayloadKeys> | undefined;
  const codec = createPayloadCodec(() => {
    keys ??= readPayloadKeys(env).catch((error: unknown) => {
      // A command that failed is asked again by the next call.
      keys = undefined;
      throw error;
    });
    return keys;
  });
  return {
    payloadCodecs: [codec],
    ...(isSealed(env) ? { failureConverterPath: SEALED_FAILURES } : {}),
  };
}

/** The module that the bundle of the workflows has to contain where payloads are encrypted. */
export const SEALED_FAILURES = fileURLToPath(
  new URL(
    `../workers/sealed-failures.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
    import.meta.url,
  ),
);

/**
 * Asks `readKeys` at every call: whoever gives it decides how long keys are remembered. Payloads
 * without our mark stay as they are.
 */
export function createPayloadCodec(readKeys: () => Promise<PayloadKeys>): PayloadCodec {
  return {
    async encode(payloads) {
      const [current] = await readKeys();
      return current === undefined ? payloads : payloads.map((payload) => seal(payload, current));
    },
    async decode(payloads) {
      const keys = await readKeys();
      return payloads.map((payload) =>
        textOf(payload, 'encoding') === ENCODING ? open(payload, keys) : payload,
      );
    },
  };
}

function seal(payload: Payload, [id, key]: readonly [string, Buffer]): Payload {
  const metadata = {
    encoding: utf8(ENCODING),
    'encryption-cipher': utf8(CIPHER),
    'encryption-key-id': utf8(id),
  };
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(id));
  const whole = WholePayload.encode(payload).finish();
  return {
    metadata,
    data: Buffer.concat([nonce, cipher.update(whole), cipher.final(), cipher.getAuthTag()]),
  };
}

function open(payload: Payload, keys: PayloadKeys): Payload {
  const id = textOf(payload, 'encryption-key-id');
  const key = keys.get(id);
  if (key === undefined) {
    const known =
      keys.size === 0 ? 'no key is set' : `the known ones are ${[...keys.keys()].join(', ')}`;
    throw new PipelineError(
      'CONFIG_INVALID',
      `this is encrypted with the key ${JSON.stringify(id)}, and ${known}: add it to QUOTIDIEN_PAYLOAD_KEYS`,
      { context: { keyId: id } },
    );
  }
  const data = Buffer.from(payload.data ?? []);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, NONCE_BYTES)).setAAD(
      boundTo(id),
    );
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    const whole = Buffer.concat([
      decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
    return WholePayload.decode(whole);
  } catch (error) {
    throw new PipelineError(
      'STORE_CORRUPT',
      `a payload cannot be decrypted with the key ${JSON.stringify(id)}: another key has this id, or the bytes were changed`,
      { context: { keyId: id }, cause: error },
    );
  }
}

/** A payload of one key cannot be passed off as one of another. */
function boundTo(id: string): Buffer {
  return Buffer.from(`${ENCODING}\0${CIPHER}\0${id}`);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf({ metadata }: Payload, name: string): string {
  const value = metadata?.[name];
  return value === undefined ? '' : new TextDecoder().decode(value);
}
