import { PipelineError } from '../../errors.ts';
import { redactText } from '../../redaction.ts';

interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly secret: string;
}

/** Of the protocol: there is no such file, and we may not read it. */
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;

/**
 * What went wrong with a request, as an error that says where and what to do; never with a secret.
 */
export function sftpError(error: unknown, server: Server, path: string): PipelineError {
  const { host, port, user, secret } = server;
  const where = `${host}:${port}`;
  const message = redactText(error instanceof Error ? error.message : String(error), [secret]);
  const known = error as { level?: string; code?: string | number };
  if (error instanceof PipelineError && error.code !== 'SRC_UNAVAILABLE') return error;
  if (known.level === 'client-authentication' || /authentication methods failed/i.test(message)) {
    const next = 'renew the key or password in the settings, or have the publisher allow it';
    return new PipelineError('SRC_AUTH', `${where} does not let ${user} in; ${next}`);
  }
  if (/privateKey|Encrypted .* key|Unsupported key format/i.test(message))
    return new PipelineError(
      'SRC_AUTH',
      `the private key for ${where} cannot be used (${message})`,
    );
  if (known.code === NO_SUCH_FILE || /no such file/i.test(message)) {
    const next = 'compare the folder in the settings with what the publisher shows';
    return new PipelineError('SRC_SHAPE_CHANGED', `${where} has no ${path}; ${next}`);
  }
  if (known.code === PERMISSION_DENIED || /permission denied/i.test(message))
    return new PipelineError('SRC_AUTH', `${where} does not let ${user} read ${path}`);
  return new PipelineError('SRC_UNAVAILABLE', `${where}, ${path}: ${message}`, { cause: error });
}

/** The server's key is none of those that are pinned. */
export function hostKeyMissing(found: {
  readonly host: string;
  readonly port: number;
  readonly shown: string;
  readonly pinned: number;
  readonly setting: string;
}): PipelineError {
  const { host, port, shown, pinned, setting } = found;
  const what =
    pinned === 0
      ? `no key of ${host}:${port} is pinned`
      : `${host}:${port} has another key than the one that is pinned: it may be another server`;
  return new PipelineError(
    'SRC_UNSAFE_ADDRESS',
    `${what}; it shows ${shown}. When the publisher confirms this fingerprint, set ${setting} to it`,
  );
}
