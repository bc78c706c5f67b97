/**
 * One private SQL session on the embedded engine; its temporary tables and its scratch folder end
 * with it.
 */
export interface SqlSession {
  /** A local folder of this session, for `COPY … TO`; removed when the session ends. */
  readonly scratch: string;
  /**
   * A folder that is this session's until its end and goes to another one then, with what is in it:
   * for files of names that come again, written over the earlier ones. Thousands of new files are
   * dear: ext4 searches past all that were removed in the last minutes. Measured, 30 day files by
   * one `COPY`: 33 ms over earlier ones, 34 to 73 in new folders, the longer the more were removed
   * before.
   */
  borrowFolder(): Promise<string>;
  run(sql: string): Promise<void>;
  /**
   * The same for a long statement that only one thread can work on, such as one that numbers the
   * rows of a file. The engine's others would wait for it in a loop: measured, by chance up to
   * another second of a processor for each second of it.
   */
  runOnOneThread(sql: string): Promise<void>;
  /**
   * The rows of a query as plain values: integers and decimals that are exact in a double as
   * numbers, other decimals and larger integers as text, instants as ISO-8601 UTC text, civil dates
   * as `YYYY-MM-DD`, lists as arrays, NULL as null.
   */
  rows<T extends object = Record<string, unknown>>(sql: string): Promise<T[]>;
  /**
   * The same for results that are too large for memory: some thousand rows at a time, in the order
   * of the query. Until the loop has ended the session runs nothing else; a statement in the loop
   * is an `INTERNAL` error.
   */
  batches<T extends object = Record<string, unknown>>(sql: string): AsyncIterable<T[]>;
  /**
   * Works on several items at once, as many as the session has threads: small statements use one
   * thread each. Every item has a session that shares the scratch folder and all tables but the
   * temporary ones. Answers in the order of the items; after a failure no further item begins, and
   * it is thrown when those under way have ended.
   */
  atOnce<T, R>(items: readonly T[], work: (item: T, sql: SqlSession) => Promise<R>): Promise<R[]>;
  /**
   * Says that no statement follows: the tables are freed and another session has the place, while
   * `scratch` and borrowed folders stay until the work has ended. To be called before files are
   * stored, which takes as long as to make them.
   */
  finish(): Promise<void>;
}

/**
 * Errors of SQL keep the engine's message; malformed input data is `SRC_SHAPE_CHANGED`, a full disk
 * `STORE_DENIED`.
 */
export interface SqlEngine {
  session<T>(
    work: (sql: SqlSession) => Promise<T>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>;
}
