/** The part of parquetjs-lite 0.8.7 that `parquet-export.ts` uses; the package has no types of its own. */
declare module 'parquetjs-lite' {
  export interface ParquetField {
    readonly type: 'INT64' | 'DOUBLE' | 'UTF8' | 'TIMESTAMP_MILLIS' | 'BOOLEAN';
    readonly optional: boolean;
    readonly compression: 'SNAPPY';
    readonly statistics: false;
  }

  export class ParquetSchema {
    readonly fields: Readonly<Record<string, unknown>>;
    constructor(fields: Readonly<Record<string, ParquetField>>);
  }

  /** The two methods of a stream that the writer calls. */
  export interface ParquetOutput {
    write(bytes: Uint8Array, done: (error?: Error) => void): void;
    end(done: (error?: Error) => void): void;
  }

  export class ParquetWriter {
    static openStream(
      schema: ParquetSchema,
      output: ParquetOutput,
      options: { readonly rowGroupSize: number; readonly useDataPageV2: boolean; readonly pageIndex: boolean },
    ): Promise<ParquetWriter>;
    appendRow(row: Readonly<Record<string, string | number | boolean | Date | null>>): Promise<void>;
    setMetadata(key: string, value: string): void;
    close(): Promise<void>;
  }
}
