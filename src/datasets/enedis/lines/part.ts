/** The part of invoice lines, which the ERP gives: `quotidien import enedis <file>`. */
export const LINES_PART = 'lignes';
