/** The part of invoice lines, which the ERP gives: `quotidien import enedis <file>`. */
export const LINES_PART = 'lignes';

/** What lists of files call it, where flux have their own names. */
export const LINES_FLUX = 'LIGNES';
