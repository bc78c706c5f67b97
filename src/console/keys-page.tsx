import type { JSX } from 'preact';
import type { KeyRecord } from '../api/security/keys.ts';
import type { AuditRecord } from '../api/shared/audit.ts';
import { Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/** What is shown of a key: nothing from which it, or its hash, could be told. */
type ShownKey = Omit<KeyRecord, 'sha256'>;

/**
 * The keys of programs, and the last of who asked for what; `at` is the instant at which the keys
 * are good or not.
 */
export function KeysPage({
  page,
  keys,
  audit,
  at,
}: {
  readonly page: PageContext;
  readonly keys: readonly ShownKey[];
  readonly audit: readonly AuditRecord[];
  readonly at: string;
}): JSX.Element {
  const { words, nameHome } = page;
  const rows = keys.map((key) => [
    key.owner,
    key.id,
    key.scopes.join(' '),
    key.createdAt,
    key.by,
    key.revokedAt ?? key.expiresAt,
    words[standingOf(key, at)],
  ]);
  const head = [
    words.owner,
    'id',
    words.scopes,
    words.created,
    words.by,
    words.endsAt,
    words.state,
  ];
  const done = audit.map((record) => [
    record.at,
    record.by,
    record.action,
    record.target,
    record.reason,
  ]);
  return (
    <>
      <section>
        <h2>{words.keysOfPrograms}</h2>
        {rows.length === 0 ? (
          <p>{words.nothing}</p>
        ) : (
          <Rows caption={words.keysOfPrograms} head={head} rows={rows} />
        )}
        <pre>{nameHome('quotidien keys --help')}</pre>
      </section>
      <section>
        <h2>{words.audit}</h2>
        {done.length === 0 ? (
          <p>{words.nothing}</p>
        ) : (
          <Rows
            caption={words.audit}
            head={[words.instant, words.by, words.action, words.target, words.reason]}
            rows={done}
          />
        )}
      </section>
    </>
  );
}

/** As a request with the key is judged. */
function standingOf(
  { revokedAt, expiresAt }: ShownKey,
  at: string,
): 'revoked' | 'expired' | 'good' {
  if (revokedAt !== null && revokedAt <= at) return 'revoked';
  return expiresAt <= at ? 'expired' : 'good';
}
