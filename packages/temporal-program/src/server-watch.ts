import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';

/** What to do when an open line to a server ends: it may have closed an idle line, or be gone. */
export interface ServerWatch {
  /** Resolves when the server at the address no longer takes connections; never rejects. */
  readonly gone: Promise<void>;
  /** Stops watching; `gone` then never resolves. */
  close(): void;
}

/**
 * Watches a server that is not our child, for whose end the system gives no event: keeps one idle
 * HTTP/2 session (what gRPC speaks) open to it. When the session ends a new one is opened, because
 * servers end idle sessions after some minutes; when that fails, the server is gone. A kill -9 is
 * so noticed at once, without asking again and again.
 */
export function watchServer(address: string): ServerWatch {
  let closed = false;
  let session: ClientHttp2Session;
  const gone = new Promise<void>((resolve) => {
    const open = (): void => {
      let connected = false;
      session = connect(`http://${address}`);
      session.once('connect', () => {
        connected = true;
      });
      session.on('error', () => undefined); // 'close' follows and decides
      session.once('close', () => {
        if (closed) return;
        if (connected) open();
        else resolve();
      });
    };
    open();
  });
  const close = (): void => {
    closed = true;
    session.destroy();
  };
  return { gone, close };
}
