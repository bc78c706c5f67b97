/**
 * The part of parquetjs-lite 0.8.7 that `parquet-export.ts` uses; the package has no types of its
 * own.
 */
declare module 'parquetjs-lite' {
  /** A column; the members that we give, of many that there are. */
  export interface ParquetField {
    readonly type: 'INT64' | 'DOUBLE' | 'UTF8' | 'TIMESTAMP_MILLIS' | 'BOOLEAN';
    readonly optional: boolean;
    readonly compression: 'SNAPPY';
    readonly statistics: false;
  }

  /** Columns in the order of the members. */
  export class ParquetSchema {
    readonly fields: Readonly<Record<string, unknown>>;
    constructor(fields: Readonly<Record<string, ParquetField>>);
  }

  /** The two methods of a stream that the writer calls. */
  export interface ParquetOutput {
    write(bytes: Uint8Array, done: (error?: Error) => void): void;
    end(done: (error?: Error) => void): void;
  }

  /** Writes row groups as they fill; the footer comes with `close`. */
  export class ParquetWriter {
    /** Writes the first bytes of the file at once. */
    static openStream(
      schema: ParquetSchema,
      output: ParquetOutput,
      options: {
        readonly rowGroupSize: number;
        readonly useDataPageV2: boolean;
        readonly pageIndex: boolean;
      },
    ): Promise<ParquetWriter>;

    /** Members that the schema does not name are left out. */
    appendRow(
      row: Readonly<Record<string, string | number | boolean | Date | null>>,
    ): Promise<void>;

    /** Before `close`, which writes it. */
    setMetadata(key: string, value: string): void;

    /** Without it the file cannot be read. */
    close(): Promise<void>;
  }
}
