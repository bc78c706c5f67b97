import { z } from 'zod';
import { FORMATS } from '../answers/formats.ts';
import {
  answerAs,
  anyRecord,
  anything,
  bounded,
  byRanges,
  negotiated,
  paged,
  plainText,
  problems,
  unchanged,
} from '../shared/responses.ts';

/** What the routes of tables send, for the document: every status and every media type. */

/** Of a page of rows. */
export const rowsAnswer = {
  200: answerAs('Rows of the range, with what they stand on and the address of the next page', {
    'application/json': z.object({
      table: z.string(),
      from: z.string(),
      to: z.string(),
      columns: z.array(anyRecord),
      standing: anyRecord,
      next: z.string().nullable(),
      rows: z.array(anyRecord),
    }),
    'application/x-ndjson': plainText,
    'text/csv': plainText,
    [FORMATS.arrow]: anything,
  }),
  ...problems,
  ...unchanged,
  ...negotiated,
  ...paged,
  ...bounded,
};

/** Of all rows of a range, as one file. */
export const fileAnswer = {
  200: answerAs('All rows of the range', {
    'text/csv': plainText,
    'application/json': z.array(anyRecord),
    'application/x-ndjson': plainText,
    [FORMATS.parquet]: anything,
    [FORMATS.arrow]: anything,
    [FORMATS.xlsx]: anything,
  }),
  206: answerAs('A range of the bytes', { [FORMATS.parquet]: anything }),
  ...problems,
  ...unchanged,
  ...negotiated,
  ...bounded,
  ...byRanges,
};
